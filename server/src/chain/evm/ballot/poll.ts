import type { BlockRef, Source } from '@settlewire/core/payment/observation'
import type {
  AppliedBlock,
  ChainStep,
  Corroborated,
  Sighting,
  WatchSet,
} from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Log } from '../../../ports/log.ts'
import type { Stop } from '../../../ports/stop.ts'
import { type BlockContents, doubtful, isSame } from '../block/verdict.ts'
import { backoffMs } from '../node/backoff.ts'
import { isHash } from '../node/hex.ts'
import type { FollowerLimits } from '../node/limits.ts'
import type { Header } from '../node/node.ts'
import { within } from '../node/within.ts'
import type { Provider } from '../provider/provider.ts'
import { Ballot, type BallotQuestion, type Beside, type Vote } from './ballot.ts'
import { bareOf, inclusionsOf, isSum, kept, moreIn } from './beside.ts'
import { type CastVote, Questions } from './questions.ts'

interface ProviderPollParts {
  readonly providers: readonly Provider[]
  readonly tokens: readonly string[]
  readonly watch: WatchSet
  readonly clock: Clock
  readonly limits: FollowerLimits
  readonly log: Log
  /** Reports a doubtful transaction as pending until a provider shows it completely. */
  readonly sighted: (provider: Provider, sighting: Sighting) => void
  /** Reports the vote of a provider on an inclusion on record. May repeat. */
  readonly report: (source: Source, vote: Vote, inclusion: Corroborated) => void
}

/** Blocks without payments that are kept for providers that have not answered yet. */
const emptyMax = 512
/** A final block is asked about for this many more steps: it may have been read late. */
const stepsAfterFinal = 16
/**
 * Doubtful transactions: asked for within a second at first, at last within 5 min, and for about 12
 * hours: the jitter halves the mean wait.
 */
const doubtLimits = { backoff: { baseMs: 1_000, maxMs: 300_000 }, triesMax: 300 }

/**
 * Asks every provider about each block that was read from one of them: for its logs, so that no
 * single provider, whether lagging or lying, can hide a payment; and for the receipt of each
 * payment. Answers that come in time go with the step, later ones are reported separately: a
 * provider is asked again at each of its heads, or by a timer if none come, until it shows the
 * same, or the block is reverted, final or old, or too many others wait. If a block was stored
 * without a transaction that may be ours, all providers, including its reader, are asked until one
 * shows it: so no payment is lost silently, and the chain is not held up.
 */
export class ProviderPoll {
  readonly #parts: ProviderPollParts
  readonly #questions: Questions
  /** By block, oldest first. */
  readonly #ballots = new Map<string, Ballot<Provider>>()
  readonly #later = new Map<Provider, Stop>()
  #isClosed = false

