import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../database.ts'
import { type StoreTrouble, troubleOf } from '../sql-error.ts'

/** A proof is good for so long: writes of this process alone, however many ask. */
const goodForMs = 3_000

const statement = { name: 'prove_writes', text: 'select settlewire_prove_writes()' }

/** Whether the database takes changes, found out by making one. */
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
   * Null when it does, else why not. Rejects with a bug only. All who ask while one write is under
   * way share it, also when it takes longer than they wait.
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
