import { LRUCache } from 'lru-cache'
import type { ProviderReport } from './sum-witnesses.ts'

/** A report, numbered in order of arrival. */
export interface NumberedReport extends ProviderReport {
  readonly order: number
}

/**
 * How many reports may wait per chain. If the oldest is dropped, it is not recorded. The money
 * still counts.
 */
const keptMax = 10_000
const rememberedMax = 10_000

export const inclusionKeyOf = ({ inclusion: { block, txHash } }: ProviderReport): string =>
  `${block.hash} ${txHash}`

/** An inclusion and the provider that reports about it. */
export const keyOf = (report: ProviderReport): string =>
  `${inclusionKeyOf(report)} ${report.source}`

/**
 * Reports that cannot be recorded yet, per chain in order of arrival. Of one provider and inclusion
 * it keeps the latest report, and a denial before that: a denial is a fact, even if the provider
 * took it back before it could be stored. An older report is never recorded after a newer denial,
 * because money that its only provider denies by now would count again.
 */
export class ReportQueue {
  readonly #kept = new Map<string, NumberedReport[]>()
  /** How many denials are not stored yet, by provider and inclusion. */
  readonly #denials = new Map<string, number>()
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
   * Splits off the reports that can be stored now, and keeps the others. A report is kept when
   * `mustWait` is true for it. A confirmation is also kept while an earlier denial of the same
   * provider is not stored. Call `answered` once the store has answered.
   */
  send(
    chain: string,
    reports: readonly NumberedReport[],
    mustWait: (report: NumberedReport) => boolean,
  ): readonly NumberedReport[] {
    return reports.filter((report) => {
      const isHeld = mustWait(report) || (!report.denies && this.#denials.has(keyOf(report)))
      if (isHeld) this.#keep(chain, report)
      else this.#count(report, 1)
      return !isHeld
    })
  }

  /** The store has answered about these reports: keeps those that must be tried again. */
  answered(
    chain: string,
    reports: readonly NumberedReport[],
    unstored: readonly NumberedReport[],
  ): void {
    for (const report of unstored) this.#keep(chain, report)
    for (const report of reports) this.#count(report, -1)
  }

  /**
   * Removes the waiting reports of a chain and returns them, oldest first. Call `release` for each
   * right before it is sent.
   */
  drain(chain: string): readonly NumberedReport[] {
    const kept = this.#kept.get(chain) ?? []
    this.#kept.delete(chain)
    return kept
  }

  /** The report was drained. False if a newer one has taken its place, so it must be dropped. */
  release(report: NumberedReport): boolean {
    this.#count(report, -1)
    return !this.#isOld(report)
  }

  #keep(chain: string, report: NumberedReport): void {
    if (this.#isOld(report)) return
    const kept = this.#kept.get(chain) ?? []
    this.#kept.set(chain, kept)
    // Most reports are kept in the order of their arrival, so this looks at the last one only.
    const before = kept.findLastIndex(({ order }) => order < report.order)
    kept.splice(before + 1, 0, report)
    this.#count(report, 1)
    const dropped = kept.length > keptMax ? kept.shift() : undefined
    if (dropped !== undefined) this.#count(dropped, -1)
  }

  #count(report: NumberedReport, by: 1 | -1): void {
    if (!report.denies) return
    const key = keyOf(report)
    const count = (this.#denials.get(key) ?? 0) + by
    if (count === 0) this.#denials.delete(key)
    else this.#denials.set(key, count)
  }

  #isOld(report: NumberedReport): boolean {
    const latest = report.denies ? this.#latestDenial : this.#latest
    return (latest.get(keyOf(report)) ?? 0) > report.order
  }
}

const numbers = (): LRUCache<string, number> =>
  // Limited by `maxSize`: with `max`, the cache would allocate all entries at once.
  new LRUCache({ maxSize: rememberedMax, sizeCalculation: () => 1 })
