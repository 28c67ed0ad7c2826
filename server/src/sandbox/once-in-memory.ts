import { Failure } from '@settlewire/core/errors'

/** Work that is done once per name; without a name it is done each time. */
export interface Errand<T> {
  readonly name: string | null
  /** The content of the request, which differs for another request with the same name. */
  readonly asked: string
  readonly run: () => Promise<T>
}

/** The answer, and whether it is repeated. */
export interface Done<T> {
  readonly answer: T
  readonly isReplay: boolean
}

interface AnswerInMemory<T> {
  readonly asked: string
  /** Null while the work runs. */
  answer: T | null
}

const knownMax = 1_000

/**
 * Idempotency for work that is not in the history, such as payments of the sandbox's wallet. It
 * remembers the last thousand names until the process ends; failed work may be retried.
 */
export class OnceInMemory<T extends object> {
  readonly #known = new Map<string, AnswerInMemory<T>>()

  /** Throws `idempotency_key_reused` or `idempotency_in_progress`, or what `run` throws. */
  async do({ name, asked, run }: Errand<T>): Promise<Done<T>> {
    if (name === null) return { answer: await run(), isReplay: false }
    const known = this.#known.get(name)
    if (known !== undefined) {
      if (known.asked !== asked) throw new Failure('idempotency_key_reused')
      if (known.answer !== null) return { answer: known.answer, isReplay: true }
      throw new Failure('idempotency_in_progress', undefined, { retryAfterSeconds: 1 })
    }
    const entry: AnswerInMemory<T> = { asked, answer: null }
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
