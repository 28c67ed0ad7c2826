import type { Instant } from '@settlewire/core/instant'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Fence, Holder, Leases } from '../../ports/processes.ts'
import { Repeat } from '../time/repeat.ts'

/** The lease on letting time pass for payments. */
export const deadlinesLease = 'deadlines'
/** The lease on following a chain. */
export const leaseOf = (chain: string): string => `chain:${chain}`

/** Who dies without a word is followed by another after this, and one more round of that one. */
const leaseMs = 5_000
const keepEveryMs = 1_000

export interface LeaseKeeperOptions {
  readonly leases: Leases
  readonly clock: Clock
  readonly log: Log
  /** Where this process runs. */
  readonly place: string
  /** All that this process could do. */
  readonly names: readonly string[]
  /** The work is ours from now on. */
  readonly won: (fence: Fence) => void
  /** It is not any more, or that cannot be known: it must come to an end. */
  readonly lost: (lease: string) => void
}

/**
 * Holds what is free of all that this process could do, and says when something is won or lost. What
 * is thought to be held proves nothing: a process can sleep past the end of its lease without knowing.
 * That is why what it writes carries the token, and the store refuses it once another has one.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions
  readonly #holder: Holder
  readonly #held = new Map<string, number>()
  readonly #repeat: Repeat
  #round: Promise<void> | null = null
  /** Until when nobody else can hold them. */
  #sureUntil: Instant = 0

  constructor(options: LeaseKeeperOptions) {
    this.#options = options
    const { clock, log } = options
    this.#holder = { place: options.place, process: Buffer.from(clock.random(16)).toString('hex') }
    const what = 'leases could not be kept'
    this.#repeat = new Repeat({ clock, log, everyMs: keepEveryMs, what }, () => this.#keep())
  }

  /** Resolves when it is known what is free. Never rejects. */
  async start(): Promise<void> {
    await this.#repeat.now()
    this.#repeat.start()
  }

  /** Something was refused because of a lease: what is held is looked at now. Never rejects. */
  look(): Promise<void> {
    return this.#repeat.now()
  }

  /** Takes nothing more. What is held is not prolonged. */
  close(): Promise<void> {
    return this.#repeat.close()
  }

  /** Others may go on at once: nothing may be under way any more. */
  async giveBack(): Promise<void> {
    if (this.#held.size > 0) await this.#options.leases.giveBack(this.#holder)
    this.#held.clear()
  }

  #keep(): Promise<void> {
    this.#round ??= this.#keepOnce().finally(() => {
      this.#round = null
    })
    return this.#round
  }

  async #keepOnce(): Promise<void> {
    const { leases, clock, names } = this.#options
    const asked = clock.now()
    try {
      const held = await leases.keep(this.#holder, names, leaseMs)
      this.#sureUntil = asked + leaseMs
      this.#take(held)
    } catch (error) {
      // Another may have them by now; if it has not, the next round wins them again.
      if (clock.now() > this.#sureUntil) this.#take(new Map())
      throw error
    }
  }

  #take(held: ReadonlyMap<string, number>): void {
    const { won, lost, log } = this.#options
    for (const [lease, token] of [...this.#held]) {
      if (held.get(lease) === token) continue
      this.#held.delete(lease)
      log.warn({ what: lease }, 'a lease was lost: this process stands by')
      lost(lease)
    }
    for (const [lease, token] of held) {
      if (this.#held.has(lease)) continue
      this.#held.set(lease, token)
      log.info({ what: lease, token }, 'a lease was won')
      won({ lease, token })
    }
  }
}
