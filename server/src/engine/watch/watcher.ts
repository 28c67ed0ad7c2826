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
import { type ChainState, unreadChain } from './chain-state.ts'
import { Corroborations } from './corroborations.ts'
import type { News } from './news.ts'
import type { Pace } from './pace.ts'
import { type PublishedSight, unfollowed } from './published-sight.ts'
import { type ChainSight, chainsOf, lagOf, sightOf } from './sight.ts'
import { Sightings } from './sightings.ts'
import { gather } from './small-change.ts'
import { planStep, type StepPlan } from './step-plan.ts'
import { isSplit, storeStep } from './step-store.ts'
import { logUnrecorded } from './unrecorded.ts'
import type { WatchIndex } from './watch-index.ts'

export interface WatcherOptions extends Judge {
  readonly clock: Pick<Clock, 'now' | 'random'>
  readonly store: Pick<
    EventStore,
    'watched' | 'unsettled' | 'paid' | 'load' | 'inBlocks' | 'position'
  >
  readonly writer: PaymentWriter
  readonly index: WatchIndex
  /** Commits by other processes. */
  readonly news: Pick<News, 'start' | 'read'>
  readonly log: Log
  readonly metrics: Pick<Metrics, 'chainMoved' | 'chainHealth'>
  /** Called with a payment that is left out because its stored state cannot be read. */
  readonly unreadable?: Unreadable
  /** How many pending transfers may wait. The rest is dropped and counts by its block. */
  readonly pendingMax?: number
  /** How many payments one part of a step holds. Left out: the default of `storeStep`. */
  readonly stepPartSize?: number
  /**
   * Called after each step, stored here or published by another process, and when a chain is
   * visible again.
   */
  readonly onAdvance?: (chain: string) => void
  /** Called when a step was refused because another process follows the chain. */
  readonly onLeaseLost?: () => void
}

/** How many noisy payments are remembered, to log each once; then the memory is cleared. */
const noisyMax = 10_000

/** Records what followers deliver, and provides what they look for. */
export class Watcher implements ChainSink {
  readonly #options: WatcherOptions
  readonly #chains: ReadonlyMap<string, ChainState>
  readonly #stops: Stop[]
  /** How often commits may have been missed. */
  #doubts = 0
  readonly #sightings: Sightings
  readonly #corroborations: Corroborations
  readonly #listeners = new Set<(chain: string) => void>()
  /** Payments with so many small transfers that some are not recorded. */
  readonly #noisy = new Set<string>()

