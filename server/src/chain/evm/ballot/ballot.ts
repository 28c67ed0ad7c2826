import type { Instant } from '@settlewire/core/instant'
import type { BlockRef, SeenTransfer } from '@settlewire/core/payment/observation'
import type { AppliedBlock, Corroborated } from '../../../ports/chain.ts'
import { tokenTransferAt, transferIn } from '../block/logs.ts'
import type { BlockContents } from '../block/verdict.ts'
import type { Header, Receipt } from '../node/node.ts'

/** What a provider says of one inclusion. */
export type Word = 'shows' | 'denies'

/** What a provider can be asked about a block: its logs, what it says of one inclusion, or what is in doubt. */
export type Question = 'logs' | Corroborated | Doubt

/** A transaction of a block that was passed without it, because no provider showed all of it. */
export interface Doubt {
  readonly txHash: string
  /** What the block's logs show of it; null where they show nothing. */
  readonly hint: SeenTransfer | null
  tries: number
  againAt: Instant
}

/** What a provider shows of a block beside what its reader showed. */
export interface Beside<Who> {
  readonly provider: Who
  readonly applied: AppliedBlock
}

/** What one provider has said of one block. */
interface Voice {
  /** What its logs hold, with the receipts that belong to them; null before it has shown its logs. */
  contents: BlockContents | null
  /** How often it was asked for its logs. */
  asks: number
  readonly receipts: Map<string, Promise<Receipt | null>>
  /** Its last word on each transaction. */
  readonly words: Map<string, Word>
}

/** Who does not know a block after so many questions is on another branch. */
const asksMax = 8

/** One block, what it is said to hold for us, and what each provider has said of that. */
export class Ballot<Who> {
  readonly ref: BlockRef
  /** Whom it was read from. */
  reader: Who | null = null
  /** Null until it is needed. */
  header: Header | null = null
  /** Whether all but its reader are asked for its logs. */
  wantsLogs = false
  /** Whether what was told of it is known as a sum only: what its logs show now is what was told. */
  isReread = false
  /** The transactions that are on record of it; null as long as the block is not. */
  told: Set<string> | null = null
  /** Steps since it was told. */
  age = 0
  /** Whether its reader was counted as one that hid something of it. */
  isBlamed = false
  /** By transaction. */
  readonly doubts = new Map<string, Doubt>()
  /** What was in doubt and turned up after all; told with the next step. */
  readonly found: Beside<Who>[] = []
  /** By transaction. */
  readonly inclusions = new Map<string, Corroborated>()
  readonly voices = new Map<Who, Voice>()

  constructor(ref: BlockRef) {
    this.ref = ref
  }

  voice(who: Who): Voice {
    const none = { contents: null, asks: 0, receipts: new Map(), words: new Map() }
    const voice = this.voices.get(who) ?? none
    this.voices.set(who, voice)
    return voice
  }

  /** It is said to hold this. Where that is more than was said before, nobody has shown it yet. */
  include(inclusion: Corroborated): void {
    const { txHash, transfers } = inclusion
    if (this.inclusions.get(txHash)?.transfers.length === transfers.length) return
    this.inclusions.set(txHash, inclusion)
    for (const { words } of this.voices.values()) words.delete(txHash)
  }

  /** Those whose last word on a transaction is this one. */
  saying(txHash: string, word: Word): readonly Who[] {
    return [...this.voices]
      .filter(([, { words }]) => words.get(txHash) === word)
      .map(([who]) => who)
  }

  /** Whether something that it may hold for us is still to be shown, or to be told. */
  get isDoubtful(): boolean {
    return this.doubts.size > 0 || this.found.length > 0
  }

  /** What is to be asked of a provider until it shows all that the block is said to hold. */
  missing(who: Who, isComplete: (contents: BlockContents) => boolean): Question[] {
    const { contents = null, asks = 0, words } = this.voices.get(who) ?? {}
    const isUnheard = contents === null ? asks < asksMax : !isComplete(contents)
    const logs = this.wantsLogs && this.reader !== who && isUnheard
    const unsure = [...this.inclusions.values()].filter(
      ({ txHash }) => words?.get(txHash) !== 'shows' || this.isDenied(txHash),
    )
    return [...(logs ? (['logs'] as const) : []), ...unsure, ...this.doubts.values()]
  }

  /** Whether somebody denies it: then those that show it are asked again, too. */
  isDenied(txHash: string): boolean {
    return this.saying(txHash, 'denies').length > 0
  }

  /** Whether of something on record as many say that it is not so as show it, and somebody shows it. */
  get isContradicted(): boolean {
    return [...(this.told ?? [])].some((txHash) => {
      const shows = this.saying(txHash, 'shows').length
      return shows > 0 && this.saying(txHash, 'denies').length >= shows
    })
  }

  /** Whether somebody denies something on record. */
  get isOpen(): boolean {
    return [...(this.told ?? [])].some((txHash) => this.isDenied(txHash))
  }
}

/** What a receipt says of an inclusion; null when it is of another block, and says nothing. */
export function wordOf(
  receipt: Receipt,
  { block, transfers }: Corroborated,
  tokens: ReadonlySet<string>,
): Word | null {
  if (receipt.blockHash !== block.hash) return null
  const isShown = receipt.succeeded && transfers.every((one) => holds(receipt, one, tokens))
  return isShown ? 'shows' : 'denies'
}

/** Whether the log at that place moves the same. What is no log follows from status and block. */
function holds(receipt: Receipt, transfer: SeenTransfer, tokens: ReadonlySet<string>): boolean {
  const { part } = transfer
  if (typeof part !== 'number') return true
  const found = transferIn(receipt.logs[part], tokens)
  if (found === null) return false
  // Its place in the receipt names it, not what the log says of itself.
  const log = { ...found.log, transactionHash: receipt.txHash }
  const shown = tokenTransferAt({ ...found, log }, part)
  return shown !== null && sameFields.every((field) => shown[field] === transfer[field])
}

const sameFields = ['token', 'from', 'to', 'amount', 'txHash'] as const
