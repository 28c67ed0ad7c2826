import type { Keys, Principal } from '../ports/access.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Stop } from '../ports/stop.ts'
import { type KeyRefusal, refusalOf } from './key-refusal.ts'
import { WhileNeeded } from './while-needed.ts'

/** Called once, when the key that holds something open is refused from now on. */
export type Refused = (code: KeyRefusal) => void

export interface KeyWatchOptions {
  readonly keys: Pick<Keys, 'standings'>
  readonly clock: Clock
  readonly log: Log
}

/** A wait that ends early when its key is refused. */
export interface HeldWait {
  /** Aborts then. */
  readonly signal: AbortSignal
  /** Null as long as the key is good. */
  refusal(): KeyRefusal | null
  release(): void
}

/** PROTOCOL.md promises two seconds from the commit of the change, the question and a slow answer included. */
const everyMs = 500
const nothing: Stop = () => undefined

/**
 * What keys hold open here: streams, and questions that wait. Each request looks its key up by itself;
 * only what stays open must hear of a change, which may have been made by any process. One question twice a
 * second for all keys that hold something, and none while nothing is held.
 */
export class KeyWatch {
  readonly #options: KeyWatchOptions
  readonly #held = new Map<string, Set<Refused>>()
  readonly #looks: WhileNeeded

  constructor(options: KeyWatchOptions) {
    this.#options = options
    const { clock, log } = options
    const what = 'whether keys were revoked was not read'
    this.#looks = new WhileNeeded(
      { clock, log, everyMs, what },
      () => this.#held.size > 0,
      () => this.#look(),
    )
  }

  /** Until it is stopped. What a client secret or a cookie opened has no key that could be revoked. */
  hold({ keyId }: Pick<Principal, 'keyId'>, refused: Refused): Stop {
    if (keyId === null) return nothing
    const holders = this.#held.get(keyId) ?? new Set()
    this.#held.set(keyId, holders.add(refused))
    this.#looks.need()
    return () => {
      holders.delete(refused)
      if (holders.size === 0 && this.#held.get(keyId) === holders) this.#held.delete(keyId)
    }
  }

  /** The same, for a question that waits. */
  holdWait(principal: Pick<Principal, 'keyId'>): HeldWait {
    const over = new AbortController()
    let refusal: KeyRefusal | null = null
    const release = this.hold(principal, (code) => {
      refusal = code
      over.abort()
    })
    return { signal: over.signal, refusal: () => refusal, release }
  }

  close(): Promise<void> {
    return this.#looks.close()
  }

  async #look(): Promise<void> {
    if (this.#held.size === 0) return
    const { keys, clock, log } = this.#options
    const ids = [...this.#held.keys()]
    const standings = await keys.standings(ids)
    for (const id of ids) {
      const standing = standings.get(id)
      // A key whose row is gone was removed by hand, which is the most thorough way to revoke it.
      const code = standing === undefined ? 'key_revoked' : refusalOf(standing, clock.now())
      const holders = this.#held.get(id)
      if (code === null || holders === undefined) continue
      this.#held.delete(id)
      log.info({ area: 'http', code, count: holders.size }, 'ended what a refused key held open')
      for (const refused of [...holders]) refused(code)
    }
  }
}
