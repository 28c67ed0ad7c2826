import type { Keys, Principal } from '../ports/access.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Stop } from '../ports/stop.ts'
import { type KeyRefusal, refusalOf } from './key-refusal.ts'
import { WhileNeeded } from './while-needed.ts'

/** Called once, when the key of an open stream or long-poll is no longer valid. */
export type Refused = (code: KeyRefusal) => void

export interface KeyWatchOptions {
  readonly keys: Pick<Keys, 'standings'>
  readonly clock: Clock
  readonly log: Log
}

/** A long-poll that ends early when its key is refused. */
export interface HeldWait {
  /** Aborts when the key is refused. */
  readonly signal: AbortSignal
  /** Null as long as the key is valid. */
  refusal(): KeyRefusal | null
  release(): void
}

/**
 * PROTOCOL.md promises two seconds from the commit of the change, including a slow database query.
 */
const everyMs = 500
const nothing: Stop = () => undefined

/**
 * Ends streams and long-polls whose key was revoked, has expired, or belongs to a merchant that was
 * disabled, by any process. A new request checks its key itself; only connections that stay open
 * must be ended. One query twice a second covers all keys that have one open; without open ones
 * there is no query.
 */
export class KeyWatch {
  readonly #options: KeyWatchOptions
  readonly #held = new Map<string, Set<Refused>>()
  readonly #looks: WhileNeeded

  constructor(options: KeyWatchOptions) {
    this.#options = options
    const { clock, log } = options
    const what = 'could not read whether keys were revoked'
    this.#looks = new WhileNeeded(
      { clock, log, everyMs, what },
      () => this.#held.size > 0,
      () => this.#look(),
    )
  }

  /**
   * Watches until stopped. Client secrets and cookies are not watched: they have no key to revoke.
   */
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

  /** The same, for a long-poll. */
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
      // A key without a row was deleted by hand: it counts as revoked.
      const code = standing === undefined ? 'key_revoked' : refusalOf(standing, clock.now())
      const holders = this.#held.get(id)
      if (code === null || holders === undefined) continue
      this.#held.delete(id)
      const count = holders.size
      log.info({ area: 'http', code, count }, 'ended the streams and long-polls of a refused key')
      for (const refused of [...holders]) refused(code)
    }
  }
}
