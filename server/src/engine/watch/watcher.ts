import { Failure, failedWith } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { Decision } from '@settlewire/core/payment/event'
import type { Source } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import type { ChainHead } from '@settlewire/core/payment/policy'
import type {
  ChainHealth,
  ChainSink,
  ChainStep,
  Corroborated,
  Sighting,
  Visibility,
  WatchSet,
} from '../../ports/chain.ts'
import type { Clock } from '../../ports/clock.ts'
import type { EventStore, Unreadable } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Metrics } from '../../ports/metrics.ts'
import type { Fence } from '../../ports/processes.ts'
import type { Stop } from '../../ports/stop.ts'
import { type Judge, observe, putAside } from '../payment/observe.ts'
import { fenced } from '../write/fenced-writer.ts'
import type { PaymentWriter } from '../write/writer.ts'
import { Corroborations } from './corroborations.ts'
import type { News } from './news.ts'
import { type Pace, PaceMeter } from './pace.ts'
import { type PublishedSight, unfollowed } from './published-sight.ts'
import { type ChainSight, chainsOf, lagOf, sightOf } from './sight.ts'
import { Sightings } from './sightings.ts'
import { gather } from './small-change.ts'
import { planStep, type StepPlan } from './step-plan.ts'
import { isSplit, storeStep } from './step-store.ts'
import { logUnrecorded } from './unrecorded.ts'
import type { WatchIndex } from './watch-index.ts'
import type { WatchedChain } from './watched-chain.ts'

export interface WatcherOptions extends Judge {
  readonly clock: Pick<Clock, 'now' | 'random'>
  readonly store: Pick<
    EventStore,
    'watched' | 'unsettled' | 'paid' | 'load' | 'inBlocks' | 'position'
  >
  readonly writer: PaymentWriter
  readonly index: WatchIndex
  /** What was committed without our being told. */
  readonly news: Pick<News, 'start' | 'read'>
  readonly log: Log
  readonly metrics: Pick<Metrics, 'chainMoved' | 'chainSeen'>
  /** Called with a payment that is left out because its stored state cannot be read. */
  readonly unreadable?: Unreadable
  /** Pending transfers that may wait for the writer; more are left to their block. */
  readonly pendingMax?: number
  /** Payments that one part of a step holds. Left out: as many as are good. */
  readonly stepPartSize?: number
  /** Told after each stored step, and when a chain is seen again. */
  readonly onAdvance?: (chain: string) => void
  /** Told when a step was refused because another process follows the chain. */
  readonly onLeaseLost?: () => void
}

interface ChainState {
  readonly watched: WatchedChain
  readonly pace: PaceMeter
  /** As of the last stored step. */
  head: ChainHead | null
  /** The header time of the last block whose effects are stored; null while none is. */
  headAt: Instant | null
  scannedThrough: ChainSight['scannedThrough']
  /** As the follower told it last. */
  health: ChainHealth
  /** As it was told last. */
  seen: Visibility
  /** As the process said that follows the chain; null while that is this one. */
  told: { pace: Pace | null } | null
  /** The lease that its steps are written under; null where there is one process alone. */
  fence: Fence | null
  /** Whether a step was stored in part, or may have been: where it left the chain is read again. */
  isUnsure: boolean
}

/** Payments whose noise was spoken of in the log; of more the first are spoken of again. */
const noisyMax = 10_000

/** Turns what followers deliver into what payments know, and tells followers what to look for. */
export class Watcher implements ChainSink {
  readonly #options: WatcherOptions
  readonly #chains: ReadonlyMap<string, ChainState>
  readonly #stops: Stop[]
  /** How often something may have been committed without our being told. */
  #doubts = 0
  readonly #sightings: Sightings
  readonly #corroborations: Corroborations
  readonly #listeners = new Set<(chain: string) => void>()
  /** Payments that are sprinkled with more than is kept. */
  readonly #noisy = new Set<string>()

