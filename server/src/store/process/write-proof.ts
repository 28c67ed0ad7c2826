import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../database.ts'
import { type StoreTrouble, troubleOf } from '../sql-error.ts'

/** A proof stays valid for this long, so that frequent callers cause few writes per process. */
const goodForMs = 3_000

const statement = { name: 'prove_writes', text: 'select settlewire_prove_writes()' }

/** Finds out whether the database accepts writes by making one. */
export class WriteProof {
  readonly #database: Pick<Database, 'query'>
  readonly #clock: Pick<Clock, 'now'>
  #provenAt = Number.NEGATIVE_INFINITY
  #running: Promise<StoreTrouble | null> | null = null

  constructor(database: Pick<Database, 'query'>, clock: Pick<Clock, 'now'>) {
    this.#database = database
    this.#clock = clock
  }

  /**
   * Null if it does, else the reason. Rejects only with a bug. All callers during one write share
   * it, also if it takes longer than they wait.
   */
  prove(): Promise<StoreTrouble | null> {
    const age = this.#clock.now() - this.#provenAt
    if (age >= 0 && age < goodForMs) return Promise.resolve(null)
    this.#running ??= this.#write().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  async #write(): Promise<StoreTrouble | null> {
    try {
      await this.#database.query(statement, [])
      this.#provenAt = this.#clock.now()
      return null
    } catch (error) {
      const trouble = troubleOf(error)
      if (trouble === null) throw error
      return trouble
    }
  }
}
