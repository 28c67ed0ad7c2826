import { LRUCache } from 'lru-cache'
import type { ProviderReport } from './sum-witnesses.ts'

/** A report, numbered in order of arrival. */
export interface NumberedReport extends ProviderReport {
  readonly order: number
}

/** How many reports may wait per chain. Dropping the oldest costs a flag, no money. */
const keptMax = 10_000
const rememberedMax = 10_000

export const inclusionOf = ({ inclusion: { block, txHash } }: ProviderReport): string =>
  `${block.hash} ${txHash}`

/** An inclusion and the provider that reports about it. */
export const keyOf = (report: ProviderReport): string => `${inclusionOf(report)} ${report.source}`

/**
 * Reports that cannot be recorded yet, per chain in order of arrival. Of one provider and inclusion
 * it keeps the latest report, and a denial before that: a denial is a fact, even if the provider
 * took it back before it could be stored. An older report is never recorded after a newer denial,
 * because money that its only provider denies by now would count again.
 */
export class ReportQueue {
  readonly #kept = new Map<string, readonly NumberedReport[]>()
  /** Denials that are being stored. */
  readonly #sent = new Set<NumberedReport>()
  /** The numbers of the latest report and of the latest denial, by provider and inclusion. */
  readonly #latest = numbers()
  readonly #latestDenial = numbers()
  #order = 0

  /** Numbers reports that have just arrived. */
  number(reports: readonly ProviderReport[]): readonly NumberedReport[] {
    return reports.map((report) => {
      const order = ++this.#order
      this.#latest.set(keyOf(report), order)
      if (report.denies) this.#latestDenial.set(keyOf(report), order)
      return { ...report, order }
    })
  }

  /**
   * Splits off the reports that can be stored now, and keeps the others. A report waits when `waits`
   * says so, or when an earlier denial of the same provider is not stored yet. Call `answered` once
   * the store has answered.
   */
  send(
    chain: string,
    reports: readonly NumberedReport[],
    waits: (report: NumberedReport) => boolean,
  ): readonly NumberedReport[] {
    const denied = new Set(
      [...this.#sent, ...(this.#kept.get(chain) ?? [])]
        .filter(({ denies }) => denies)
        .map((report) => keyOf(report)),
    )
    const ready: NumberedReport[] = []
    const waiting: NumberedReport[] = []
    for (const report of reports) {
      const isHeld = waits(report) || (!report.denies && denied.has(keyOf(report)))
      ;(isHeld ? waiting : ready).push(report)
      if (!report.denies) continue
      denied.add(keyOf(report))
      if (!isHeld) this.#sent.add(report)
    }
    this.keep(chain, waiting)
    return ready
  }

  /** The store has answered about these reports: keeps those that must be tried again. */
  answered(
    chain: string,
    reports: readonly NumberedReport[],
    again: readonly NumberedReport[],
  ): void {
    for (const report of reports) this.#sent.delete(report)
    this.keep(chain, again)
  }

  keep(chain: string, reports: readonly NumberedReport[]): void {
    const known = this.#kept.get(chain) ?? []
    const kept = [...known, ...reports].filter((report) => !this.#isOld(report))
    if (kept.length === 0) this.#kept.delete(chain)
    else this.#kept.set(chain, kept.sort((a, b) => a.order - b.order).slice(-keptMax))
  }

  /** Removes and returns the waiting reports of a chain, oldest first. */
  drain(chain: string): readonly NumberedReport[] {
    const kept = this.#kept.get(chain) ?? []
    this.#kept.delete(chain)
    return kept.filter((report) => !this.#isOld(report))
  }

  #isOld(report: NumberedReport): boolean {
    const latest = report.denies ? this.#latestDenial : this.#latest
    return (latest.get(keyOf(report)) ?? 0) > report.order
  }
}

const numbers = (): LRUCache<string, number> =>
  // By size, as with `max` the cache reserves all entries at once.
  new LRUCache({ maxSize: rememberedMax, sizeCalculation: () => 1 })
