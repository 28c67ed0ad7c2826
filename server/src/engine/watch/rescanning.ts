import { Failure } from '@settlewire/core/errors'
import type { Policy } from '@settlewire/core/payment/policy'
import type { ChainFollower } from '../../ports/chain.ts'
import type { Clock } from '../../ports/clock.ts'
import type { EventStore } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { OpenRescan, RescanReport, Rescans } from '../../ports/rescan.ts'
import { Rescan } from './rescan.ts'
import type { FollowedChain, WatchIndex } from './watch-index.ts'

export interface RescanningOptions {
  readonly rescans: Rescans
  readonly store: Pick<EventStore, 'load'>
  readonly index: WatchIndex
  readonly policy: Policy
  readonly chains: readonly FollowedChain[]
  /** The follower of a chain; null where this process does not follow it. */
  readonly followerOf: (chain: string) => Pick<ChainFollower, 'rereader'> | null
  /** The last stored block of a chain; null for one never read. */
  readonly headOf: (chain: string) => { readonly head: number } | null
  readonly clock: Pick<Clock, 'sleep'>
  readonly log: Log
}

const retryMs = 1_000
/** How many times in a row a rescan may fail before it is given up with the reason. */
const triesMax = 60

/**
 * Runs the operators' rescans of the chains that this process follows, one per chain at a time. The
 * progress is stored: when this process ends, the next follower of the chain continues from there.
 */
export class Rescanning {
  readonly #options: RescanningOptions
  /** Chains with a rescan running here, each with the end of that run. */
  readonly #running = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()

  constructor(options: RescanningOptions) {
    this.#options = options
  }

  /** Starts the requested rescans of these chains, without awaiting their end. */
  async look(chains: readonly string[]): Promise<void> {
    if (chains.length === 0 || this.#closing.signal.aborted) return
    for (const open of await this.#options.rescans.requested(chains)) {
      const { chain } = open.request
      if (this.#running.has(chain)) continue
      const run = this.#run(open).finally(() => this.#running.delete(chain))
      this.#running.set(chain, run)
    }
  }

  /** Resolves when no rescan is running any more. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#running.values())
  }

  /** Never rejects: a rescan that fails now is picked up by the next `look`. */
  async #run(open: OpenRescan): Promise<void> {
    const { log } = this.#options
    const { chain } = open.request
    try {
      await this.#read(open)
    } catch (error) {
      log.warn({ chain, error }, 'a rescan was interrupted; it will be continued')
    }
  }

  async #read(open: OpenRescan): Promise<void> {
    const { rescans, clock, followerOf } = this.#options
    let { turn, report } = open
    let rescan: Rescan | null = null
    const store = async (trouble: string | null, done: boolean): Promise<boolean> => {
      const isOurs = await rescans.report({ id: open.id, turn }, { report, trouble, done })
      turn++
      return isOurs && !done
    }
    for (let tries = 0; !this.#closing.signal.aborted; ) {
      try {
        rescan ??= await this.#open(open, report)
        if (rescan === null) return
        if (!rescan.isDone) await rescan.goOn()
        tries = 0
        report = rescan.report
        if (!(await store(null, rescan.isDone))) return
      } catch (error) {
        if (!isForOperator(error)) throw error
        const isOver = ++tries >= triesMax || error.code === 'invalid_request'
        if (!(await store(error.message, isOver))) return
        await clock.sleep(retryMs, this.#closing.signal)
        // If another process follows the chain now, it continues the rescan.
        if (followerOf(open.request.chain) === null) return
      }
    }
  }

  /**
   * Null when this process no longer follows the chain. Throws `invalid_request` when blocks of
   * this kind of chain cannot be read again.
   */
  async #open({ request }: OpenRescan, report: RescanReport | null): Promise<Rescan | null> {
    const { followerOf, headOf, chains, ...parts } = this.#options
    const follower = followerOf(request.chain)
    const chain = chains.find(({ name }) => name === request.chain)
    const head = headOf(request.chain)?.head
    if (follower === null || chain === undefined || head === undefined) return null
    const { rereader } = follower
    if (rereader === undefined) {
      const message = `Cannot rescan ${request.chain}: its kind of chain does not support it.`
      throw new Failure('invalid_request', message)
    }
    return Rescan.open({ ...parts, request, chain, rereader, head }, report)
  }
}

/**
 * Whether to show the error to the operator. A store failure is retried silently; a bug is logged.
 */
const isForOperator = (error: unknown): error is Failure =>
  error instanceof Failure && error.code !== 'store_unavailable'
