import type { BlockRef } from '@settlewire/core/observation'
import type { ChainHealth, ChainStep, Clock, Log } from '../../ports.ts'
import type { Agreement } from './agreement.ts'
import { FinalityWatch } from './finality.ts'
import type { Fleet } from './fleet.ts'
import { HealthReport } from './health.ts'
import type { Limits } from './limits.ts'
import { reasonOf } from './sight.ts'

interface Parts {
  readonly chain: string
  readonly clock: Clock
  readonly limits: Limits
  readonly log: Log
  readonly fleet: Fleet
  readonly agreement: Agreement
  /** Whether one provider says of a block that it did not hold what another showed of it. */
  readonly contradicted: () => boolean
  /** Whether what addresses hold after the last block could not be read. */
  readonly balancesUnread: () => boolean
  readonly tell: (health: ChainHealth) => void
}

/** How well one chain is seen: what its providers show, and what the last try to go on came to. */
export class Outlook {
  readonly #parts: Parts
  readonly #health: HealthReport
  readonly #finality: FinalityWatch
  #isStarting = true
  #isBehind = false
  #isCatchingUp = false
  #storeFailures = 0
  #wasHalted = false
  #said = ''

  constructor(parts: Parts) {
    const { chain, clock, limits, fleet } = parts
    this.#parts = parts
    this.#finality = new FinalityWatch(limits)
    this.#health = new HealthReport(chain, {
      ...{ clock, blindAfterMs: limits.blindAfterMs, scoresEveryMs: limits.scoresEveryMs },
      tell: (health) => this.#tell(health),
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
    if (block !== undefined) this.#health.at(block)
  }

  /** Steps that could not be stored, or positions read, one after the other. */
  get storeFailures(): number {
    return this.#storeFailures
  }

  storeFailed(): void {
    this.#storeFailures++
    this.review()
  }

  /** There is nothing to read now. `isBehind`: for every provider shows less than is stored. */
  waits({ isBehind, isAtHead }: { readonly isBehind: boolean; readonly isAtHead: boolean }): void {
    this.#storeFailures = 0
    this.#isBehind = isBehind
    if (isAtHead) this.#arrived()
    this.review()
  }

  /** A step was stored, and so many blocks are still missing to the head that was aimed at. */
  stepped({ head, applied }: ChainStep, behind: number): void {
    this.#storeFailures = 0
    this.#isBehind = false
    this.#isStarting = false
    this.#isCatchingUp = behind > 0
    this.#finality.moved(head, this.#parts.clock.now())
    const last = applied.at(-1)?.block
    if (last !== undefined) this.#health.moved(last)
    this.review()
  }

  /** Says how well the chain is seen now. */
  review(): void {
    const { fleet, agreement, contradicted, balancesUnread, clock, log } = this.#parts
    if (fleet.isHalted && !this.#wasHalted) {
      log.error({}, 'the chain was rewritten below what is final; it is stopped')
    }
    this.#wasHalted = fleet.isHalted
    this.#health.say(
      reasonOf({
        storeFails: this.#storeFailures > 0,
        isHalted: fleet.isHalted,
        providers: fleet.sights(),
        isStarting: this.#isStarting,
        isBehind: this.#isBehind,
        isCatchingUp: this.#isCatchingUp,
        disagree: agreement.isBroken || contradicted(),
        balancesUnread: balancesUnread(),
        finalityStalled: this.#finality.isStalled(clock.now()),
      }),
    )
  }

  #arrived(): void {
    this.#isStarting = false
    this.#isCatchingUp = false
  }

  #tell(health: ChainHealth): void {
    const { visibility, reason } = health
    const said = `${visibility} ${reason}`
    if (said !== this.#said) this.#parts.log.info({ visibility, reason }, 'sight changed')
    this.#said = said
    this.#parts.tell(health)
  }
}
