import type { BlockRef, Source } from '@settlewire/core/observation'
import type { AppliedBlock, ChainStep, Clock, Corroborated, Stop, WatchSet } from '../../ports.ts'
import { Ballot, type Word } from './ballot.ts'
import { type Beside, bareOf, inclusionsOf, isSum, kept, moreIn } from './beside.ts'
import type { Limits } from './limits.ts'
import type { Header } from './node.ts'
import type { Provider } from './provider.ts'
import { Questions, type Said } from './questions.ts'
import { within } from './within.ts'

interface Parts {
  readonly providers: readonly Provider[]
  readonly tokens: readonly string[]
  readonly watch: WatchSet
  readonly clock: Clock
  readonly limits: Limits
  /** What a provider says of an inclusion that is on record. May repeat. */
  readonly tell: (source: Source, word: Word, inclusion: Corroborated) => void
}

/** Blocks without money that are remembered for who has not answered yet. */
const emptyMax = 512
/** What is final already is asked about for so many more steps: it may have been read late. */
const stepsAfterFinal = 16

/**
 * Asks every provider about every block that one was read for: which logs it shows, so that no single
 * provider, be it behind or lying, can hide a payment; and for what pays us whether it shows the same
 * receipt. What is answered in time goes with the step, the rest is told later: each provider is asked
 * again with its heads, or by the clock where none come, until it shows the same, or the block is
 * undone, or has been final for a while.
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

  /** Whether of something on record as many say that it is not so as show it. */
  get isContradicted(): boolean {
    return [...this.#ballots.values()].some((ballot) => ballot.isContradicted)
  }

  /** Asks for logs. Resolves when all have answered that owed no answer before. Never rejects. */
  async open(headers: readonly Header[], reader: Provider): Promise<void> {
    const { providers, tokens } = this.#parts
    if (providers.length < 2 || tokens.length === 0) return
    const ballots = headers.map((header) => {
      const known = this.#ballots.get(header.ref.hash)
      if (known !== undefined && known.told !== null) this.#ballots.delete(known.hash)
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
  beside(applied: readonly AppliedBlock[], isCanonical: (hash: string) => boolean): Beside[] {
    const fresh = new Map(applied.map((block) => [block.block.hash, block]))
    const found: Beside[] = []
    for (const ballot of this.#ballots.values()) {
      const inStep = fresh.get(ballot.hash)
      if (inStep === undefined && (ballot.told === null || !isCanonical(ballot.hash))) continue
      const shown = {
        transfers: inStep?.transfers ?? [],
        taken: new Set(inStep === undefined ? ballot.told : []),
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
      this.#questions.ask(who, ballots, (question, { number }) => {
        return question !== 'logs' && number <= headOf(who)
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

  /** The step is stored, with the words that it was told with. */
  stored(step: ChainStep): void {
    const { providers, limits } = this.#parts
    if (providers.length < 2) return
    for (const { hash } of step.reverted) this.#ballots.delete(hash)
    for (const ballot of this.#ballots.values()) {
      if (ballot.told !== null && ballot.age++ > this.#ageMax(ballot, step)) {
        this.#ballots.delete(ballot.hash)
      }
    }
    for (const applied of [...step.applied, ...(step.late ?? [])]) this.#wasTold(applied, step)
    const all = Object.groupBy(this.#ballots.values(), ({ inclusions }) =>
      inclusions.size > 0 ? 'paying' : 'empty',
    )
    const tooMany = [
      ...(all.empty ?? []).slice(0, -emptyMax),
      ...(all.paying ?? []).slice(0, -limits.corroborationsMax),
    ]
    for (const { hash } of tooMany) this.#ballots.delete(hash)
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

  /** A provider has a new head, so it may show what it did not show before. Never rejects. */
  async heard(provider: Provider): Promise<void> {
    const { clock, limits } = this.#parts
    await this.#questions.ask(provider, this.#ballots.values(), (question, { number, told }) => {
      return number <= headOf(provider) && (question === 'logs' || told !== null)
    })
    // A chain that stands still has no heads to go by.
    this.#later.get(provider)?.()
    const isOpen = [...this.#ballots.values()].some(({ inclusions, told, voices }) => {
      const { words } = voices.get(provider) ?? {}
      return told !== null && [...inclusions.keys()].some((one) => words?.get(one) !== 'shows')
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

  #ballotOf(block: { readonly number: number; readonly hash: string }): Ballot<Provider> {
    const ballot = this.#ballots.get(block.hash) ?? new Ballot<Provider>(block)
    this.#ballots.set(block.hash, ballot)
    return ballot
  }

  /** It is on record, with the words that went with it; what was said since is told. */
  #wasTold(applied: AppliedBlock, step: ChainStep): void {
    const { hash } = applied.block
    if (!this.#ballots.has(hash) && applied.transfers.length === 0) return
    const ballot = this.#ballotOf(applied.block)
    ballot.told ??= new Set()
    ballot.age = 0
    for (const inclusion of inclusionsOf(applied)) {
      const { txHash } = inclusion
      ballot.include(inclusion)
      ballot.told.add(txHash)
      const sources = applied.sources?.get(txHash) ?? [step.source]
      const shown = this.#parts.providers.filter(({ source }) => sources.includes(source))
      for (const one of shown) ballot.voice(one).words.set(txHash, 'shows')
      this.#tell(ballot, inclusion, [...sources, ...(applied.deniedBy?.get(txHash) ?? [])])
    }
    for (const voice of ballot.voices.values()) {
      if (voice.contents !== null) voice.contents = kept(voice.contents, ballot, this.#parts.watch)
    }
  }

  /** Longer for what somebody denies and a payment still waits for. */
  #ageMax(ballot: Ballot<Provider>, { head }: ChainStep): number {
    const { limits, watch } = this.#parts
    const isOpen = [...ballot.inclusions.keys()].some((txHash) => watch.tracks(txHash))
    if (isOpen && ballot.isContradicted) return Number.POSITIVE_INFINITY
    const isFinal = head.finalized !== null && ballot.number <= head.finalized
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

const headOf = ({ head }: Provider): number => head?.ref.number ?? -1
