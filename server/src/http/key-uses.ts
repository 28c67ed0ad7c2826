import type { Instant } from '@settlewire/core/instant'
import type { Keys } from '../ports/access.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { WhileNeeded } from './while-needed.ts'

export interface KeyUsesOptions {
  readonly keys: Pick<Keys, 'noteUses'>
  readonly clock: Clock
  readonly log: Log
}

const lookEveryMs = 5_000
const notWritten = 'could not write when keys were last used'
/**
 * The last use of a key is written at most this often, however many requests it makes, and once
 * more when the server closes.
 */
const writeEveryMs = 60_000

/**
 * When keys were last used. A request only notes the time in memory. A timer writes it later, for
 * all keys in one statement, so that a request costs no commit.
 */
export class KeyUses {
  readonly #options: KeyUsesOptions
  /** Keys used since their last write. */
  readonly #noted = new Map<string, Instant>()
  readonly #writtenAt = new Map<string, Instant>()
  readonly #writes: WhileNeeded

  constructor(options: KeyUsesOptions) {
    this.#options = options
    const { clock, log } = options
    this.#writes = new WhileNeeded(
      { clock, log, everyMs: lookEveryMs, what: notWritten },
      () => this.#noted.size > 0,
      () => this.#write(false),
    )
  }

  note(keyId: string): void {
    this.#noted.set(keyId, this.#options.clock.now())
    this.#writes.need()
  }

  /** Writes the uses that are still in memory. Never rejects. */
  async close(): Promise<void> {
    await this.#writes.close()
    await this.#write(true).catch((error: unknown) => {
      this.#options.log.warn({ area: 'http', error }, notWritten)
    })
  }

  async #write(all: boolean): Promise<void> {
    const now = this.#options.clock.now()
    for (const [id, at] of this.#writtenAt) {
      if (now - at >= writeEveryMs) this.#writtenAt.delete(id)
    }
    const due = new Map([...this.#noted].filter(([id]) => all || !this.#writtenAt.has(id)))
    if (due.size === 0) return
    await this.#options.keys.noteUses(due)
    for (const [id, at] of due) {
      this.#writtenAt.set(id, now)
      // Requests may have used the key again meanwhile.
      if (this.#noted.get(id) === at) this.#noted.delete(id)
    }
  }
}
