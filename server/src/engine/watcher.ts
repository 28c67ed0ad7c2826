import { Failure, failedWith } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { SeenTransfer, Source } from '@settlewire/core/observation'
import type { Payment } from '@settlewire/core/payment'
import type { ChainHead } from '@settlewire/core/policy'
import type {
  ChainHealth,
  ChainSink,
  ChainStep,
  Clock,
  Corroborated,
  EventStore,
  Log,
  Metrics,
  Sighting,
  Stop,
  Visibility,
  WatchSet,
} from '../ports.ts'
import { type Judge, observe } from './observe.ts'
import { planStep } from './step-plan.ts'
import type { WatchIndex } from './watch-index.ts'
import type { WatchedChain } from './watched-chain.ts'
import type { Writer } from './writer.ts'

export interface WatcherOptions extends Judge {
  readonly clock: Pick<Clock, 'now' | 'random' | 'after'>
  readonly store: Pick<EventStore, 'watched' | 'unsettled' | 'load' | 'inBlocks' | 'position'>
  readonly writer: Writer
  readonly index: WatchIndex
  readonly log: Log
  readonly metrics: Pick<Metrics, 'chainMoved'>
  /** Pending transfers that may wait for the writer; more are left to their block. */
  readonly pendingMax?: number
  /** Told after each stored step. */
  readonly onAdvance?: (chain: string) => void
}

interface ChainState {
  readonly watched: WatchedChain
  /** As of the last stored step. */
  head: ChainHead | null
  /** The header time of the last block whose effects are stored; null while none is. */
  scannedThrough: Instant | null
  health: ChainHealth
}

/** Longer than the store lets a statement run, so also one of a process that was killed before us. */
const settledAfterMs = 15_000

/** How bad a view is. A payment is seen as well as the worst of its chains. */
const blindness: Readonly<Record<Visibility, number>> = { ok: 0, degraded: 1, blind: 2 }

/** Turns what followers deliver into what payments know, and tells followers what to look for. */
export class Watcher implements ChainSink {
  readonly #options: WatcherOptions
  readonly #chains: ReadonlyMap<string, ChainState>
  readonly #stops: Stop[]
  /** Payments that may have changed without our being told. */
  readonly #doubtful = new Set<string>()
  /** Whether another process may have added to what is open. */
  #isStale = false
  #pendingCount = 0
  #isShedding = false

