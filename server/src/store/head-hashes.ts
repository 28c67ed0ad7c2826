import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import type { Append, StoredEvent } from '../ports.ts'
import { arrayOf } from './array-literal.ts'
import type { Database } from './database.ts'

interface Head {
  readonly sequence: number
  readonly hash: string
}

const headsMax = 50_000

/**
 * The hash each payment's chain is at, kept to save a read before an append. A guess, not a truth:
 * the append itself compares it with the row that it locks.
 */
export class HeadHashes {
  readonly #database: Database
  /** Oldest first. */
  readonly #heads = new Map<string, Head>()

  constructor(database: Database) {
    this.#database = database
  }

  /** What these appends are chained to. Throws `sequence_conflict` when one is already too late. */
  async before(appends: readonly Append[]): Promise<(append: Append) => string> {
    const updates = appends.filter(({ expectedSequence }) => expectedSequence > 0)
    const isKnown = ({ expectedSequence, state }: Append): boolean =>
      this.#heads.get(state.id)?.sequence === expectedSequence
    const missing = updates.filter((append) => !isKnown(append)).map(({ state }) => state.id)
    const read = missing.length === 0 ? null : await this.#read(missing)
    const found = new Map<string, string>()
    for (const { expectedSequence, state } of updates) {
      const head = read?.get(state.id) ?? this.#heads.get(state.id)
      if (head?.sequence !== expectedSequence) throw new Failure('sequence_conflict')
      found.set(state.id, head.hash)
    }
    return ({ state }) => {
      const hash = found.get(state.id)
      assert(hash !== undefined, 'the hash before every update was found')
      return hash
    }
  }

  learn(stored: readonly StoredEvent[]): void {
    for (const { paymentId, event, hash } of stored) {
      this.note(paymentId, { sequence: event.data.sequence, hash })
    }
  }

  note(paymentId: string, head: Head): void {
    this.#heads.delete(paymentId)
    this.#heads.set(paymentId, head)
    if (this.#heads.size <= headsMax) return
    const [oldest] = this.#heads.keys()
    assert(oldest !== undefined, 'a full map has a first key')
    this.#heads.delete(oldest)
  }

  forget(appends: readonly Append[]): void {
    for (const { state } of appends) this.#heads.delete(state.id)
  }

  async #read(ids: readonly string[]): Promise<ReadonlyMap<string, Head>> {
    const rows = await this.#database.query<{ id: string; sequence: number; head_hash: Buffer }>(
      {
        name: 'head_hashes',
        text: 'select id, sequence, head_hash from payment where id = any ($1::text[])',
      },
      [arrayOf.text(ids)],
    )
    return new Map(
      rows.map(({ id, sequence, head_hash }) => [
        id,
        { sequence, hash: head_hash.toString('hex') },
      ]),
    )
  }
}
