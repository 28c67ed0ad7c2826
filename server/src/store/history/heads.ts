import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import type { Append } from '../../ports/history.ts'
import { arrayOf } from '../binary-array.ts'
import type { Database } from '../database.ts'
import type { Head, Share } from './prepare.ts'

/** As many as the writer caches states, since loading a state also notes its head. */
const headsMax = 10_000

/**
 * A cache of the head of each subject, which saves a read before an append. It may be stale: the
 * append itself compares the seal with the row that it locks.
 */
export class Heads {
  readonly #database: Database
  /** Oldest first. */
  readonly #heads = new Map<string, Head>()

  constructor(database: Database) {
    this.#database = database
  }

  /** The heads that these appends follow. Throws `sequence_conflict` if one is already outdated. */
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

  /** Notes the heads of committed shares. */
  learn(shares: readonly Share[]): void {
    for (const { append, head } of shares) this.#note(append.subject.id, head)
  }

  /** Notes the head of a loaded subject. An entry from an append with the same seal has more. */
  meet(paymentId: string, head: Omit<Head, 'written'>): void {
    if (this.#heads.get(paymentId)?.seal === head.seal) return
    this.#note(paymentId, { ...head, written: null })
  }

  /** Forgets the written rows of subjects whose deadline was changed without an append. */
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