  constructor(options: WatcherOptions) {
    this.#options = options
    const { index } = options
    const chains = new Map<string, ChainState>()
    for (const chain of index.chains()) {
      const watched = index.chain(chain)
      if (watched === null) continue
      const unseen = { chain, visibility: 'blind', reason: 'not_started', head: null } as const
      const health = { ...unseen, headAt: null }
      const pace = new PaceMeter()
      chains.set(chain, {
        ...{ watched, pace, health, head: null, headAt: null, scannedThrough: null },
        ...{ seen: 'blind' as const, told: null, fence: null, isUnsure: false },
      })
    }
    this.#chains = chains
    const headOf = (chain: string): ChainHead | null => this.headOf(chain)
    this.#sightings = new Sightings({ ...options, headOf })
    this.#corroborations = new Corroborations({
      ...{ ...options, headOf },
      writerOf: (chain) => fenced(options.writer, () => this.#state(chain).fence),
    })
    this.#stops = [
      options.writer.onCommit(({ states }) => {
        for (const payment of states) index.record(payment)
      }),
      options.writer.onDoubt(() => this.#doubt()),
    ]
  }

  /** Reads everything that is open from the store. Followers start after it has resolved. */
  async start(): Promise<void> {
    const { store, index, news } = this.#options
    for (const chain of this.#chains.keys()) await this.#resume(chain)
    // Before: what is committed while the rest is read is told as news, and so twice rather than never.
    await news.start()
    await index.load(store, this.#options.unreadable)
  }

  /** From now on this process follows the chain, under a lease. Its follower starts after it has resolved. */
  async lead(chain: string, fence: Fence): Promise<void> {
    const state = this.#state(chain)
    state.fence = fence
    state.told = null
    state.health = { ...unfollowed(chain), reason: 'starting' }
    this.#see(state)
    await this.#resume(chain)
    await this.prepare(chain)
  }

  /** From now on another process follows the chain. Steps of ours that are still under way are refused. */
  stand(chain: string): void {
    this.#corroborations.forget(chain)
    this.hear(chain, null)
  }

  /** What the process that follows the chain says of it; null when none has said anything lately. */
  hear(chain: string, said: PublishedSight | null): void {
    const state = this.#state(chain)
    const wasBlind = state.health.visibility === 'blind'
    const before = state.scannedThrough
    state.told = { pace: said?.pace ?? null }
    state.health = said?.sight ?? unfollowed(chain)
    if (said?.head) {
      state.head = said.head
      state.headAt = said.sight.headAt
      state.scannedThrough = said.sight.scannedThrough
      state.watched.advance(said.head)
    }
    this.#see(state)
    const isSeenAgain = wasBlind && state.health.visibility !== 'blind'
    if (isSeenAgain || before !== state.scannedThrough) this.#options.onAdvance?.(chain)
  }

  /** What the others are told of a chain that is followed here. */
  published(chain: string): PublishedSight {
    const state = this.#state(chain)
    return { sight: this.#sightOf(state), head: state.head, pace: state.pace.pace }
  }

  /** Takes up where the last step that was stored left the chain, whoever stored it. */
  async #resume(chain: string): Promise<void> {
    const { store, clock, metrics } = this.#options
    const state = this.#state(chain)
    const position = await store.position(chain)
    state.isUnsure = false
    if (position === null) return
    state.head = position.head
    this.#readTo(state, position.recent[0]?.minedAt ?? null)
    metrics.chainMoved(chain, position.head.head, lagOf(state, clock.now()) ?? 0)
    state.pace.seed(position.recent)
    state.watched.advance(position.head)
  }

  /** What the follower of a chain must look for, always current. */
  watchSet(chain: string): WatchSet {
    return this.#state(chain).watched
  }

  /** As of the last stored step; null for a chain never read. */
  headOf(chain: string): ChainHead | null {
    return this.#state(chain).head
  }

  /**
   * Whether this chain may hold what no provider knows: it is blind, or no new block is shown. A node
   * that stands still, as one that lost its peers, hears of no new transaction either.
   */
  mayMiss(chain: string): boolean {
    const { visibility = 'blind', reason = null } = this.#chains.get(chain)?.health ?? {}
    return visibility === 'blind' || reason === 'no_new_head'
  }

  /** The chains followed here, with how well each is seen. */
  chains(): readonly ChainSight[] {
    return [...this.#chains.values()].map((state) => this.#sightOf(state))
  }

  /** How fast a chain goes, and whether its finality stands still. */
  paceOf(chain: string): Pace {
    const { told, pace } = this.#state(chain)
    return told?.pace ?? pace.pace
  }

  /**
   * Per chain up to when it was read. A chain that cannot be seen now is left out: what was read of it
   * may be of a branch that is gone.
   */
  scannedThrough(): Readonly<Record<string, Instant>> {
    const times: Record<string, Instant> = {}
    for (const [chain, { scannedThrough, health }] of this.#chains) {
      const isSeen = scannedThrough !== null && health.visibility !== 'blind'
      if (isSeen) times[chain] = scannedThrough
    }
    return times
  }

  /** As well as the worst of the chains is seen that this payment can be paid on. */
  visibility(payment: Pick<Payment, 'terms'>): Visibility {
    return sightOf(this.chains(), chainsOf(payment), this.#options.clock.now()).visibility
  }

  health(health: ChainHealth): void {
    const state = this.#state(health.chain)
    // A follower that is coming to an end: another process has the chain.
    if (state.told !== null) return
    const wasBlind = state.health.visibility === 'blind'
    state.health = health
    this.#see(state)
    // What was frozen while nothing could be seen goes on.
    if (wasBlind && health.visibility !== 'blind') this.#options.onAdvance?.(health.chain)
  }

  /** Calls the listener with each chain whose visibility has changed, until it is stopped. */
  onSight(listener: (chain: string) => void): Stop {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #see(state: ChainState): void {
    const sight = this.#sightOf(state)
    this.#options.metrics.chainSeen(sight)
    if (sight.visibility === state.seen) return
    state.seen = sight.visibility
    for (const listener of this.#listeners) listener(sight.chain)
  }

  /** That finality stands still is known here alone, by the pace of the steps. */
  #sightOf({ health, head, headAt, scannedThrough, pace, told }: ChainState): ChainSight {
    const stored = { head: head?.head ?? null, headAt, scannedThrough }
    if (told !== null || health.visibility !== 'ok' || !pace.pace.stalled)
      return { ...health, ...stored }
    return { ...health, ...stored, visibility: 'degraded', reason: 'finality_stalled' }
  }

  /** Read up to the end of a block that was made then. No header makes that later than now. */
  #readTo(state: ChainState, minedAt: Instant | null): void {
    state.headAt = minedAt
    state.scannedThrough = minedAt === null ? null : Math.min(minedAt, this.#options.clock.now())
  }

  /** Of a block that is there, everything that was opened before it is committed: now it is read. */
  async prepare(chain: string): Promise<void> {
    const { news, index } = this.#options
    if (this.#state(chain).isUnsure) await this.#resume(chain)
    const doubts = this.#doubts
    await news.read()
    if (this.#doubts === doubts) index.trust()
  }

  async step(chain: string, step: ChainStep): Promise<void> {
    const { store, writer, stepPartSize } = this.#options
    const state = this.#state(chain)
    const lost = step.reverted.at(-1)
    // Its first part already undoes them for good: nothing expires by what was read of them.
    if (lost !== undefined && state.scannedThrough !== null)
      state.scannedThrough = Math.min(state.scannedThrough, lost.minedAt - 1)
    const reverted = step.reverted.map((block) => block.hash)
    const orphaned = reverted.length === 0 ? [] : await store.inBlocks(chain, reverted)
    const plan = planStep(chain, step, { watched: state.watched, orphaned })
    const decide = (payment: Payment): Decision => this.#decide(payment, plan)
    const aside = (payment: Payment, error: unknown): Decision => {
      const observations = gather(payment, plan.observationsOf(payment), plan.late).kept
      return putAside(payment, { observations, error }, this.#options)
    }
    const left = new Set<string>()
    const inStore = {
      ...{ chain, step, plan, from: state.head, decide, putAside: aside },
      unreadable: (id: string) => void left.add(id),
      ...(stepPartSize !== undefined && { partSize: stepPartSize }),
    }
    const ours = fenced(writer, () => state.fence)
    await storeStep(inStore, ours).catch((error: unknown) => {
      state.isUnsure ||= isSplit(inStore)
      if (failedWith(error, 'cursor_conflict')) this.#doubt()
      if (failedWith(error, 'lease_lost')) this.#options.onLeaseLost?.()
      throw error
    })
    logUnrecorded(this.#options.log, {
      chain,
      step,
      ids: plan.touched.filter((id) => left.has(id)),
    })
    this.#advance(chain, state, step)
    void this.#corroborations.advanced(chain)
  }

  #decide(payment: Payment, plan: StepPlan): Decision {
    const { kept, left } = gather(payment, plan.observationsOf(payment), plan.late)
    if (left > 0 && !this.#noisy.has(payment.id)) {
      if (this.#noisy.size >= noisyMax) this.#noisy.clear()
      this.#noisy.add(payment.id)
      const message =
        'dust and unasked tokens on top of many transactions are not recorded any more'
      this.#options.log.warn({ paymentId: payment.id, left }, message)
    }
    return observe(payment, kept, this.#options)
  }

  #advance(chain: string, state: ChainState, step: ChainStep): void {
    const { clock, metrics, onAdvance } = this.#options
    state.head = step.head
    state.watched.advance(step.head)
    const last = step.applied.at(-1)?.block.minedAt
    const lost = step.reverted.at(-1)?.minedAt
    if (last !== undefined) {
      this.#readTo(state, last)
      state.pace.add(step.head, last)
    }
    // What was read of the branch that was left does not count as read.
    else if (lost !== undefined) this.#readTo(state, lost - 1)
    metrics.chainMoved(chain, step.head.head, lagOf(state, clock.now()) ?? 0)
    this.#see(state)
    onAdvance?.(chain)
  }

  /** Something may have been committed without our being told: no sum is sure until it was read. */
  #doubt(): void {
    this.#doubts++
    this.#options.index.doubt()
  }

  corroborated(chain: string, source: Source, inclusions: readonly Corroborated[]): void {
    this.#takeWords(chain, source, { inclusions, denies: false })
  }

  denied(chain: string, source: Source, inclusions: readonly Corroborated[]): void {
    this.#takeWords(chain, source, { inclusions, denies: true })
  }

  #takeWords(
    chain: string,
    source: Source,
    { inclusions, denies }: { inclusions: readonly Corroborated[]; denies: boolean },
  ): void {
    // A follower that is coming to an end: another process has the chain.
    if (this.#state(chain).told !== null) return
    const words = inclusions.map((inclusion) => ({ source, inclusion, denies }))
    this.#corroborations.hear(chain, words)
  }

  pending(chain: string, source: Source, sightings: readonly Sighting[]): void {
    this.#sightings.take(chain, source, sightings)
  }

  /** The same, for one who wants to know that it is on record. */
  see(chain: string, source: Source, sightings: readonly Sighting[]): Promise<void> {
    return this.#sightings.see(chain, source, sightings)
  }

  /** Hears of no more commits. */
  close(): void {
    for (const stop of this.#stops) stop()
  }

  #state(chain: string): ChainState {
    const state = this.#chains.get(chain)
    if (state === undefined) throw new Failure('internal', `The chain ${chain} is not followed.`)
    return state
  }
}
