import type { Instant } from '@settlewire/core/instant'
import type { BlockRef, SeenTransfer } from '@settlewire/core/payment/observation'
import type { AppliedBlock, Corroborated } from '../../../ports/chain.ts'
import { tokenTransferAt, transferIn } from '../block/logs.ts'
import type { BlockContents } from '../block/verdict.ts'
import type { Header, Receipt } from '../node/node.ts'

/** The vote of a provider on one inclusion. */
export type Vote = 'shows' | 'denies'

/**
 * What a provider can be asked about a block: its logs, one inclusion, or a doubtful transaction.
 */
export type BallotQuestion = 'logs' | Corroborated | Doubt

/** A transaction that was left out of its block's step because no provider showed all of it. */
export interface Doubt {
  readonly txHash: string
  /** The transfer that the block's logs show; null when they show none. */
  readonly hint: SeenTransfer | null
  tries: number
  /** When to ask for it again. */
  againAt: Instant
}

/** What a provider shows in a block beyond what its reader showed. */
export interface Beside<Who> {
  readonly provider: Who
  readonly applied: AppliedBlock
}

/** The answers of one provider about one block. */
interface Voice {
  /** Its logs of the block with their receipts; null before it has shown its logs. */
  contents: BlockContents | null
  /** How often it was asked for its logs. */
  asks: number
  readonly receipts: Map<string, Promise<Receipt | null>>
  /** Its latest vote on each transaction. */
  readonly votes: Map<string, Vote>
}

/**
 * A provider that does not know a block after this many questions is not asked for its logs again.
 */
const asksMax = 8

/** One block, its inclusions that concern us, and each provider's votes on them. */
export class Ballot<Who> {
  readonly ref: BlockRef
  /** The provider that it was read from. */
  reader: Who | null = null
  /** Null until it is needed. */
  header: Header | null = null
  /** Whether all providers but its reader are asked for its logs. */
  wantsLogs = false
  /** Whether sums are on record for it: its logs then show the transfers that they add up. */
  isReread = false
  /** Its transactions on record; null while the block is not on record. */
  recorded: Set<string> | null = null
  /** Steps since it was reported. */
  age = 0
  /** Whether it was counted against its reader that it hid part of the block. */
  isBlamed = false
  /** By transaction. */
  readonly doubts = new Map<string, Doubt>()
  /** Doubtful transactions that were confirmed; reported with the next step. */
  readonly found: Beside<Who>[] = []
  /** By transaction. */
  readonly inclusions = new Map<string, Corroborated>()
  readonly voices = new Map<Who, Voice>()

  constructor(ref: BlockRef) {
    this.ref = ref
  }

  voice(who: Who): Voice {
    const none = { contents: null, asks: 0, receipts: new Map(), votes: new Map() }
    const voice = this.voices.get(who) ?? none
    this.voices.set(who, voice)
    return voice
  }

  /**
   * Adds an inclusion. If its number of transfers has changed, all earlier votes on it are dropped.
   */
  include(inclusion: Corroborated): void {
    const { txHash, transfers } = inclusion
    if (this.inclusions.get(txHash)?.transfers.length === transfers.length) return
    this.inclusions.set(txHash, inclusion)
    for (const { votes } of this.voices.values()) votes.delete(txHash)
  }

  /** The providers whose latest vote on a transaction is this one. */
  votersFor(txHash: string, vote: Vote): readonly Who[] {
    return [...this.voices]
      .filter(([, { votes }]) => votes.get(txHash) === vote)
      .map(([who]) => who)
  }

  /** Whether a transaction that may concern us is still to be confirmed, or to be reported. */
  get isDoubtful(): boolean {
    return this.doubts.size > 0 || this.found.length > 0
  }

  /** The questions to a provider until it shows every known inclusion of the block. */
  missing(who: Who, isComplete: (contents: BlockContents) => boolean): BallotQuestion[] {
    const { contents = null, asks = 0, votes } = this.voices.get(who) ?? {}
    const isUnanswered = contents === null ? asks < asksMax : !isComplete(contents)
    const logs = this.wantsLogs && this.reader !== who && isUnanswered
    const unsure = [...this.inclusions.values()].filter(
      ({ txHash }) => votes?.get(txHash) !== 'shows' || this.isDenied(txHash),
    )
    return [...(logs ? (['logs'] as const) : []), ...unsure, ...this.doubts.values()]
  }

  /** Whether a provider denies it: then those that show it are asked again too. */
  isDenied(txHash: string): boolean {
    return this.votersFor(txHash, 'denies').length > 0
  }

  /**
   * Whether as many providers deny a transaction on record as show it, and at least one shows it.
   */
  get isContradicted(): boolean {
    return [...(this.recorded ?? [])].some((txHash) => {
      const shows = this.votersFor(txHash, 'shows').length
      return shows > 0 && this.votersFor(txHash, 'denies').length >= shows
    })
  }

  /** Whether a provider denies a transaction on record. */
  get isOpen(): boolean {
    return [...(this.recorded ?? [])].some((txHash) => this.isDenied(txHash))
  }
}

/** The vote that a receipt means for an inclusion; null when it is of another block. */
export function voteOf(
  receipt: Receipt,
  { block, transfers }: Corroborated,
  tokens: ReadonlySet<string>,
): Vote | null {
  if (receipt.blockHash !== block.hash) return null
  const isShown = receipt.succeeded && transfers.every((one) => holds(receipt, one, tokens))
  return isShown ? 'shows' : 'denies'
}

/**
 * Whether the log at that index moves the same money. A transfer without a log is decided by status
 * and block alone.
 */
function holds(receipt: Receipt, transfer: SeenTransfer, tokens: ReadonlySet<string>): boolean {
  const { part } = transfer
  if (typeof part !== 'number') return true
  const found = transferIn(receipt.logs[part], tokens)
  if (found === null) return false
  // The receipt identifies its transaction, not the fields of the log.
  const log = { ...found.log, transactionHash: receipt.txHash }
  const shown = tokenTransferAt({ ...found, log }, part)
  return shown !== null && sameFields.every((field) => shown[field] === transfer[field])
}

const sameFields = ['token', 'from', 'to', 'amount', 'txHash'] as const
