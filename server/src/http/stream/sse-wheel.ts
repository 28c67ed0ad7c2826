import type { Clock } from '../../ports/clock.ts'
import type { Stop } from '../../ports/stop.ts'

const slotCount = 30
/** Each step varies by up to this fraction, so that heartbeats do not synchronize with others. */
const jitter = 0.1

/** The options of a wheel. Each member is visited once per turn, together with its slot. */
interface WheelNeeds<T> {
  readonly clock: Clock
  readonly turnMs: number
  readonly visit: (members: readonly T[]) => void
}

/**
 * Visits many members periodically with one timer: no member needs its own, and visits are spread
 * over the whole turn. The timer runs only while there is a member.
 */
export class Wheel<T> {
  readonly #needs: WheelNeeds<T>
  readonly #slots: readonly Set<T>[] = Array.from({ length: slotCount }, () => new Set<T>())
  #size = 0
  #at = 0
  #stop: Stop | null = null

  constructor(needs: WheelNeeds<T>) {
    this.#needs = needs
  }

  add(member: T): void {
    this.#slots[Math.floor(this.#needs.clock.chance() * slotCount)]?.add(member)
    if (this.#size++ === 0) this.#turn()
  }

  delete(member: T): void {
    if (!this.#slots.some((slot) => slot.delete(member))) return
    if (--this.#size === 0) this.#stop?.()
  }

  /** All members, by slot: about as many in each. */
  get slots(): readonly ReadonlySet<T>[] {
    return this.#slots
  }

  #turn(): void {
    const { clock, turnMs, visit } = this.#needs
    const stepMs = (turnMs / slotCount) * (1 - jitter + 2 * jitter * clock.chance())
    this.#stop = clock.after(stepMs, () => {
      this.#turn()
      this.#at = (this.#at + 1) % slotCount
      const members = this.#slots[this.#at]
      if (members && members.size > 0) visit([...members])
    })
  }
}
