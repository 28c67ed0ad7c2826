import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import type { Append } from '../../ports/history.ts'
import { arrayOf } from '../binary-array.ts'
import type { Database } from '../database.ts'
import type { Head, Share } from './prepare.ts'

/** As many as a writer keeps states of: what it has to load is met again. */
const headsMax = 10_000

/**
 * The head of each payment, kept to save a read before an append. A guess, not a truth: the append
 * itself compares the seal with the row that it locks.
 */
export class Heads {
  readonly #database: Database
  /** Oldest first. */
  readonly #heads = new Map<string, Head>()

  constructor(database: Database) {
    this.#database = database
  }

  /** What these appends are chained to. Throws `sequence_conflict` when one is already too late. */
  async before(appends: readonly Append[]): Promise<ReadonlyMap<string, Head>> {
    const updates = appends.filter(({ expectedSequence }) => expectedSequence > 0)
    const isKnown = ({ expectedSequence, subject }: Append): boolean =>
      this.#heads.get(subject.id)?.sequence === expectedSequence
    const missing = updates.filter((append) => !isKnown(append)).map(({ subject }) => subject.id)
    const read = missing.length === 0 ? null : await this.#read(missing)
    const found = new Map<string, Head>()
    for (const { expectedSequence, subject } of updates) {
      const head = read?.get(subject.id) ?? this.#heads.get(subject.id)
      if (head?.sequence !== expectedSequence) throw new Failure('sequence_conflict')
      found.set(subject.id, head)
    }
    return found
  }

  /** A share was committed. */
  learn(shares: readonly Share[]): void {
    for (const { append, head } of shares) this.#note(append.subject.id, head)
  }

  /** A payment was read. What is known of it from an append is at least as good. */
  meet(paymentId: string, head: Omit<Head, 'written'>): void {
    if (this.#heads.get(paymentId)?.seal === head.seal) return
    this.#note(paymentId, { ...head, written: null })
  }

  /** What these can be found by was written without an append. */
  doubt(paymentIds: readonly string[]): void {
    for (const id of paymentIds) {
      const head = this.#heads.get(id)
      if (head !== undefined) this.#heads.set(id, { ...head, written: null })
    }
  }

  forget(appends: readonly Append[]): void {
    for (const { subject } of appends) this.#heads.delete(subject.id)
  }

  #note(paymentId: string, head: Head): void {
    this.#heads.delete(paymentId)
    this.#heads.set(paymentId, head)
    if (this.#heads.size <= headsMax) return
    const [oldest] = this.#heads.keys()
    assert(oldest !== undefined, 'a full map has a first key')
    this.#heads.delete(oldest)
  }

  async #read(ids: readonly string[]): Promise<ReadonlyMap<string, Head>> {
    const rows = await this.#database.query<{ id: string; sequence: number; head_seal: Buffer }>(
      {
        name: 'head_seals',
        text: `select subject_id as id, sequence, head_seal
          from subject_state where subject_id = any ($1::text[])`,
      },
      [arrayOf.text(ids)],
    )
    return new Map(
      rows.map(({ id, sequence, head_seal }) => [
        id,
        { sequence, seal: head_seal.toString('hex'), written: null },
      ]),
    )
  }
}