  constructor(parts: ProviderPollParts) {
    this.#parts = parts
    this.#questions = new Questions({
      ...parts,
      onVote: (ballot, cast) => this.#addVote(ballot, cast),
    })
  }

  /**
   * Whether as many providers deny a transaction on record as show it, and at least one shows it.
   */
  get isContradicted(): boolean {
    return [...this.#ballots.values()].some((ballot) => ballot.isContradicted)
  }

  /**
   * Asks for logs. Resolves when each provider that had no open question has answered or failed.
   * Never rejects.
   */
  async open(headers: readonly Header[], reader: Provider): Promise<void> {
    const { providers, tokens } = this.#parts
    if (providers.length < 2 || tokens.length === 0) return
    const ballots = headers.map((header) => {
      const known = this.#ballots.get(header.ref.hash)
      if (known !== undefined && known.recorded !== null) this.#ballots.delete(known.ref.hash)
      // Drops the reader's list of transactions, since that is what must be verified.
      const bare = bareOf(header)
      return Object.assign(this.#ballotOf(header.ref), { header: bare, wantsLogs: true, reader })
    })
    const waited = providers.map((provider) => {
      const isPrompt = this.#questions.isFree(provider)
      const answered = this.#questions.ask(provider, ballots, (question) => question === 'logs')
      return isPrompt ? answered : null
    })
    await Promise.all(waited)
  }

  /**
   * Transfers in these blocks, or in canonical ones reported before, that are not reported yet:
   * another provider shows them, or the reader when it was asked again. Each is returned once.
   */
  beside(
    applied: readonly AppliedBlock[],
    isCanonical: (block: BlockRef) => boolean,
  ): Beside<Provider>[] {
    const fresh = new Map(applied.map((block) => [block.block.hash, block]))
    const found: Beside<Provider>[] = []
    for (const ballot of this.#ballots.values()) {
      const inStep = fresh.get(ballot.ref.hash)
      if (inStep === undefined && (ballot.recorded === null || !isCanonical(ballot.ref))) continue
      const shown = {
        transfers: inStep?.transfers ?? [],
        taken: new Set(inStep === undefined ? ballot.recorded : []),
      }
      found.push(...ballot.found)
      for (const { applied } of ballot.found) {
        for (const { txHash } of applied.transfers) shown.taken.add(txHash)
      }
      for (const [provider, { contents }] of ballot.voices) {
        const more = contents === null ? null : moreIn(contents, shown, this.#parts.watch)
        if (more === null) continue
        for (const { txHash } of more.transfers) shown.taken.add(txHash)
        if (!ballot.isBlamed && ballot.reader !== null) ballot.reader.score.logsEmpty++
        ballot.isBlamed = true
        found.push({ provider, applied: more })
      }
    }
    return found
  }

  /**
   * Asks about the payments that one provider shows, before they are reported, and waits a short
   * time. Never rejects.
   */
  async settle(applied: readonly AppliedBlock[], shownBy: Provider): Promise<void> {
    const { providers, clock, limits } = this.#parts
    const paying = applied.filter(({ transfers }) => transfers.length > 0)
    if (providers.length < 2 || paying.length === 0) return
    const ballots = paying.map((block) => {
      const ballot = this.#ballotOf(block.block)
      for (const inclusion of inclusionsOf(block)) {
        ballot.include(inclusion)
        ballot.voice(shownBy).votes.set(inclusion.txHash, 'shows')
      }
      return ballot
    })
    const answered = providers.map((who) =>
      this.#questions.ask(who, ballots, (question, { ref }) => {
        return isInclusion(question) && ref.number <= headOf(who)
      }),
    )
    await within(clock, Promise.all(answered), limits.corroborateWithinMs)
  }

  /** The block with all votes on its transactions so far, its own source first. */
  withVotes(applied: AppliedBlock, { source }: Provider): AppliedBlock {
    const inclusions = inclusionsOf(applied)
    const ballot = this.#ballots.get(applied.block.hash)
    const by = (vote: Vote, { txHash, transfers }: Corroborated): Source[] => {
      const voted = ballot?.inclusions.get(txHash)
      if (ballot === undefined || voted?.transfers.length !== transfers.length) return []
      return ballot.votersFor(txHash, vote).map((provider) => provider.source)
    }
    const deniedBy = inclusions.map((one) => [one.txHash, by('denies', one)] as const)
    const sources = inclusions.map((one) => {
      return [one.txHash, [...new Set([source, ...by('shows', one)])]] as const
    })
    return {
      ...applied,
      ...(sources.length > 0 && { sources: new Map(sources) }),
      ...(deniedBy.some(([, who]) => who.length > 0) && { deniedBy: new Map(deniedBy) }),
    }
  }

  /**
   * Records that the step was stored with its votes; these are its blocks, read from this provider.
   */
  stored(step: ChainStep, blocks: readonly BlockContents[], reader: Provider): void {
    const { providers, limits } = this.#parts
    for (const { hash } of step.reverted) this.#ballots.delete(hash)
    for (const ballot of this.#ballots.values()) {
      if (ballot.recorded !== null && ballot.age++ > this.#ageMax(ballot, step)) {
        this.#ballots.delete(ballot.ref.hash)
      }
    }
    for (const applied of [...step.applied, ...(step.late ?? [])]) this.#addRecorded(applied, step)
    for (const block of blocks) this.#doubt(block, step, reader)
    const all = Object.groupBy(this.#ballots.values(), ({ inclusions, isDoubtful }) =>
      inclusions.size > 0 || isDoubtful ? 'paying' : 'empty',
    )
    const tooMany = [
      ...(all.empty ?? []).slice(0, -emptyMax),
      ...(all.paying ?? []).slice(0, -limits.corroborationsMax),
    ]
    for (const { ref } of tooMany) this.#ballots.delete(ref.hash)
    this.#askAboutDoubts()
    // A provider that already had the block sends no new head for it, so it is asked now.
    for (const provider of providers) void this.askOpenQuestions(provider)
  }

  /**
   * Asks every provider about inclusions and blocks that may be on record but whose votes are
   * unknown: an earlier process reported them, or storing them failed.
   */
  recall(inclusions: Iterable<Corroborated>, blocks: readonly BlockRef[] = []): void {
    const { providers, tokens } = this.#parts
    if (providers.length < 2) return
    // Which providers had shown their logs is unknown too: another may show what one hid.
    for (const block of tokens.length > 0 ? blocks : []) {
      const ballot = Object.assign(this.#ballotOf(block), { wantsLogs: true })
      ballot.recorded ??= new Set()
    }
    for (const inclusion of inclusions) {
      const ballot = this.#ballotOf(inclusion.block)
      ballot.recorded ??= new Set()
      if (inclusion.transfers.some(isSum)) {
        Object.assign(ballot, { wantsLogs: true, isReread: true })
        continue
      }
      ballot.include(inclusion)
      ballot.recorded.add(inclusion.txHash)
      this.#reportVotes(ballot, inclusion)
    }
    for (const provider of this.#parts.providers) void this.askOpenQuestions(provider)
  }

  /** Whether a reported block holds it, or seems to, while no provider has shown what it moved. */
  isInDoubt(txHash: string): boolean {
    return [...this.#ballots.values()].some(({ doubts }) => doubts.has(txHash))
  }

  /** This block was stored and may hold a transaction that was not reported with it. */
  doubt(block: BlockRef, txHash: string): void {
    const ballot = this.#ballotOf(block)
    ballot.recorded ??= new Set()
    if (ballot.recorded.has(txHash) || ballot.doubts.has(txHash)) return
    const againAt = this.#parts.clock.now()
    ballot.doubts.set(txHash, { txHash, hint: null, tries: 0, againAt })
    this.#askAboutDoubts()
  }

  /**
   * Asks a provider again for logs and inclusions that it has not shown. Called at its new heads,
   * after each stored step, and by a timer. Never rejects.
   */
  async askOpenQuestions(provider: Provider): Promise<void> {
    const { clock, limits } = this.#parts
    await this.#questions.ask(provider, this.#ballots.values(), (question, { ref, recorded }) => {
      if (ref.number > headOf(provider)) return false
      return question === 'logs' || (isInclusion(question) && recorded !== null)
    })
    // Without new blocks there are no heads to trigger the next question.
    this.#later.get(provider)?.()
    const isOpen = [...this.#ballots.values()].some((ballot) => {
      const { votes } = ballot.voices.get(provider) ?? {}
      const isUnsure = (one: string): boolean => votes?.get(one) !== 'shows' || ballot.isDenied(one)
      return ballot.recorded !== null && [...ballot.inclusions.keys()].some(isUnsure)
    })
    if (this.#isClosed || !provider.isUp || !isOpen) return
    this.#later.set(
      provider,
      clock.after(limits.headPollMs, () => void this.askOpenQuestions(provider)),
    )
  }

  /** Stops asking providers. */
  close(): void {
    this.#isClosed = true
    this.#ballots.clear()
    for (const stop of this.#later.values()) stop()
  }

  #ballotOf(block: BlockRef): Ballot<Provider> {
    const ballot = this.#ballots.get(block.hash) ?? new Ballot<Provider>(block)
    this.#ballots.set(block.hash, ballot)
    return ballot
  }

  /** Marks a block as on record with the votes in its step, and reports newer votes. */
  #addRecorded(applied: AppliedBlock, step: ChainStep): void {
    const { hash } = applied.block
    const isWanted = applied.transfers.length > 0 && this.#parts.providers.length > 1
    if (!this.#ballots.has(hash) && !isWanted) return
    const ballot = this.#ballotOf(applied.block)
    ballot.recorded ??= new Set()
    ballot.age = 0
    ballot.found.length = 0
    for (const inclusion of inclusionsOf(applied)) {
      const { txHash } = inclusion
      ballot.include(inclusion)
      ballot.recorded.add(txHash)
      ballot.doubts.delete(txHash)
      const sources = applied.sources?.get(txHash) ?? [step.source]
      const shown = this.#parts.providers.filter(({ source }) => sources.includes(source))
      for (const one of shown) ballot.voice(one).votes.set(txHash, 'shows')
      this.#reportVotes(ballot, inclusion, [...sources, ...(applied.deniedBy?.get(txHash) ?? [])])
    }
    for (const voice of ballot.voices.values()) {
      if (voice.contents !== null) voice.contents = kept(voice.contents, ballot, this.#parts.watch)
    }
  }

  /** Records doubtful transactions that were not reported with this block. */
  #doubt(block: BlockContents, step: ChainStep, reader: Provider): void {
    const { ref } = block.header
    const shown = step.applied.flatMap(({ transfers }) => transfers)
    for (const [txHash, hint] of doubtful(block, this.#parts.watch)) {
      if (!isHash(txHash)) continue
      if (hint !== null && shown.some((transfer) => isSame(transfer, hint))) continue
      const ballot = this.#ballotOf(ref)
      ballot.recorded ??= new Set()
      ballot.doubts.set(txHash, { txHash, hint, tries: 0, againAt: step.at })
      this.#parts.log.error(
        { blockHash: ref.hash, head: ref.number },
        'a block was stored without a transaction that no node shows completely; asking again',
      )
      if (hint === null) continue
      this.#parts.sighted(reader, { txHash, transfer: hint, contest: null, preconfirmed: false })
    }
  }

  #askAboutDoubts(): void {
    const { providers, clock } = this.#parts
    const due = new Set<BallotQuestion>()
    for (const { doubts } of this.#ballots.values()) {
      for (const doubt of doubts.values()) {
        if (doubt.againAt > clock.now()) continue
        due.add(doubt)
        doubt.againAt = clock.now() + backoffMs(doubt.tries++, doubtLimits.backoff, clock.chance())
        if (doubt.tries >= doubtLimits.triesMax) doubts.delete(doubt.txHash)
      }
    }
    if (due.size === 0) return
    for (const provider of providers) {
      void this.#questions.ask(provider, this.#ballots.values(), (question) => due.has(question))
    }
  }

  /**
   * How many steps a block is kept: longer with a doubtful transaction, or a denied one that a
   * payment still waits for.
   */
  #ageMax(ballot: Ballot<Provider>, { head }: ChainStep): number {
    const { limits, watch } = this.#parts
    const isAwaited = [...ballot.inclusions.keys()].some((txHash) => watch.tracks(txHash))
    if (ballot.isDoubtful || (isAwaited && ballot.isOpen)) return Number.POSITIVE_INFINITY
    const isFinal = head.finalized !== null && ballot.ref.number <= head.finalized
    return isFinal ? stepsAfterFinal : limits.windowBlocksMin
  }

  #addVote(ballot: Ballot<Provider>, { who, txHash, vote }: CastVote): void {
    const { votes } = ballot.voice(who)
    if (votes.get(txHash) === vote) return
    votes.set(txHash, vote)
    if (vote === 'denies') {
      for (const one of [who, ...ballot.votersFor(txHash, 'shows')]) one.score.disagreements++
    }
    const inclusion = ballot.inclusions.get(txHash)
    if (inclusion === undefined || ballot.recorded?.has(txHash) !== true) return
    this.#parts.report(who.source, vote, inclusion)
    // The providers that show it must now outnumber the denials beyond the quorum.
    if (vote === 'denies') this.#reportVotes(ballot, inclusion, [who.source])
  }

  /** Reports all votes on an inclusion, denials first, except those of providers in `known`. */
  #reportVotes(
    ballot: Ballot<Provider>,
    inclusion: Corroborated,
    known: readonly Source[] = [],
  ): void {
    for (const vote of ['denies', 'shows'] as const) {
      for (const { source } of ballot.votersFor(inclusion.txHash, vote)) {
        if (!known.includes(source)) this.#parts.report(source, vote, inclusion)
      }
    }
  }
}

/** Whether the question is about a known inclusion. */
const isInclusion = (question: BallotQuestion): question is Corroborated =>
  question !== 'logs' && 'transfers' in question

const headOf = ({ head }: Provider): number => head?.ref.number ?? -1
