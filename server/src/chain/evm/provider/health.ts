import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'
import type { ChainHealth, ProviderScore } from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Stop } from '../../../ports/stop.ts'
import {
  changesInMs,
  isWell,
  type Lapse,
  type SightFacts,
  type SightLimits,
  verdictOf,
} from '../node/sight.ts'

export interface HealthParts {
  readonly clock: Clock
  /** The thresholds of this chain. */
  readonly times: SightLimits
  readonly report: (health: ChainHealth) => void
  /** Calls `update` with the current state: time alone may have changed the verdict. */
  readonly review: () => void
  /** The current scores of the providers. Left out where providers are not scored. */
  readonly scores?: () => readonly ProviderScore[]
  readonly scoresEveryMs?: number
}

/** Reports the health of one follower: when it changes, and with new scores at intervals. */
export class HealthReport {
  readonly #parts: HealthParts
  /** The health that was reported last. */
  #reported: ChainHealth
  #reportedAt: Instant = 0
  #last: BlockRef | null = null
  /** When a step was last stored, or every known block was; null until the first time. */
  #wellAt: Instant | null = null
  #isWell = false
  #wasBlind = false
  #isClosed = false
  #worsen: Stop = () => undefined

  constructor(chain: string, parts: HealthParts) {
    this.#parts = parts
    this.#reported = { chain, visibility: 'blind', head: null, headAt: null, reason: 'starting' }
  }

  read(): ChainHealth {
    const { number = null, minedAt = null } = this.#last ?? {}
    const providers = this.#parts.scores?.()
    const health = { ...this.#reported, head: number, headAt: minedAt }
    return providers === undefined ? health : { ...health, providers }
  }

  /** The last stored block. */
  at(block: BlockRef): void {
    this.#last = block
  }

  /** A step was stored that ends at this block. */
  moved(block: BlockRef): void {
    this.#last = block
    this.#wellAt = this.#parts.clock.now()
    this.#wasBlind = false
    this.#reportScores()
  }

  /** Takes the current state, and reports it if it changed. */
  update(sight: SightFacts): void {
    if (this.#isClosed) return
    const { clock, times } = this.#parts
    const isWellNow = isWell(sight, times)
    // The state holds from one call to the next: a chain that was well was so until now.
    if (this.#isWell || isWellNow) this.#wellAt = clock.now()
    if (isWellNow) this.#wasBlind = false
    this.#isWell = isWellNow
    const stalledMs = this.#wellAt === null ? Number.POSITIVE_INFINITY : clock.now() - this.#wellAt
    const lapse = { stalledMs, wasBlind: this.#wasBlind, times }
    const { visibility, reason } = verdictOf(sight, lapse)
    this.#wasBlind = visibility === 'blind'
    this.#arm(sight, lapse)
    const before = this.#reported
    this.#reported = { ...this.read(), visibility, reason }
    const isNew = visibility !== before.visibility || reason !== before.reason
    if (isNew || statesOf(this.#reported) !== statesOf(before)) this.#report()
  }

  /** Stops reporting. The closing itself is not reported, since its caller knows. */
  close(): void {
    this.#isClosed = true
    this.#worsen()
    this.#reported = { ...this.#reported, visibility: 'blind', reason: 'closed' }
  }

  #arm(sight: SightFacts, lapse: Lapse): void {
    const { clock, review } = this.#parts
    this.#worsen()
    const afterMs = this.#isWell ? null : changesInMs(sight, lapse)
    this.#worsen = afterMs === null ? () => undefined : clock.after(afterMs, review)
  }

  #reportScores(): void {
    const { clock, scores, scoresEveryMs = 0 } = this.#parts
    if (scores === undefined || this.#isClosed) return
    if (clock.now() - this.#reportedAt < scoresEveryMs) return
    this.#reported = this.read()
    this.#report()
  }

  #report(): void {
    this.#reportedAt = this.#parts.clock.now()
    this.#parts.report(this.#reported)
  }
}

const statesOf = ({ providers = [] }: ChainHealth): string =>
  providers.map(({ visibility, reason }) => `${visibility} ${reason}`).join()
