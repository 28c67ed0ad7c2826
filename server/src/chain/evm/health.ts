import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/observation'
import type { ChainHealth, Clock, ProviderScore, Stop, Visibility } from '../../ports.ts'

/**
 * Why a chain is not seen as it should be, and how bad that is: at once, and after `blindAfterMs`
 * without progress.
 */
const severity = {
  starting: { first: 'blind', lasting: 'blind' },
  closed: { first: 'blind', lasting: 'blind' },
  /** No connection to any node. */
  socket_down: { first: 'degraded', lasting: 'blind' },
  /** Every node is on another chain than the one configured, or followed before. */
  chain_mismatch: { first: 'blind', lasting: 'blind' },
  /** The chain was left below what was final: a person must look. */
  reorg_below_finality: { first: 'blind', lasting: 'blind' },
  /** It was left below everything remembered, where nothing is known to be final. */
  reorg_too_deep: { first: 'blind', lasting: 'blind' },
  /** Blocks are being read that were missed. */
  catching_up: { first: 'degraded', lasting: 'blind' },
  /** Every node's head is older than what was read already. */
  node_behind: { first: 'degraded', lasting: 'blind' },
  /** No node shows a new block. */
  no_new_head: { first: 'degraded', lasting: 'blind' },
  /** Every node answers wrongly, late, or not at all. */
  node_failing: { first: 'degraded', lasting: 'blind' },
  /** What was read cannot be stored. */
  store_failing: { first: 'degraded', lasting: 'blind' },
  /** Nodes name different blocks at one height, deeper than may pass by itself. */
  sources_disagree: { first: 'degraded', lasting: 'degraded' },
  /** No node shows what addresses hold now: what contracts pay in the native coin is found later. */
  balances_unread: { first: 'degraded', lasting: 'degraded' },
  /** What the chain calls safe or final stands still while its head moves. */
  finality_stalled: { first: 'degraded', lasting: 'degraded' },
  /** One node of several is on another chain, and not believed. */
  provider_quarantined: { first: 'degraded', lasting: 'degraded' },
  /** One node of several cannot be reached, */
  provider_down: { first: 'degraded', lasting: 'degraded' },
  /** or answers wrongly, late, or not at all, */
  provider_failing: { first: 'degraded', lasting: 'degraded' },
  /** or lags behind the others. */
  provider_behind: { first: 'degraded', lasting: 'degraded' },
} as const satisfies Record<string, { first: Visibility; lasting: Visibility }>

/** The codes that `ChainHealth.reason` of an EVM chain may have. */
export type Reason = keyof typeof severity

export interface HealthParts {
  readonly clock: Clock
  readonly blindAfterMs: number
  readonly tell: (health: ChainHealth) => void
  /** The providers as they stand. Left out where there are none to tell apart. */
  readonly scores?: () => readonly ProviderScore[]
  readonly scoresEveryMs?: number
}

/** What one follower says of its own sight. Tells only changes, and scores now and then. */
export class HealthReport {
  readonly #parts: HealthParts
  #told: ChainHealth
  #toldAt: Instant = 0
  #last: BlockRef | null = null
  #reason: Reason | null = 'starting'
  /** When the chain was last seen well or moved on; null until the first time. */
  #goodAt: Instant | null = null
  #worsen: Stop = () => undefined

  constructor(chain: string, parts: HealthParts) {
    this.#parts = parts
    this.#told = { chain, visibility: 'blind', head: null, headAt: null, reason: 'starting' }
  }

  read(): ChainHealth {
    const { number = null, minedAt = null } = this.#last ?? {}
    const providers = this.#parts.scores?.()
    const health = { ...this.#told, head: number, headAt: minedAt }
    return providers === undefined ? health : { ...health, providers }
  }

  /** The last stored block. */
  at(block: BlockRef): void {
    this.#last = block
  }

  /** Blocks were stored: whatever is said now is not blindness for want of progress. */
  moved(block: BlockRef): void {
    this.#last = block
    this.#goodAt = this.#parts.clock.now()
    this.#tellScores()
  }

  /** Null: the chain is seen up to its head. */
  say(reason: Reason | null): void {
    // What was seen well was seen well until now, unless it is just that nothing was to be seen.
    const sawUntilNow = isSeen(this.#reason) && reason !== 'no_new_head'
    if (isSeen(reason) || sawUntilNow) this.#goodAt = this.#parts.clock.now()
    this.#reason = reason
    this.#update()
  }

  /** Says nothing more, to nobody: that a follower was closed is known to whoever closed it. */
  close(): void {
    this.#worsen()
    this.#reason = 'closed'
    this.#told = { ...this.#told, visibility: 'blind', reason: 'closed' }
  }

  #update(): void {
    if (this.#told.reason === 'closed') return
    this.#worsen()
    const before = this.#told
    const now = { ...this.read(), visibility: this.#visibility(), reason: this.#reason }
    this.#told = now
    if (now.visibility !== before.visibility || now.reason !== before.reason) this.#tell()
    else if (statesOf(now) !== statesOf(before)) this.#tell()
  }

  #tellScores(): void {
    const { clock, scores, scoresEveryMs = 0 } = this.#parts
    if (scores === undefined || this.#told.reason === 'closed') return
    if (clock.now() - this.#toldAt < scoresEveryMs) return
    this.#told = this.read()
    this.#tell()
  }

  #tell(): void {
    this.#toldAt = this.#parts.clock.now()
    this.#parts.tell(this.#told)
  }

  #visibility(): Visibility {
    if (this.#reason === null) return 'ok'
    const { clock, blindAfterMs } = this.#parts
    const { first, lasting } = severity[this.#reason]
    const leftMs = this.#goodAt === null ? 0 : this.#goodAt + blindAfterMs - clock.now()
    if (leftMs <= 0) return lasting
    if (first !== lasting) this.#worsen = clock.after(leftMs, () => this.#update())
    return first
  }
}

/** Whether the head is seen all the same. */
const isSeen = (reason: Reason | null): boolean =>
  reason === null || severity[reason].lasting === 'degraded'

const statesOf = ({ providers = [] }: ChainHealth): string =>
  providers.map(({ visibility, reason }) => `${visibility} ${reason}`).join()
