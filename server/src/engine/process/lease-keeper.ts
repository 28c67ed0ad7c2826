import type { Instant } from '@settlewire/core/instant'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Fence, LeaseHolder, Leases } from '../../ports/processes.ts'
import { Repeat } from '../time/repeat.ts'

/** The lease for handling the deadlines of payments. */
export const deadlinesLease = 'deadlines'
/** The lease for following a chain. */
export const leaseOf = (chain: string): string => `chain:${chain}`

/**
 * How long leases last. If a process dies, another one takes over after this and one more round.
 */
const leaseMs = 5_000
const keepEveryMs = 1_000

export interface LeaseKeeperOptions {
  readonly leases: Leases
  readonly clock: Clock
  readonly log: Log
  /** Where this process runs: the `place` of `LeaseHolder`. */
  readonly place: string
  /** The names of all leases that this process could use. */
  readonly names: readonly string[]
  /** Called when a lease was won: its work is ours from now on. */
  readonly won: (fence: Fence) => void
  /** Called when a lease was lost, or may have been: its work must end. */
  readonly lost: (lease: string) => void
}

/**
 * Holds every free lease that this process could use, and reports each one won or lost. The local
 * state proves nothing, because a process can sleep past the end of its lease without noticing. So
 * every write carries the token, and the store refuses it once another process has a newer one.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions
  readonly #holder: LeaseHolder
  readonly #held = new Map<string, number>()
  readonly #repeat: Repeat
  #round: Promise<void> | null = null
  /** Whether the leases were returned: they are not taken again. */
  #isOver = false
  /** Until when no other process can have our leases. */
  #sureUntil: Instant = 0

  constructor(options: LeaseKeeperOptions) {
    this.#options = options
    const { clock, log } = options
    this.#holder = { place: options.place, process: Buffer.from(clock.random(16)).toString('hex') }
    const what = 'leases could not be renewed'
    this.#repeat = new Repeat({ clock, log, everyMs: keepEveryMs, what }, () => this.#keep())
  }

  /** Resolves when the free leases were taken. Never rejects. */
  async start(): Promise<void> {
    await this.#repeat.runNow()
    this.#repeat.start()
  }

  /**
   * Checks the leases now, because a write was refused. Never rejects.
   * After `giveBack` it does nothing.
   */
  look(): Promise<void> {
    return this.#repeat.runNow()
  }

  /** Stops the timer. Until `giveBack`, only `look` checks the leases. */
  close(): Promise<void> {
    return this.#repeat.close()
  }

  /** Returns the leases, for other processes to take at once. Call it when all work has ended. */
  async giveBack(): Promise<void> {
    this.#isOver = true
    // A round that is under way could take them again.
    await this.#round?.catch(() => undefined)
    if (this.#held.size > 0) await this.#options.leases.giveBack(this.#holder)
    this.#held.clear()
  }

  #keep(): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    this.#round ??= this.#keepOnce().finally(() => {
      this.#round = null
    })
    return this.#round
  }

  async #keepOnce(): Promise<void> {
    const { leases, clock, names } = this.#options
    const requestedAt = clock.now()
    try {
      const held = await leases.keep(this.#holder, names, leaseMs)
      this.#sureUntil = requestedAt + leaseMs
      this.#take(held)
    } catch (error) {
      // Another process may have the leases by now; if not, the next round wins them again.
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
