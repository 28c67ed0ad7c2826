import type { Corroborated, WatchSet } from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import { bloomTest } from '../block/bloom.ts'
import { tokenTransfers, transferTopic } from '../block/logs.ts'
import { isComplete, isSame, judge, missingOf, movesIn } from '../block/verdict.ts'
import { isHash } from '../node/hex.ts'
import { inParallel } from '../node/in-parallel.ts'
import { atOnce, type FollowerLimits } from '../node/limits.ts'
import type { EvmNode, Header, Receipt } from '../node/node.ts'
import type { Provider } from '../provider/provider.ts'
import { type Ballot, type BallotQuestion, type Doubt, type Vote, voteOf } from './ballot.ts'
import { bareOf, inclusionsOf, kept } from './beside.ts'
import { BlockReader } from './blocks.ts'

/** The vote of a provider on a transaction. */
export interface CastVote {
  readonly who: Provider
  readonly txHash: string
  readonly vote: Vote
}

interface QuestionsParts {
  readonly tokens: readonly string[]
  readonly watch: WatchSet
  readonly clock: Clock
  readonly limits: FollowerLimits
  /** Called with each vote on an inclusion. */
  readonly onVote: (ballot: Ballot<Provider>, cast: CastVote) => void
}

/** The most open questions to one provider; further ones are asked at a later head. */
const owedMax = 256

/** Asks providers the open questions of ballots: none twice at a time, and few in parallel. */
export class Questions {
  readonly #parts: QuestionsParts
  readonly #tokens: ReadonlySet<string>
  readonly #mayHold: (logsBloom: unknown) => boolean
  readonly #reader: BlockReader
  /** The open questions per provider, by block and transaction. */
  readonly #owed = new Map<Provider, Map<string, Promise<unknown>>>()

  constructor(parts: QuestionsParts) {
    this.#parts = parts
    this.#tokens = new Set(parts.tokens)
    this.#mayHold = bloomTest(parts.tokens, transferTopic)
    this.#reader = new BlockReader(parts)
  }

  /** Whether the provider has no open question. */
  isFree(provider: Provider): boolean {
    return !this.#owed.get(provider)?.size
  }

  /**
   * Asks the questions that `picks` selects; resolves when each succeeded or failed. Never rejects.
   */
  async ask(
    provider: Provider,
    ballots: Iterable<Ballot<Provider>>,
    picks: (question: BallotQuestion, ballot: Ballot<Provider>) => boolean,
  ): Promise<void> {
    if (!provider.isUp) return
    const owed = this.#owed.get(provider) ?? new Map<string, Promise<unknown>>()
    this.#owed.set(provider, owed)
    const questions = [...ballots].flatMap((ballot) =>
      ballot
        .missing(provider, (contents) => isComplete(contents, this.#parts.watch))
        .filter((question) => picks(question, ballot))
        .map((question) => {
          const of = question === 'logs' ? question : question.txHash
          return { ballot, question, key: `${ballot.ref.hash} ${of}` }
        }),
    )
    const due = questions.filter(({ key }) => !owed.has(key)).slice(0, owedMax - owed.size)
    const answered = inParallel(due, atOnce.questions, async ({ ballot, question, key }) => {
      // A question that fails now is asked again later.
      await this.#answer(provider, ballot, question).catch(() => undefined)
      owed.delete(key)
    })
    for (const { key } of due) owed.set(key, answered)
    await Promise.all(questions.map(({ key }) => owed.get(key)))
  }

  async #answer(who: Provider, ballot: Ballot<Provider>, question: BallotQuestion): Promise<void> {
    if (who.visit === null) return
    const { node } = who.visit
    if (question === 'logs') return this.#readLogs(who, node, ballot)
    if ('hint' in question) return this.#checkDoubt(who, node, { ballot, doubt: question })
    const { txHash, block } = question
    const { receipts, votes } = ballot.voice(who)
    let vote: Vote | null
    if (isHash(txHash)) {
      // After an earlier vote the receipt is fetched again: a node may lag behind its own blocks.
      if (votes.has(txHash)) receipts.delete(txHash)
      const receipt = await receiptOf(node, receipts, { txHash, blockHash: block.hash })
      vote =
        receipt === null ? await absenceOf(node, question) : voteOf(receipt, question, this.#tokens)
    } else {
      // A balance change has no receipt: the provider confirms it by having the same block.
      vote = (await who.hashAt(block.number, true)) === block.hash ? 'shows' : null
    }
    // The inclusion may have grown meanwhile.
    if (vote !== null && ballot.inclusions.get(txHash) === question)
      this.#parts.onVote(ballot, { who, txHash, vote })
  }

  /**
   * Resolves a doubt once a provider shows the receipt with every transfer that the logs showed.
   */
  async #checkDoubt(
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

  async #readLogs(who: Provider, node: EvmNode, ballot: Ballot<Provider>): Promise<void> {
    const { tokens, watch, limits } = this.#parts
    const { hash: blockHash } = ballot.ref
    const header = ballot.header ?? (await node.byHash(blockHash, false))
    if (header === null) return
    ballot.header = bareOf(header)
    const voice = ballot.voice(who)
    if (voice.contents === null) {
      voice.asks++
      const logs = await node.logs(blockHash, tokens, transferTopic)
      // A provider that does not know the block has no vote.
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
        ballot.recorded?.add(inclusion.txHash)
        this.#parts.onVote(ballot, { who, txHash: inclusion.txHash, vote: 'shows' })
      }
    }
    voice.contents = kept(contents, ballot, watch)
  }

  /** Whether an empty answer may only mean that the provider does not have the block's logs yet. */
  #isDoubtful({ head }: Provider, { ref, logsBloom }: Header): boolean {
    if (head === null || head.ref.number < ref.number) return true
    return this.#mayHold(head.ref.hash === ref.hash ? head.logsBloom : logsBloom)
  }
}

/** Fetches a receipt once for all purposes, and again only if it is missing or of another block. */
function receiptOf(
  node: EvmNode,
  receipts: Map<string, Promise<Receipt | null>>,
  { txHash, blockHash }: { readonly txHash: string; readonly blockHash: string },
): Promise<Receipt | null> {
  const known = receipts.get(txHash)
  if (known !== undefined) return known
  const requested = node.receipt(txHash)
  receipts.set(txHash, requested)
  const forget = (): boolean => receipts.delete(txHash)
  requested.then((receipt) => receipt?.blockHash === blockHash || forget(), forget)
  return requested
}

/** A missing receipt may be late; a block that does not list the transaction is a denial. */
async function absenceOf(node: EvmNode, { txHash, block }: Corroborated): Promise<Vote | null> {
  const same = await node.byHash(block.hash, false)
  // An unreadable transaction of the block may be this one.
  const isListed = same?.odd?.some((one) => one.txHash === null) === true
  return !isListed && same?.txHashes?.includes(txHash) === false ? 'denies' : null
}
