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
import type { Limits } from '../node/limits.ts'
import type { Header } from '../node/node.ts'
import { within } from '../node/within.ts'
import type { Provider } from '../provider/provider.ts'
import { Ballot, type Beside, type Question, type Word } from './ballot.ts'
import { bareOf, inclusionsOf, isSum, kept, moreIn } from './beside.ts'
import { Questions, type Said } from './questions.ts'

interface Parts {
  readonly providers: readonly Provider[]
  readonly tokens: readonly string[]
  readonly watch: WatchSet
  readonly clock: Clock
  readonly limits: Limits
  readonly log: Log
  /** Until a transaction that is in doubt is shown whole it is as good as pending. */
  readonly sighted: (provider: Provider, sighting: Sighting) => void
  /** What a provider says of an inclusion that is on record. May repeat. */
  readonly tell: (source: Source, word: Word, inclusion: Corroborated) => void
}

/** Blocks without money that are remembered for who has not answered yet. */
const emptyMax = 512
/** What is final already is asked about for so many more steps: it may have been read late. */
const stepsAfterFinal = 16
/** What is in doubt is asked for at first within a second, at last every five minutes, for about a day. */
const doubted = { backoff: { baseMs: 1_000, maxMs: 300_000 }, triesMax: 300 }

/**
 * Asks every provider about every block that one was read for: which logs it shows, so that no single
 * provider, be it behind or lying, can hide a payment; and for what pays us whether it shows the same
 * receipt. What is answered in time goes with the step, the rest is told later: each provider is asked
 * again with its heads, or by the clock where none come, until it shows the same, or the block is
 * undone, or has been final for a while. What may be ours in a block that was passed without it is
 * asked of all, the one it was read from too, until one shows it: so nothing is lost in silence, and
 * nothing is held up by it.
 */
