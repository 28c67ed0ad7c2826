import { Failure } from '@settlewire/core/errors'

/** Something to be done once under a name. Without a name it is simply done. */
export interface Errand<T> {
  readonly name: string | null
  /** What tells this request from another one under the same name. */
  readonly asked: string
  readonly run: () => Promise<T>
}

/** How it was answered. */
export interface Done<T> {
  readonly answer: T
  readonly isReplay: boolean
}

interface Known<T> {
  readonly asked: string
  /** Null while it runs. */
  answer: T | null
}

const knownMax = 1_000

/**
 * Idempotency for what is not in the history: a payment of the sandbox's wallet leaves no row of
 * ours. It lasts as long as the process, for the last thousand names; what failed may be tried again.
 */
export class OnceInMemory<T extends object> {
  readonly #known = new Map<string, Known<T>>()

  /** Throws `idempotency_key_reused` or `idempotency_in_progress`, or what `run` throws. */
  async do({ name, asked, run }: Errand<T>): Promise<Done<T>> {
    if (name === null) return { answer: await run(), isReplay: false }
    const known = this.#known.get(name)
    if (known !== undefined) {
      if (known.asked !== asked) throw new Failure('idempotency_key_reused')
      if (known.answer !== null) return { answer: known.answer, isReplay: true }
      throw new Failure('idempotency_in_progress', undefined, { retryAfterSeconds: 1 })
    }
    const entry: Known<T> = { asked, answer: null }
    this.#known.set(name, entry)
    let answer: T
    try {
      answer = await run()
      entry.answer = answer
    } catch (error) {
      this.#known.delete(name)
      throw error
    }
    this.#forgetOldest()
    return { answer, isReplay: false }
  }

  #forgetOldest(): void {
    for (const [name, { answer }] of this.#known) {
      if (this.#known.size <= knownMax) return
      if (answer !== null) this.#known.delete(name)
    }
  }
}
