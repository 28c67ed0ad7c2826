import { Pool } from 'pg'
import type { Batch, EventStore, StoredEvent } from '../../server/src/ports/history.ts'
import { prepare } from '../../server/src/store/history/prepare.ts'

/**
 * A common but wrong history: positions come from an identity column. They are assigned before the
 * commit, so the higher position may become visible first; a reader that continues after it misses
 * the lower one. It proves that the checker of the contract finds that fault.
 */
export class NaiveHistory implements Pick<EventStore, 'append' | 'feed'> {
  readonly #pool: Pool

  constructor(url: string) {
    this.#pool = new Pool({ connectionString: url, max: 20 })
    // The database may be dropped while connections are being closed.
    this.#pool.on('error', () => undefined)
  }

  async setUp(): Promise<void> {
    await this.#pool.query(`create table naive_event (
      position bigint generated always as identity primary key, stored text not null)`)
  }

  async append({ appends }: Batch): Promise<readonly StoredEvent[]> {
    const heads = { sequence: 0, written: null }
    const { placed } = prepare(appends, ({ expectedSequence, subject }) => ({
      ...heads,
      sequence: expectedSequence,
      seal: this.#seals.get(subject.id) ?? '',
    }))
    const client = await this.#pool.connect()
    try {
      await client.query('begin')
      const answer: StoredEvent[] = []
      for (const { event } of placed) {
        const stored = { ...event, position: 0, committedAt: null }
        const { rows } = await client.query<{ position: string }>(
          'insert into naive_event (stored) values ($1) returning position',
          [JSON.stringify(stored)],
        )
        answer.push({ ...stored, position: Number(rows[0]?.position) })
      }
      await client.query('commit')
      for (const { event, seal } of placed) this.#seals.set(event.subject.id, seal)
      return answer
    } finally {
      client.release()
    }
  }

  async feed(
    _merchantId: string,
    _livemode: boolean,
    after: number,
    limit: number,
  ): Promise<readonly StoredEvent[]> {
    const { rows } = await this.#pool.query<{ position: string; stored: string }>(
      'select position, stored from naive_event where position > $1 order by position limit $2',
      [after, limit],
    )
    return rows.map(({ position, stored }) => ({
      ...(JSON.parse(stored) as StoredEvent), // written by `append`
      position: Number(position),
    }))
  }

  close(): Promise<void> {
    return this.#pool.end()
  }

  readonly #seals = new Map<string, string>()
}
