import { plain, revive } from '@settlewire/core/history/plain-json'
import type { LookUp } from '../../ports/chain.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Bulletin, LookUpRequest } from '../../ports/processes.ts'
import type { LookUpOn } from '../payment/claim-search.ts'

export interface LookUpsOptions {
  readonly bulletin: Pick<Bulletin, 'ask' | 'questions' | 'answer' | 'answerTo' | 'withdraw'>
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  readonly log: Log
  /** Whether this process follows the chain. */
  readonly follows: (chain: string) => boolean
  /** Asks the providers of a chain that is followed here. Never rejects. */
  readonly lookUp: LookUpOn
  /** Resolves when this process has read every commit made before, by any process. */
  readonly readNews: () => Promise<void>
}

/** How long to wait for the answer of another process; after that the result is `unsure`. */
const waitMs = 4_000
const lookEveryMs = 100
/** How many requests of other processes are answered at once. */
const answeringMax = 32

const unsure: LookUp = { kind: 'unsure' }

/**
 * Asks the providers of a chain about a transaction. When another process follows the chain, asks
 * that process through the store.
 */
export class LookUps {
  readonly #options: LookUpsOptions
  readonly #answering = new Set<number>()

  constructor(options: LookUpsOptions) {
    this.#options = options
  }

  /** Never rejects; without an answer in time the result is `unsure`. */
  readonly lookUp: LookUpOn = async (chain, txHash) => {
    const { follows, lookUp, log } = this.#options
    if (follows(chain)) return lookUp(chain, txHash)
    return this.#ask(chain, txHash).catch((error: unknown) => {
      log.warn({ chain, error }, 'could not ask the process that follows the chain')
      return unsure
    })
  }

  /** Starts to answer other processes' requests for these chains, without awaiting the answers. */
  async answer(chains: readonly string[]): Promise<void> {
    if (chains.length === 0) return
    const { bulletin, readNews } = this.#options
    const requests = await bulletin.questions(chains)
    // The payment that a transaction pays may be moments old and must be known here to name it.
    if (requests.length > 0) await readNews()
    for (const request of requests) {
      if (this.#answering.size >= answeringMax) return
      if (!this.#answering.has(request.id)) void this.#answer(request)
    }
  }

  async #ask(chain: string, txHash: string): Promise<LookUp> {
    const { bulletin, clock } = this.#options
    const id = await bulletin.ask(chain, txHash)
    const until = clock.now() + waitMs
    while (clock.now() < until) {
      await clock.sleep(lookEveryMs)
      const body = await bulletin.answerTo(id)
      // Written by a process of this server, so it is not validated.
      if (body !== null) return revive(JSON.parse(body)) as LookUp
    }
    await bulletin.withdraw(id)
    return unsure
  }

  /** Never rejects. */
  async #answer({ id, chain, txHash }: LookUpRequest): Promise<void> {
    const { bulletin, lookUp, log } = this.#options
    this.#answering.add(id)
    try {
      await bulletin.answer(id, JSON.stringify(plain(await lookUp(chain, txHash))))
    } catch (error) {
      log.warn({ chain, error }, 'could not answer the look-up of another process')
    } finally {
      this.#answering.delete(id)
    }
  }
}
