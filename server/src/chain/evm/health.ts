import type { BlockRef } from '@settlewire/core/observation'
import type { ChainHealth, Clock, Stop, Visibility } from '../../ports.ts'

/**
 * Why a chain is not seen as it should be, and how bad that is: at once, and after `blindAfterMs`
 * without progress.
 */
const severity = {
  starting: { first: 'blind', lasting: 'blind' },
  closed: { first: 'blind', lasting: 'blind' },
  /** No connection to the node. */
  socket_down: { first: 'degraded', lasting: 'blind' },
  /** The node is on another chain than the one configured, or followed before. */
  chain_mismatch: { first: 'blind', lasting: 'blind' },
  /** The node's chain leaves ours below everything remembered: a person must look. */
  reorg_too_deep: { first: 'blind', lasting: 'blind' },
  /** Blocks are being read that were missed. */
  catching_up: { first: 'degraded', lasting: 'degraded' },
  /** The node's head is older than what was read already. */
  node_behind: { first: 'degraded', lasting: 'blind' },
  /** The node is there and shows no new block. */
  no_new_head: { first: 'degraded', lasting: 'blind' },
  /** The node answers wrongly, late, or not at all. */
  node_failing: { first: 'degraded', lasting: 'blind' },
  /** What was read cannot be stored. */
  store_failing: { first: 'degraded', lasting: 'blind' },
} as const satisfies Record<string, { first: Visibility; lasting: Visibility }>

/** The codes that `ChainHealth.reason` of an EVM chain may have. */
export type Reason = keyof typeof severity

/** What one follower says of its own sight. Tells only changes. */
export class HealthReport {
  readonly #clock: Clock
  readonly #blindAfterMs: number
  readonly #tell: (health: ChainHealth) => void
  #told: ChainHealth
  #last: BlockRef | null = null
  #reason: Reason | null = 'starting'
  /** When the chain was last seen well or moved on; null until the first time. */
  #goodAt: number | null = null
  #worsen: Stop = () => undefined

  constructor(
    chain: string,
    parts: { clock: Clock; blindAfterMs: number; tell: (health: ChainHealth) => void },
  ) {
    this.#clock = parts.clock
    this.#blindAfterMs = parts.blindAfterMs
    this.#tell = parts.tell
    this.#told = { chain, visibility: 'blind', head: null, headAt: null, reason: 'starting' }
  }

  read(): ChainHealth {
    const { number = null, minedAt = null } = this.#last ?? {}
    return { ...this.#told, head: number, headAt: minedAt }
  }

  /** The last stored block. */
  at(block: BlockRef): void {
    this.#last = block
  }

  /** Blocks were stored: whatever is said now is not blindness for want of progress. */
  moved(block: BlockRef): void {
    this.#last = block
    this.#goodAt = this.#clock.now()
  }

  /** Null: the chain is seen up to its head. */
  say(reason: Reason | null): void {
    if (reason === null) this.#goodAt = this.#clock.now()
    this.#reason = reason
    this.#update()
  }

  /** Says this only if nothing worse is being said. */
  sayIfWell(reason: Reason): void {
    if (this.#reason === null) this.say(reason)
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
    const visibility = this.#visibility()
    const changed = visibility !== this.#told.visibility || this.#reason !== this.#told.reason
    this.#told = { ...this.read(), visibility, reason: this.#reason }
    if (changed) this.#tell(this.#told)
  }

  #visibility(): Visibility {
    if (this.#reason === null) return 'ok'
    const { first, lasting } = severity[this.#reason]
    const leftMs = this.#goodAt === null ? 0 : this.#goodAt + this.#blindAfterMs - this.#clock.now()
    if (leftMs <= 0) return lasting
    if (first !== lasting) this.#worsen = this.#clock.after(leftMs, () => this.#update())
    return first
  }
}
