import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'

/** Whether one part works, and if not, a short reason for people, never the error itself. */
export interface Check {
  readonly ok: boolean
  readonly reason: string | null
}

/**
 * Resolves with null when its part works, else with a short reason; a rejection means that it does
 * not work. The signal cancels the probe.
 */
export type ReadinessProbe = (signal: AbortSignal) => Promise<string | null>

const probeMsMax = 2_000

/**
 * Whether load balancers should send requests to this process. Anyone may ask, several at a time,
 * so all requests that come while a round of probes runs share its result.
 */
export class Readiness {
  readonly #probes: Readonly<Record<string, ReadinessProbe>>
  readonly #clock: Clock
  readonly #log: Log
  /** The reason that was logged last for each part. */
  readonly #logged = new Map<string, string | null>()
  #running: Promise<Readonly<Record<string, Check>>> | null = null

  constructor(probes: Readonly<Record<string, ReadinessProbe>>, needs: { clock: Clock; log: Log }) {
    this.#probes = probes
    this.#clock = needs.clock
    this.#log = needs.log
  }

  /** Never rejects. */
  check(): Promise<Readonly<Record<string, Check>>> {
    this.#running ??= this.#checkAll().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #checkAll(): Promise<Readonly<Record<string, Check>>> {
    const names = Object.keys(this.#probes)
    const checks = await Promise.all(names.map((name) => this.#checkOne(name)))
    return Object.fromEntries(names.map((name, index) => [name, checks[index] ?? failed]))
  }

  async #checkOne(name: string): Promise<Check> {
    const probe = this.#probes[name]
    if (probe === undefined) return failed
    const ended = new AbortController()
    const timeUp = this.#clock.sleep(probeMsMax, ended.signal).then((): Check => late)
    try {
      const check = await Promise.race([probe(ended.signal).then(checkOf), timeUp])
      this.#logChange(name, check)
      return check
    } catch (error) {
      this.#logChange(name, failed, error)
      return failed
    } finally {
      ended.abort(new Error('the probe is over'))
    }
  }

  /** Logs each change once: a load balancer repeats the check every second. */
  #logChange(name: string, { ok, reason }: Check, error?: unknown): void {
    if ((this.#logged.get(name) ?? null) === reason) return
    this.#logged.set(name, reason)
    if (ok) this.#log.info({ area: 'http', what: name }, 'ready again')
    else
      this.#log.error(
        { area: 'http', what: name, reason, ...(error !== undefined && { error }) },
        'not ready',
      )
  }
}

const checkOf = (reason: string | null): Check => ({ ok: reason === null, reason })
const late: Check = { ok: false, reason: 'no_answer' }
const failed: Check = { ok: false, reason: 'failed' }
