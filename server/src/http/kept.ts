import type { Instant } from '@settlewire/core/instant'
import type { Clock } from '../ports/clock.ts'

interface KeptNeeds<T> {
  readonly clock: Pick<Clock, 'now'>
  readonly keepMs: number
  readonly make: () => Promise<T>
}

/**
 * A value that concurrent callers share and that is cached for `keepMs`. Failures are not cached.
 */
export class KeptValue<T> {
  readonly #needs: KeptNeeds<T>
  #value: Promise<T> | null = null
  #madeAt: Instant = 0

  constructor(needs: KeptNeeds<T>) {
    this.#needs = needs
  }

  get(): Promise<T> {
    const { clock, keepMs, make } = this.#needs
    const now = clock.now()
    if (this.#value !== null && now - this.#madeAt < keepMs) return this.#value
    this.#madeAt = now
    const value = make()
    this.#value = value
    value.catch(() => {
      if (this.#value === value) this.#value = null
    })
    return value
  }
}