export class Poll {
  readonly #parts: Parts
  readonly #questions: Questions
  /** By block, oldest first. */
  readonly #ballots = new Map<string, Ballot<Provider>>()
  readonly #later = new Map<Provider, Stop>()
  #isClosed = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#questions = new Questions({ ...parts, said: (ballot, said) => this.#said(ballot, said) })
  }

  /** Whether of something on record as many say that it is not so as show it, and somebody shows it. */
  get isContradicted(): boolean {
    return [...this.#ballots.values()].some((ballot) => ballot.isContradicted)
  }

  /** Asks for logs. Resolves when all have answered that owed no answer before. Never rejects. */
  async open(headers: readonly Header[], reader: Provider): Promise<void> {
    const { providers, tokens } = this.#parts
    if (providers.length < 2 || tokens.length === 0) return
    const ballots = headers.map((header) => {
      const known = this.#ballots.get(header.ref.hash)
      if (known !== undefined && known.told !== null) this.#ballots.delete(known.ref.hash)
      // The reader's word for what is in the block is what is in doubt.
      const bare = bareOf(header)
      return Object.assign(this.#ballotOf(header.ref), { header: bare, wantsLogs: true, reader })
    })
    const waited = providers.map((provider) => {
      const isPrompt = this.#questions.isFree(provider)
      const asked = this.#questions.ask(provider, ballots, (question) => question === 'logs')
      return isPrompt ? asked : null
    })
    await Promise.all(waited)
  }

  /** What is not among these blocks, nor was told of canonical ones before. Each is told once. */
  beside(
    applied: readonly AppliedBlock[],
    isCanonical: (block: BlockRef) => boolean,
  ): Beside<Provider>[] {
    const fresh = new Map(applied.map((block) => [block.block.hash, block]))
    const found: Beside<Provider>[] = []
    for (const ballot of this.#ballots.values()) {
      const inStep = fresh.get(ballot.ref.hash)
      if (inStep === undefined && (ballot.told === null || !isCanonical(ballot.ref))) continue
      const shown = {
        transfers: inStep?.transfers ?? [],
        taken: new Set(inStep === undefined ? ballot.told : []),
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

  /** Asks about what one provider shows before it is told, and waits a short time. Never rejects. */
  async settle(applied: readonly AppliedBlock[], shownBy: Provider): Promise<void> {
    const { providers, clock, limits } = this.#parts
    const paying = applied.filter(({ transfers }) => transfers.length > 0)
    if (providers.length < 2 || paying.length === 0) return
    const ballots = paying.map((block) => {
      const ballot = this.#ballotOf(block.block)
      for (const inclusion of inclusionsOf(block)) {
        ballot.include(inclusion)
        ballot.voice(shownBy).words.set(inclusion.txHash, 'shows')
      }
      return ballot
    })
    const asked = providers.map((who) =>
      this.#questions.ask(who, ballots, (question, { ref }) => {
        return isInclusion(question) && ref.number <= headOf(who)
      }),
    )
    await within(clock, Promise.all(asked), limits.corroborateWithinMs)
  }

  /** The block with who shows and who denies each of its transactions by now, its own source first. */
  withWords(applied: AppliedBlock, { source }: Provider): AppliedBlock {
    const inclusions = inclusionsOf(applied)
    const ballot = this.#ballots.get(applied.block.hash)
    const by = (word: Word, { txHash, transfers }: Corroborated): Source[] => {
      const asked = ballot?.inclusions.get(txHash)
      if (ballot === undefined || asked?.transfers.length !== transfers.length) return []
      return ballot.saying(txHash, word).map((provider) => provider.source)
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

  /** The step is stored, with the words that it was told with: of these blocks, read from this provider. */
  stored(step: ChainStep, blocks: readonly BlockContents[], reader: Provider): void {
    const { providers, limits } = this.#parts
    for (const { hash } of step.reverted) this.#ballots.delete(hash)
    for (const ballot of this.#ballots.values()) {
      if (ballot.told !== null && ballot.age++ > this.#ageMax(ballot, step)) {
        this.#ballots.delete(ballot.ref.hash)
      }
    }
    for (const applied of [...step.applied, ...(step.late ?? [])]) this.#wasTold(applied, step)
    for (const block of blocks) this.#doubt(block, step, reader)
    const all = Object.groupBy(this.#ballots.values(), ({ inclusions, isDoubtful }) =>
      inclusions.size > 0 || isDoubtful ? 'paying' : 'empty',
    )
    const tooMany = [
      ...(all.empty ?? []).slice(0, -emptyMax),
      ...(all.paying ?? []).slice(0, -limits.corroborationsMax),
    ]
    for (const { ref } of tooMany) this.#ballots.delete(ref.hash)
    this.#askDoubted()
    // Who had the block before it was stored has told no new head since.
    for (const provider of providers) void this.heard(provider)
  }

  /** On record, perhaps, and it is not known who shows it: told by an earlier process, or in doubt. */
  recall(inclusions: Iterable<Corroborated>, blocks: readonly BlockRef[] = []): void {
    const { providers, tokens } = this.#parts
    if (providers.length < 2) return
    // Nor who else had shown their logs by then: what one hid, another shows.
    for (const block of tokens.length > 0 ? blocks : []) {
      const ballot = Object.assign(this.#ballotOf(block), { wantsLogs: true })
      ballot.told ??= new Set()
    }
    for (const inclusion of inclusions) {
      const ballot = this.#ballotOf(inclusion.block)
      ballot.told ??= new Set()
      if (inclusion.transfers.some(isSum)) {
        Object.assign(ballot, { wantsLogs: true, isReread: true })
        continue
      }
      ballot.include(inclusion)
      ballot.told.add(inclusion.txHash)
      this.#tell(ballot, inclusion)
    }
    for (const provider of this.#parts.providers) void this.heard(provider)
  }

  /** Whether some block that was told holds it, or seems to, and nobody has shown what it moved. */
  isInDoubt(txHash: string): boolean {
    return [...this.#ballots.values()].some(({ doubts }) => doubts.has(txHash))
  }

  /** This block was passed, and may hold a transaction that was not told with it. */
  doubt(block: BlockRef, txHash: string): void {
    const ballot = this.#ballotOf(block)
    ballot.told ??= new Set()
    if (ballot.told.has(txHash) || ballot.doubts.has(txHash)) return
    const againAt = this.#parts.clock.now()
    ballot.doubts.set(txHash, { txHash, hint: null, tries: 0, againAt })
    this.#askDoubted()
  }

  /** A provider has a new head, so it may show what it did not show before. Never rejects. */
  async heard(provider: Provider): Promise<void> {
    const { clock, limits } = this.#parts
    await this.#questions.ask(provider, this.#ballots.values(), (question, { ref, told }) => {
      if (ref.number > headOf(provider)) return false
      return question === 'logs' || (isInclusion(question) && told !== null)
    })
    // A chain that stands still has no heads to go by.
    this.#later.get(provider)?.()
    const isOpen = [...this.#ballots.values()].some((ballot) => {
      const { words } = ballot.voices.get(provider) ?? {}
      const isUnsure = (one: string): boolean => words?.get(one) !== 'shows' || ballot.isDenied(one)
      return ballot.told !== null && [...ballot.inclusions.keys()].some(isUnsure)
    })
    if (this.#isClosed || !provider.isUp || !isOpen) return
    this.#later.set(
      provider,
      clock.after(limits.headPollMs, () => void this.heard(provider)),
    )
  }

  /** Asks nobody any more. */
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

  /** It is on record, with the words that went with it; what was said since is told. */
  #wasTold(applied: AppliedBlock, step: ChainStep): void {
    const { hash } = applied.block
    const isWanted = applied.transfers.length > 0 && this.#parts.providers.length > 1
    if (!this.#ballots.has(hash) && !isWanted) return
    const ballot = this.#ballotOf(applied.block)
    ballot.told ??= new Set()
    ballot.age = 0
    ballot.found.length = 0
    for (const inclusion of inclusionsOf(applied)) {
      const { txHash } = inclusion
      ballot.include(inclusion)
      ballot.told.add(txHash)
      ballot.doubts.delete(txHash)
      const sources = applied.sources?.get(txHash) ?? [step.source]
      const shown = this.#parts.providers.filter(({ source }) => sources.includes(source))
      for (const one of shown) ballot.voice(one).words.set(txHash, 'shows')
      this.#tell(ballot, inclusion, [...sources, ...(applied.deniedBy?.get(txHash) ?? [])])
    }
    for (const voice of ballot.voices.values()) {
      if (voice.contents !== null) voice.contents = kept(voice.contents, ballot, this.#parts.watch)
    }
  }

  /** Of this block something may be ours that was not told with it. */
  #doubt(block: BlockContents, step: ChainStep, reader: Provider): void {
    const { ref } = block.header
    const shown = step.applied.flatMap(({ transfers }) => transfers)
    for (const [txHash, hint] of doubtful(block, this.#parts.watch)) {
      if (!isHash(txHash)) continue
      if (hint !== null && shown.some((transfer) => isSame(transfer, hint))) continue
      const ballot = this.#ballotOf(ref)
      ballot.told ??= new Set()
      ballot.doubts.set(txHash, { txHash, hint, tries: 0, againAt: step.at })
      this.#parts.log.error(
        { blockHash: ref.hash, head: ref.number },
        'a block was passed without a transaction that no node shows whole; it is asked for again',
      )
      if (hint === null) continue
      this.#parts.sighted(reader, { txHash, transfer: hint, contest: null, preconfirmed: false })
    }
  }

  #askDoubted(): void {
    const { providers, clock } = this.#parts
    const due = new Set<Question>()
    for (const { doubts } of this.#ballots.values()) {
      for (const doubt of doubts.values()) {
        if (doubt.againAt > clock.now()) continue
        due.add(doubt)
        doubt.againAt = clock.now() + backoffMs(doubt.tries++, doubted.backoff, clock.chance())
        if (doubt.tries >= doubted.triesMax) doubts.delete(doubt.txHash)
      }
    }
    if (due.size === 0) return
    for (const provider of providers) {
      void this.#questions.ask(provider, this.#ballots.values(), (question) => due.has(question))
    }
  }

  /** Longer for what is in doubt, or is denied while a payment still waits for it. */
  #ageMax(ballot: Ballot<Provider>, { head }: ChainStep): number {
    const { limits, watch } = this.#parts
    const isAwaited = [...ballot.inclusions.keys()].some((txHash) => watch.tracks(txHash))
    if (ballot.isDoubtful || (isAwaited && ballot.isOpen)) return Number.POSITIVE_INFINITY
    const isFinal = head.finalized !== null && ballot.ref.number <= head.finalized
    return isFinal ? stepsAfterFinal : limits.windowBlocksMin
  }

  #said(ballot: Ballot<Provider>, { who, txHash, word }: Said): void {
    const { words } = ballot.voice(who)
    if (words.get(txHash) === word) return
    words.set(txHash, word)
    if (word === 'denies') {
      for (const one of [who, ...ballot.saying(txHash, 'shows')]) one.score.disagreements++
    }
    const inclusion = ballot.inclusions.get(txHash)
    if (inclusion === undefined || ballot.told?.has(txHash) !== true) return
    this.#parts.tell(who.source, word, inclusion)
    // Those that show it count beyond the quorum from now on.
    if (word === 'denies') this.#tell(ballot, inclusion, [who.source])
  }

  /** Tells what all say of it, denials first, but for those whose word is known. */
  #tell(ballot: Ballot<Provider>, inclusion: Corroborated, known: readonly Source[] = []): void {
    for (const word of ['denies', 'shows'] as const) {
      for (const { source } of ballot.saying(inclusion.txHash, word)) {
        if (!known.includes(source)) this.#parts.tell(source, word, inclusion)
      }
    }
  }
}

/** Whether it asks what a provider says of what is known to be in a block. */
const isInclusion = (question: Question): question is Corroborated =>
  question !== 'logs' && 'transfers' in question

const headOf = ({ head }: Provider): number => head?.ref.number ?? -1
