import type { BlockRef } from '@settlewire/core/payment/observation'
import type { ChainHealth, ChainStep } from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Log } from '../../../ports/log.ts'
import type { EvmChain } from '../evm-chain.ts'
import type { FollowerLimits } from '../node/limits.ts'
import { sightTimes } from '../node/sight.ts'
import type { Agreement } from './agreement.ts'
import type { Fleet, NoChoice } from './fleet.ts'
import { HealthReport } from './health.ts'
import { Unread } from './unread.ts'

interface OutlookParts {
  readonly chain: Pick<EvmChain, 'name' | 'blockMs'>
  readonly clock: Clock
  readonly limits: FollowerLimits
  readonly log: Log
  readonly fleet: Fleet
  readonly agreement: Agreement
  /** Whether as many providers deny a reported transaction as show it. */
  readonly contradicted: () => boolean
  /** Whether contract payments may be missing because balances could not be read. */
  readonly balancesUnread: () => boolean
  readonly report: (health: ChainHealth) => void
}

/** Tracks how well one chain is seen: what its providers show, and how much of it is stored. */
export class Outlook {
  readonly #parts: OutlookParts
  readonly #health: HealthReport
  readonly #unread: Unread
  #isStarting = true
  #isBehind = false
  #isConfirmed = false
  /** Whether a provider is on another branch than the stored cursor, or above it. */
  #hasNews = false
  #storeFailures = 0
  #wasHalted = false
  /** The visibility and reason that were logged last. */
  #logged = ''

  constructor(parts: OutlookParts) {
    const { chain, clock, limits, fleet } = parts
    this.#parts = parts
    this.#unread = new Unread(chain.blockMs)
    this.#health = new HealthReport(chain.name, {
      clock,
      times: sightTimes(limits, chain.blockMs),
      scoresEveryMs: limits.scoresEveryMs,
      report: (health) => this.#report(health),
      review: () => this.review(),
      scores: () => fleet.scores(),
    })
  }

  read(): ChainHealth {
    return this.#health.read()
  }

  close(): void {
    this.#health.close()
  }

  /** The last stored block. */
  at(block: BlockRef | undefined): void {
    if (block === undefined) return
    this.#unread.at(block)
    this.#health.at(block)
  }

  /** A provider shows this head. */
  received(provider: string, head: BlockRef): void {
    this.#unread.received(provider, head, this.#parts.clock.now())
    this.review()
  }

  /** Consecutive failures to store a step or to read the position. */
  get storeFailures(): number {
    return this.#storeFailures
  }

  storeFailed(): void {
    this.#storeFailures++
    this.review()
  }

  /** There is a new block to read. */
  aims(): void {
    this.#hasNews = true
    this.review()
  }

  /** There is no new block to read now. `isBehind`: every head is below the stored cursor. */
  waits({ isBehind, isAtHead, restMs }: NothingToRead): void {
    this.#storeFailures = 0
    this.#isBehind = isBehind
    this.#hasNews = restMs !== null
    if (isAtHead && !this.#unread.isAny) this.#arrived()
    this.review()
  }

  /** A step was stored. */
  stepped({ reverted, applied }: ChainStep): void {
    this.#storeFailures = 0
    this.#isBehind = false
    this.#hasNews = false
    const last = applied.at(-1)?.block
    if (last !== undefined) {
      this.#unread.at(last, reverted.length > 0)
      this.#health.moved(last)
    }
    this.#arrived()
    this.review()
  }

  /** Reports how well the chain is seen now. */
  review(): void {
    const { fleet, agreement, contradicted, balancesUnread, clock, log } = this.#parts
    if (fleet.isHalted && !this.#wasHalted) {
      log.error({}, 'the chain was reorganised below a final block; following stops')
    }
    this.#wasHalted = fleet.isHalted
    const providers = fleet.sights()
    for (const { name, refusal } of fleet.providers) if (refusal !== null) this.#unread.forget(name)
    if (!providers.some(({ isUp }) => isUp)) this.#isConfirmed = false
    const shown = fleet.up.filter(({ isSilent }) => !isSilent).map(({ name }) => name)
    this.#health.update({
      storeFails: this.#storeFailures > 0,
      isHalted: fleet.isHalted,
      providers,
      isStarting: this.#isStarting,
      isConfirmed: this.#isConfirmed,
      isBehind: this.#isBehind,
      isOwed: this.#hasNews || this.#unread.isAny,
      lagMs: this.#unread.lagMs(shown, clock.now()),
      disagree: agreement.isBroken || contradicted(),
      balancesUnread: balancesUnread(),
    })
  }

  /** The stored cursor is the head, or an ancestor of it. */
  #arrived(): void {
    this.#isStarting = false
    this.#isConfirmed = true
  }

  #report(health: ChainHealth): void {
    const { visibility, reason } = health
    const state = `${visibility} ${reason}`
    if (state !== this.#logged)
      this.#parts.log.info({ visibility, reason }, 'the visibility of the chain changed')
    this.#logged = state
    this.#parts.report(health)
  }
}

type NothingToRead = Pick<NoChoice, 'isBehind' | 'isAtHead' | 'restMs'>