  constructor(options: WatcherOptions) {
    this.#options = options
    const { index } = options
    const chains = new Map<string, ChainState>()
    for (const chain of index.chains()) {
      const watched = index.chain(chain)
      if (watched === null) continue
      const unseen = { chain, visibility: 'blind', reason: 'not_started', head: null } as const
      const health = { ...unseen, headAt: null }
      chains.set(chain, { watched, head: null, scannedThrough: null, health })
    }
    this.#chains = chains
    this.#stops = [
      options.writer.onCommit(({ payments }) => {
        for (const payment of payments) index.record(payment)
      }),
      options.writer.onDoubt((ids) => {
        for (const id of ids) this.#doubtful.add(id)
      }),
    ]
  }

  /** Reads everything that is open from the store. Followers start after it has resolved. */
  async start(): Promise<void> {
    const { store, index, clock } = this.#options
    for (const [chain, state] of this.#chains) {
      const position = await store.position(chain)
      if (position === null) continue
      state.head = position.head
      state.scannedThrough = position.recent[0]?.minedAt ?? null
      state.watched.advance(position.head)
    }
    await index.load(store)
    // What a killed process had asked of the store may have been committed after this was read.
    this.#stops.push(
      clock.after(settledAfterMs, () => {
        this.#isStale = true
      }),
    )
  }

  /** What the follower of a chain must look for, always current. */
  watchSet(chain: string): WatchSet {
    return this.#state(chain).watched
  }

  /** The chains followed here, with how well each is seen. */
  chains(): readonly ChainHealth[] {
    return [...this.#chains.values()].map(({ health, head, scannedThrough }) => ({
      ...health,
      head: head?.head ?? null,
      headAt: scannedThrough,
    }))
  }

  /** Per chain the header time of the last block whose effects are stored. */
  scannedThrough(): Readonly<Record<string, Instant>> {
    const times: Record<string, Instant> = {}
    for (const [chain, { scannedThrough }] of this.#chains) {
      if (scannedThrough !== null) times[chain] = scannedThrough
    }
    return times
  }

  /** How well the chains are seen that this payment can be paid on. */
  visibility(payment: Payment): Visibility {
    let worst: Visibility = 'ok'
    for (const { chain } of payment.terms.accept) {
      const visibility = this.#chains.get(chain)?.health.visibility ?? 'blind'
      if (blindness[visibility] > blindness[worst]) worst = visibility
    }
    return worst
  }

  health(health: ChainHealth): void {
    this.#state(health.chain).health = health
  }

  async step(chain: string, step: ChainStep): Promise<void> {
    const { store, writer } = this.#options
    const state = this.#state(chain)
    await this.#readAgain()
    const reverted = step.reverted.map((block) => block.hash)
    const orphaned = reverted.length === 0 ? [] : await store.inBlocks(chain, reverted)
    const plan = planStep(chain, step, { watched: state.watched, orphaned })
    const stored = writer.submit({
      ids: plan.paymentIds,
      decide: (payments) => ({
        decisions: plan.paymentIds.flatMap((id) => {
          // An opening that was announced to the watch set but did not commit has no payment.
          const payment = payments.get(id)
          return payment === null
            ? []
            : [observe(payment, plan.observationsOf(payment), this.#options)]
        }),
        cursor: {
          ...{ chain, fromView: step.head.view - 1, head: step.head, reverted },
          applied: step.applied.map((applied) => applied.block),
        },
        answer: null,
      }),
    })
    await stored.catch((error: unknown) => {
      if (failedWith(error, 'cursor_conflict')) this.#isStale = true
      throw error
    })
    this.#advance(chain, state, step)
  }

  #advance(chain: string, state: ChainState, step: ChainStep): void {
    const { clock, metrics, onAdvance } = this.#options
    state.head = step.head
    state.watched.advance(step.head)
    const last = step.applied.at(-1)?.block.minedAt
    const lost = step.reverted.at(-1)?.minedAt
    if (last !== undefined) state.scannedThrough = last
    // What was read of the branch that was left does not count as read.
    else if (lost !== undefined) state.scannedThrough = lost - 1
    const lagMs = Math.max(0, clock.now() - (state.scannedThrough ?? 0))
    metrics.chainMoved(chain, step.head.head, lagMs)
    onAdvance?.(chain)
  }

  /** What was committed without our being told may be something that must be followed. */
  async #readAgain(): Promise<void> {
    const { store, index } = this.#options
    if (this.#isStale) {
      await index.load(store)
      this.#isStale = false
    }
    const ids = [...this.#doubtful]
    if (ids.length === 0) return
    for (const payment of await store.load(ids)) index.record(payment)
    for (const id of ids) this.#doubtful.delete(id)
  }

  corroborated(_chain: string, _source: Source, _inclusions: readonly Corroborated[]): void {
    // Nothing waits for a second view yet.
  }

  pending(chain: string, source: Source, sightings: readonly Sighting[]): void {
    const transfers = sightings.flatMap(({ transfer }) => (transfer === null ? [] : [transfer]))
    const { log, pendingMax = 10_000 } = this.#options
    if (this.#pendingCount + transfers.length > pendingMax) {
      if (!this.#isShedding) log.warn({ chain }, 'pending transfers are left to their block')
      this.#isShedding = true
      return
    }
    this.#isShedding = false
    this.#pendingCount += transfers.length
    this.#recordPending(chain, source, transfers)
      .catch((error: unknown) => {
        log.warn({ chain, error }, 'pending transfers not recorded; their block will tell')
      })
      .finally(() => {
        this.#pendingCount -= transfers.length
      })
  }

  async #recordPending(
    chain: string,
    source: Source,
    transfers: readonly SeenTransfer[],
  ): Promise<void> {
    const { watched, head } = this.#state(chain)
    const view = head?.view ?? 0
    const at = this.#options.clock.now()
    const ofPayment = new Map<string, SeenTransfer[]>()
    for (const transfer of transfers) {
      const paymentId = watched.payee(transfer.to)
      if (paymentId === null || transfer.amount === 0n) continue
      // Before the record: the block that decides its fate may be delivered while this commits.
      watched.expect(paymentId, transfer.txHash)
      ofPayment.set(paymentId, [...(ofPayment.get(paymentId) ?? []), transfer])
    }
    if (ofPayment.size === 0) return
    const payments = await this.#options.writer.submit({
      ids: [...ofPayment.keys()],
      decide: (payments) => {
        const decisions = [...ofPayment].flatMap(([id, seen]) => {
          const payment = payments.get(id)
          if (payment === null) return []
          const news = seen.filter((transfer) => isNews(payment, chain, transfer.txHash))
          const observations = news.map(
            (transfer) => ({ kind: 'mempool', source, at, chain, view, transfer }) as const,
          )
          return [observe(payment, observations, this.#options)]
        })
        return { decisions, answer: decisions.map((decision) => decision.payment) }
      },
    })
    // What was no news made no commit, but what was expected above is settled by the record.
    for (const payment of payments) this.#options.index.record(payment)
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

/** Sockets repeat themselves, and late: what is known as pending, or is in a block, is no news. */
function isNews(payment: Payment, chain: string, txHash: string): boolean {
  const known = payment.facts.transactions.find(
    (transaction) => transaction.chain === chain && transaction.txHash === txHash,
  )
  if (known === undefined) return true
  const isIncluded = Object.values(known.inclusions).some((inclusion) => inclusion.canonical)
  return !isIncluded && known.mempool?.known !== true
}