  constructor(options: WatcherOptions) {
    this.#options = options
    const { index } = options
    const chains = new Map<string, ChainState>()
    for (const chain of index.chains()) {
      const watched = index.chain(chain)
      if (watched === null) continue
      chains.set(chain, unreadChain(chain, watched))
    }
    this.#chains = chains
    const headOf = (chain: string): ChainHead | null => this.headOf(chain)
    this.#sightings = new Sightings({ ...options, headOf })
    this.#corroborations = new Corroborations({
      ...options,
      headOf,
      writerOf: (chain) => fenced(options.writer, () => this.#state(chain).fence),
    })
    this.#stops = [
      options.writer.onCommit(({ states }) => {
        for (const payment of states) index.record(payment)
      }),
      options.writer.onDoubt(() => this.#doubt()),
    ]
  }

  /** Reads all open payments from the store. Followers start after it has resolved. */
  async start(): Promise<void> {
    const { store, index, news } = this.#options
    for (const chain of this.#chains.keys()) await this.#resume(chain)
    // Before the load: a commit made during the load is then read as news, twice rather than never.
    await news.start()
    await index.load(store, this.#options.unreadable)
  }

  /** This process follows the chain, under a lease. Start its follower when this has resolved. */
  async lead(chain: string, fence: Fence): Promise<void> {
    const state = this.#state(chain)
    state.fence = fence
    state.elsewhere = null
    state.health = { ...unfollowed(chain), reason: 'starting' }
    this.#notify(state)
    await this.#resume(chain)
    await this.prepare(chain)
  }

  /** Another process follows the chain from now on. Unfinished steps of ours will be refused. */
  standBy(chain: string): void {
    this.#corroborations.forget(chain)
    this.takePublished(chain, null)
  }

  /** Takes the sight published by the process that follows the chain; null when none is recent. */
  takePublished(chain: string, published: PublishedSight | null): void {
    const state = this.#state(chain)
    const wasBlind = state.health.visibility === 'blind'
    const before = state.scannedThrough
    state.elsewhere = { pace: published?.pace ?? null }
    state.health = published?.sight ?? unfollowed(chain)
    if (published?.head) {
      state.head = published.head
      state.headAt = published.sight.headAt
      state.scannedThrough = published.sight.scannedThrough
      state.watched.advance(published.head)
    }
    this.#notify(state)
    const isSeenAgain = wasBlind && state.health.visibility !== 'blind'
    if (isSeenAgain || before !== state.scannedThrough) this.#options.onAdvance?.(chain)
  }

  /** The sight to publish for a chain that is followed here. */
  published(chain: string): PublishedSight {
    const state = this.#state(chain)
    return { sight: this.#sightOf(state), head: state.head, pace: state.pace.pace }
  }

  /** Continues where the last stored step left the chain, whichever process stored it. */
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

  /** What the follower of a chain must look for; updated with every commit. */
  watchSet(chain: string): WatchSet {
    return this.#state(chain).watched
  }

  /** The head as of the last stored step; null for a chain never read. */
  headOf(chain: string): ChainHead | null {
    return this.#state(chain).head
  }

  /**
   * Whether the chain may hold transactions that no provider knows: it is blind, or no new block
   * comes. A node that gets no new blocks, such as one without peers, gets no new transactions
   * either.
   */
  mayMiss(chain: string): boolean {
    const { visibility = 'blind', reason = null } = this.#chains.get(chain)?.health ?? {}
    return visibility === 'blind' || reason === 'no_new_head'
  }

  /** The sight of each configured chain, whichever process follows it. */
  chains(): readonly ChainSight[] {
    return [...this.#chains.values()].map((state) => this.#sightOf(state))
  }

  /** The speed of a chain, and whether its finality stalls. */
  paceOf(chain: string): Pace {
    const { elsewhere, pace } = this.#state(chain)
    return elsewhere?.pace ?? pace.pace
  }

  /**
   * Until when each chain was read. Leaves out a chain that is blind now: what was read of it may
   * be on an orphaned branch.
   */
  scannedThrough(): Readonly<Record<string, Instant>> {
    const times: Record<string, Instant> = {}
    for (const [chain, { scannedThrough, health }] of this.#chains) {
      const isSeen = scannedThrough !== null && health.visibility !== 'blind'
      if (isSeen) times[chain] = scannedThrough
    }
    return times
  }

  /** The visibility of the worst chain that this payment can be paid on. */
  visibility(payment: Pick<Payment, 'terms'>): Visibility {
    return sightOf(this.chains(), chainsOf(payment), this.#options.clock.now()).visibility
  }

  health(health: ChainHealth): void {
    const state = this.#state(health.chain)
    // Ignore a follower that is closing: another process has the chain.
    if (state.elsewhere !== null) return
    const wasBlind = state.health.visibility === 'blind'
    state.health = health
    this.#notify(state)
    // Deadlines that were held back while the chain was blind can now be handled.
    if (wasBlind && health.visibility !== 'blind') this.#options.onAdvance?.(health.chain)
  }

  /** Calls the listener with each chain whose visibility changes, until it is stopped. */
  onSight(listener: (chain: string) => void): Stop {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Updates the metrics, and notifies listeners if the visibility has changed. */
  #notify(state: ChainState): void {
    const sight = this.#sightOf(state)
    this.#options.metrics.chainHealth(sight)
    if (sight.visibility === state.notified) return
    state.notified = sight.visibility
    for (const listener of this.#listeners) listener(sight.chain)
  }

  /**
   * The process that follows a chain detects stalled finality by the pace of its steps; the sight
   * that another process publishes says so already.
   */
  #sightOf({ health, head, headAt, scannedThrough, pace, elsewhere }: ChainState): ChainSight {
    const stored = { head: head?.head ?? null, headAt, scannedThrough }
    if (elsewhere !== null || health.visibility !== 'ok' || !pace.pace.stalled)
      return { ...health, ...stored }
    return { ...health, ...stored, visibility: 'degraded', reason: 'finality_stalled' }
  }

  /** Read up to the end of a block with this header time, or until now if that is in the future. */
  #readTo(state: ChainState, minedAt: Instant | null): void {
    state.headAt = minedAt
    state.scannedThrough = minedAt === null ? null : Math.min(minedAt, this.#options.clock.now())
  }

  /**
   * Reads the commits of other processes. It is called once a step's blocks exist and before they
   * are searched: every payment opened before them is committed already, so this finds it.
   */
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
    // A step may be stored in parts, and the first one undoes these blocks, even if a later one
    // fails: no deadline may rely on having read them.
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
      chain,
      step,
      plan,
      from: state.head,
      decide,
      putAside: aside,
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
        'further dust and tokens that were not requested are no longer recorded for this payment'
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
    // Blocks of the abandoned branch no longer count as read.
    else if (lost !== undefined) this.#readTo(state, lost - 1)
    metrics.chainMoved(chain, step.head.head, lagOf(state, clock.now()) ?? 0)
    this.#notify(state)
    onAdvance?.(chain)
  }

  /** Commits may have been missed: no recorded sum is certain until they are read. */
  #doubt(): void {
    this.#doubts++
    this.#options.index.doubt()
  }

  corroborated(chain: string, source: Source, inclusions: readonly Corroborated[]): void {
    this.#takeReports(chain, source, { inclusions, denies: false })
  }

  denied(chain: string, source: Source, inclusions: readonly Corroborated[]): void {
    this.#takeReports(chain, source, { inclusions, denies: true })
  }

  #takeReports(
    chain: string,
    source: Source,
    { inclusions, denies }: { inclusions: readonly Corroborated[]; denies: boolean },
  ): void {
    // Ignore a follower that is closing: another process has the chain.
    if (this.#state(chain).elsewhere !== null) return
    const reports = inclusions.map((inclusion) => ({ source, inclusion, denies }))
    this.#corroborations.receive(chain, reports)
  }

  pending(chain: string, source: Source, sightings: readonly Sighting[]): void {
    this.#sightings.take(chain, source, sightings)
  }

  /** As `pending`, but resolves when the sightings are recorded. */
  see(chain: string, source: Source, sightings: readonly Sighting[]): Promise<void> {
    return this.#sightings.see(chain, source, sightings)
  }

  /** Unsubscribes from commits. */
  close(): void {
    for (const stop of this.#stops) stop()
  }

  #state(chain: string): ChainState {
    const state = this.#chains.get(chain)
    if (state === undefined) throw new Failure('internal', `The chain ${chain} is not followed.`)
    return state
  }
}
