import type { Corroborated, WatchSet } from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import { bloomTest } from '../block/bloom.ts'
import { tokenTransfers, transferTopic } from '../block/logs.ts'
import { isComplete, isSame, judge, missingOf, movesIn } from '../block/verdict.ts'
import { isHash } from '../node/hex.ts'
import { inParallel } from '../node/in-parallel.ts'
import { atOnce, type Limits } from '../node/limits.ts'
import type { EvmNode, Header, Receipt } from '../node/node.ts'
import type { Provider } from '../provider/provider.ts'
import { type Ballot, type Doubt, type Question, type Word, wordOf } from './ballot.ts'
import { bareOf, inclusionsOf, kept } from './beside.ts'
import { BlockReader } from './blocks.ts'

/** What a provider says of a transaction. */
export interface Said {
  readonly who: Provider
  readonly txHash: string
  readonly word: Word
}

interface Parts {
  readonly tokens: readonly string[]
  readonly watch: WatchSet
  readonly clock: Clock
  readonly limits: Limits
  /** A provider has said something of an inclusion. */
  readonly said: (ballot: Ballot<Provider>, said: Said) => void
}

/** Questions that one provider may owe an answer to; more are asked with a later head. */
const owedMax = 256

/** Asks providers what ballots miss: no question twice at a time, and few at once. */
export class Questions {
  readonly #parts: Parts
  readonly #tokens: ReadonlySet<string>
  readonly #mayHold: (logsBloom: unknown) => boolean
  readonly #reader: BlockReader
  /** Per provider what it was asked and has not answered, by block and transaction. */
  readonly #owed = new Map<Provider, Map<string, Promise<unknown>>>()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#tokens = new Set(parts.tokens)
    this.#mayHold = bloomTest(parts.tokens, transferTopic)
    this.#reader = new BlockReader(parts)
  }

  /** Whether it owes no answer. */
  isFree(provider: Provider): boolean {
    return !this.#owed.get(provider)?.size
  }

  /** Asks what is missing and picked; resolves when all of it is answered, or cannot be now. Never rejects. */
  async ask(
    provider: Provider,
    ballots: Iterable<Ballot<Provider>>,
    picks: (question: Question, ballot: Ballot<Provider>) => boolean,
  ): Promise<void> {
    if (!provider.isUp) return
    const owed = this.#owed.get(provider) ?? new Map<string, Promise<unknown>>()
    this.#owed.set(provider, owed)
    const asked = [...ballots].flatMap((ballot) =>
      ballot
        .missing(provider, (contents) => isComplete(contents, this.#parts.watch))
        .filter((question) => picks(question, ballot))
        .map((question) => {
          const of = question === 'logs' ? question : question.txHash
          return { ballot, question, key: `${ballot.ref.hash} ${of}` }
        }),
    )
    const due = asked.filter(({ key }) => !owed.has(key)).slice(0, owedMax - owed.size)
    const answered = inParallel(due, atOnce.questions, async ({ ballot, question, key }) => {
      // What cannot be answered now is asked with the next head.
      await this.#answer(provider, ballot, question).catch(() => undefined)
      owed.delete(key)
    })
    for (const { key } of due) owed.set(key, answered)
    await Promise.all(asked.map(({ key }) => owed.get(key)))
  }

  async #answer(who: Provider, ballot: Ballot<Provider>, question: Question): Promise<void> {
    if (who.visit === null) return
    const { node } = who.visit
    if (question === 'logs') return this.#hearLogs(who, node, ballot)
    if ('hint' in question) return this.#hearDoubt(who, node, { ballot, doubt: question })
    const { txHash, block } = question
    const { receipts, words } = ballot.voice(who)
    let word: Word | null
    if (isHash(txHash)) {
      // What was denied is asked anew: a node may lag behind its own blocks.
      if (words.has(txHash)) receipts.delete(txHash)
      const receipt = await receiptOf(node, receipts, { txHash, blockHash: block.hash })
      word =
        receipt === null ? await absenceOf(node, question) : wordOf(receipt, question, this.#tokens)
    } else {
      // What a block did to a balance has no receipt: that it is the same block must do.
      word = (await who.hashAt(block.number, true)) === block.hash ? 'shows' : null
    }
    // It may have grown while it was asked about.
    if (word !== null && ballot.inclusions.get(txHash) === question)
      this.#parts.said(ballot, { who, txHash, word })
  }

  /** What was in doubt is certain once a provider shows its receipt, with all that the logs showed. */
  async #hearDoubt(
    provider: Provider,
    node: EvmNode,
    { ballot, doubt }: { readonly ballot: Ballot<Provider>; readonly doubt: Doubt },
  ): Promise<void> {
    const { txHash, hint } = doubt
    const { ref: block, doubts } = ballot
    const { receipts } = ballot.voice(provider)
    const receipt = await receiptOf(node, receipts, { txHash, blockHash: block.hash })
    if (receipt?.blockHash !== block.hash || doubts.get(txHash) !== doubt) return
    const transfers = receipt.succeeded ? movesIn(receipt, this.#tokens, this.#parts.watch) : []
    if (hint !== null && receipt.succeeded && !transfers.some((one) => isSame(one, hint))) {
      receipts.delete(txHash)
      return
    }
    doubts.delete(txHash)
    if (transfers.length === 0) return
    ballot.found.push({ provider, applied: { block, transfers, movedNothing: [] } })
  }

  async #hearLogs(who: Provider, node: EvmNode, ballot: Ballot<Provider>): Promise<void> {
    const { tokens, watch, limits } = this.#parts
    const { hash: blockHash } = ballot.ref
    const header = ballot.header ?? (await node.byHash(blockHash, false))
    if (header === null) return
    ballot.header = bareOf(header)
    const voice = ballot.voice(who)
    if (voice.contents === null) {
      voice.asks++
      const logs = await node.logs(blockHash, tokens, transferTopic)
      // Who does not know the block has said nothing of it.
      if (logs === null) return
      const isEmpty = logs.length === 0 && voice.asks <= limits.emptyLogsAskedAgain
      if (isEmpty && this.#isDoubtful(who, header)) return
      const transfers = tokenTransfers(logs, this.#tokens, blockHash)
      const none = { txHashes: [], values: [], inner: [], found: null }
      voice.contents = {
        ...none,
        header: ballot.header,
        transfers,
        receipts: new Map(),
        calls: new Map(),
      }
    }
    const { contents, receipts } = voice
    for (const txHash of missingOf(contents, watch).receipts) {
      const receipt = await receiptOf(node, receipts, { txHash, blockHash })
      if (receipt?.blockHash !== blockHash) return
      contents.receipts.set(txHash, receipt)
    }
    if (!isComplete(contents, watch)) await this.#reader.complete(node, [contents])
    if (ballot.isReread) {
      for (const inclusion of inclusionsOf(judge(contents, watch))) {
        ballot.include(inclusion)
        ballot.told?.add(inclusion.txHash)
        this.#parts.said(ballot, { who, txHash: inclusion.txHash, word: 'shows' })
      }
    }
    voice.contents = kept(contents, ballot, watch)
  }

  /** Whether an empty answer may only mean that it has not got to the block's logs yet. */
  #isDoubtful({ head }: Provider, { ref, logsBloom }: Header): boolean {
    if (head === null || head.ref.number < ref.number) return true
    return this.#mayHold(head.ref.hash === ref.hash ? head.logsBloom : logsBloom)
  }
}

/** Asked for once, whatever it is needed for, and again only as long as it is not there. */
function receiptOf(
  node: EvmNode,
  receipts: Map<string, Promise<Receipt | null>>,
  { txHash, blockHash }: { readonly txHash: string; readonly blockHash: string },
): Promise<Receipt | null> {
  const known = receipts.get(txHash)
  if (known !== undefined) return known
  const asked = node.receipt(txHash)
  receipts.set(txHash, asked)
  const forget = (): boolean => receipts.delete(txHash)
  asked.then((receipt) => receipt?.blockHash === blockHash || forget(), forget)
  return asked
}

/** A receipt may be late; a block that does not hold the transaction never will. */
async function absenceOf(node: EvmNode, { txHash, block }: Corroborated): Promise<Word | null> {
  const same = await node.byHash(block.hash, false)
  // An item that cannot be read may be this one.
  const isListed = same?.odd?.some((one) => one.txHash === null) === true
  return !isListed && same?.txHashes?.includes(txHash) === false ? 'denies' : null
}
