import { Failure } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { LeaseHolder, Leases } from '../../server/src/ports/processes.ts'
import type { ManualClock } from './manual-clock.ts'

interface Row extends LeaseHolder {
  readonly token: number
  readonly expiresAt: Instant
}

/**
 * The lease table in the time of a manual clock, under the same contract (`lease-contract.ts`) as
 * PostgreSQL: the holder renews a lease, another takes it when it has expired or was held at the
 * same place, and its token counts the holders. The connection to it may be slow, cut, or lose
 * answers of calls that took effect.
 */
export class LeaseTable {
  readonly #clock: ManualClock
  readonly #rows = new Map<string, Row>()

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  /** The holder of a lease, as another process sees it; null when it is free. */
  holderOf(lease: string): string | null {
    const row = this.#rows.get(lease)
    return row === undefined || row.expiresAt < this.#clock.now() ? null : row.process
  }

  keep(holder: LeaseHolder, leases: readonly string[], forMs: number): ReadonlyMap<string, number> {
    const now = this.#clock.now()
    const held = new Map<string, number>()
    for (const lease of leases) {
      const row = this.#rows.get(lease)
      const isFree = row === undefined || row.place === holder.place || row.expiresAt < now
      if (!isFree) continue
      const isOurs = row?.process === holder.process
      const token = isOurs ? row.token : (row?.token ?? 0) + 1
      this.#rows.set(lease, { ...holder, token, expiresAt: now + forMs })
      held.set(lease, token)
    }
    return held
  }

  giveBack({ process }: LeaseHolder): void {
    for (const [lease, row] of this.#rows) {
      if (row.process !== process) continue
      this.#rows.set(lease, { ...row, expiresAt: Number.NEGATIVE_INFINITY })
    }
  }
}

/** The state of one process's connection to the table. */
export type Way = 'open' | 'cut' | 'loses answers' | 'hangs'

/** The connection of one process to the table. */
export class LeaseLine implements Leases {
  readonly #table: LeaseTable
  readonly #clock: ManualClock
  readonly #hanging: (() => void)[] = []
  way: Way = 'open'
  delayMs = 0

  constructor(table: LeaseTable, clock: ManualClock) {
    this.#table = table
    this.#clock = clock
  }

  /** Lets hanging calls go through now, in their order. */
  release(): void {
    this.way = 'open'
    for (const go of this.#hanging.splice(0)) go()
  }

  async keep(holder: LeaseHolder, leases: readonly string[], forMs: number) {
    return this.#reach(() => this.#table.keep(holder, leases, forMs))
  }

  async giveBack(holder: LeaseHolder): Promise<void> {
    await this.#reach(() => this.#table.giveBack(holder))
  }

  async #reach<Result>(call: () => Result): Promise<Result> {
    if (this.delayMs > 0) await this.#clock.sleep(this.delayMs)
    if (this.way === 'hangs') await new Promise<void>((resolve) => this.#hanging.push(resolve))
    if (this.way === 'cut') throw new Failure('store_unavailable')
    const result = call()
    if (this.way === 'loses answers') throw new Failure('store_unavailable')
    return result
  }
}
