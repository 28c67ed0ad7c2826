import { Failure } from '@settlewire/core/errors'
import type { SubjectKind } from '@settlewire/core/history/subject'
import type { Revival, StoredState } from '@settlewire/core/history/subject-kind'
import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { Clock } from '../../ports/clock.ts'
import type {
  Batch,
  ChainPosition,
  Due,
  DueQuery,
  EndedWatch,
  EventStore,
  IdempotentResult,
  SealedEvent,
  StoredEvent,
  SubjectQuery,
  Unreadable,
  Watched,
} from '../../ports/history.ts'
import type { FeedEntry, FeedKey, Feeds, Fence } from '../../ports/processes.ts'
import { arrayOf } from '../binary-array.ts'
import type { Database } from '../database.ts'
import { due, nextDue, release } from '../payment/deadlines.ts'
import { watched } from '../payment/watched.ts'
import { sqlState } from '../sql-error.ts'
import { begin, position } from '../walk/chains.ts'
import { forgetAnswers, idempotent } from './answers.ts'
import { appendStatement, appendValues } from './append.ts'
import { ended, entries, feedHeads, feeds } from './feeds.ts'
import { Heads } from './heads.ts'
import { listStatement, subjectColumns, subjectTables } from './list.ts'
import { check, prepare, storedEvents } from './prepare.ts'

/** Queries for a chain, and for watches, are about payment intents. */
const payments = paymentKind.name

/** The errors that settlewire_append raises by name. */
const raised: Readonly<
  Record<string, 'sequence_conflict' | 'cursor_conflict' | 'idempotency_key_reused' | 'lease_lost'>
> = {
  SW001: 'sequence_conflict',
  SW002: 'cursor_conflict',
  SW003: 'idempotency_key_reused',
  SW004: 'lease_lost',
}

/** Translates an error that the database raised by name into a failure; throws others unchanged. */
function throwRaised(error: unknown): never {
  const code = raised[sqlState(error) ?? '']
  throw code === undefined ? error : new Failure(code, undefined, { cause: error })
}

/**
 * The history in PostgreSQL.
 *
 * An append is one statement, so it is committed or it is not, and an answer means that it is. If
 * the connection is lost in between, the outcome is unknown: the caller gets `store_unavailable`
 * and retries the same batch. If the first attempt was committed after all, the second conflicts
 * with it (`sequence_conflict`, `cursor_conflict` or `idempotency_key_reused`), and a read then
 * shows the stored state. Nothing can be written twice.
 */
export class PostgresEvents implements EventStore, Feeds {
  readonly #database: Database
  readonly #clock: Clock
  readonly #heads: Heads

  constructor(database: Database, clock: Clock) {
    this.#database = database
    this.#clock = clock
    this.#heads = new Heads(database)
  }

  async append(batch: Batch): Promise<readonly StoredEvent[]> {
    check(batch.appends)
    const heads = await this.#heads.before(batch.appends)
    const prepared = prepare(batch.appends, ({ subject }) => heads.get(subject.id))
    try {
      const rows = await this.#database.query<{ feed: number; last_position: number }>(
        appendStatement,
        appendValues(batch, prepared),
      )
      const lastPositions = new Map(rows.map((row) => [row.feed, row.last_position]))
      const stored = storedEvents(prepared, lastPositions, this.#clock.now())
      this.#heads.learn(prepared.shares)
      return stored
    } catch (error) {
      this.#heads.forget(batch.appends)
      return throwRaised(error)
    }
  }

  async load<State>(
    kind: Revival<State>,
    ids: readonly string[],
    unreadable: Unreadable = refuse,
  ): Promise<readonly State[]> {
    const rows = await this.#database.query<StateRow & { sequence: number; head_seal: Buffer }>(
      {
        name: 'load',
        text: `select ${subjectColumns}, s.sequence, s.head_seal from ${subjectTables}
          where s.subject_id = any ($1::text[]) and e.kind = $2`,
      },
      [arrayOf.text(ids), kind.name],
    )
    return rows.flatMap((row) => {
      this.#heads.meet(row.id, { sequence: row.sequence, seal: row.head_seal.toString('hex') })
      return revived(kind, row, unreadable)
    })
  }

  async read(subjectId: string, after: number, limit: number): Promise<readonly StoredEvent[]> {
    const rows = await this.#database.query<EventRow>(
      {
        name: 'read',
        text: `select ${eventColumns} from event
          where subject_id = $1 and sequence > $2 order by sequence limit $3`,
      },
      [subjectId, after, limit],
    )
    return rows.map(storedEvent)
  }

  async history(subjectId: string, after: number, limit: number): Promise<readonly SealedEvent[]> {
    const rows = await this.#database.query<EventRow & SealedRow>(
      {
        name: 'history',
        text: `select ${eventColumns}, evidence, seal from event
          where subject_id = $1 and sequence > $2 order by sequence limit $3`,
      },
      [subjectId, after, limit],
    )
    return rows.map(sealedEvent)
  }

  async last(subjectId: string): Promise<StoredEvent | null> {
    const row = await this.#database.one<EventRow>(
      {
        name: 'last',
        text: `select ${eventColumns} from event
          where subject_id = $1 order by sequence desc limit 1`,
      },
      [subjectId],
    )
    return row && storedEvent(row)
  }

  async find(eventId: string): Promise<StoredEvent | null> {
    const row = await this.#database.one<EventRow>(
      { name: 'find', text: `select ${eventColumns} from event where id = $1` },
      [eventId],
    )
    return row && storedEvent(row)
  }

  async heads(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#database.query<{ id: string; sequence: number }>(
      {
        name: 'heads',
        text: `select subject_id as id, sequence
          from subject_state where subject_id = any ($1::text[])`,
      },
      [arrayOf.text(ids)],
    )
    return new Map(rows.map(({ id, sequence }) => [id, sequence]))
  }

  async feed(
    merchantId: string,
    livemode: boolean,
    after: number,
    limit: number,
  ): Promise<readonly StoredEvent[]> {
    const rows = await this.#database.query<EventRow>(
      {
        name: 'feed',
        text: `select ${eventColumns} from event
          where merchant_id = $1 and livemode = $2 and position > $3 order by position limit $4`,
      },
      [merchantId, livemode, after, limit],
    )
    return rows.map(storedEvent)
  }

  async list<State>(
    kind: Revival<State>,
    query: SubjectQuery,
    unreadable: Unreadable = refuse,
  ): Promise<{ found: readonly State[]; next: string | null }> {
    const { statement, values } = listStatement(kind, query)
    const rows = await this.#database.query<StateRow>(statement, values)
    const page = rows.slice(0, query.limit)
    const next = rows.length > query.limit ? (page.at(-1)?.id ?? null) : null
    return { found: page.flatMap((row) => revived(kind, row, unreadable)), next }
  }

  feedHeads(wanted: readonly FeedKey[]): ReturnType<EventStore['feedHeads']> {
    return feedHeads(this.#database, wanted)
  }

  feeds(knownSum: number): ReturnType<Feeds['feeds']> {
    return feeds(this.#database, knownSum)
  }

  ended(paymentIds: readonly string[]): Promise<readonly string[]> {
    return ended(this.#database, paymentIds)
  }

  entries(feed: FeedKey, after: number, limit: number): Promise<readonly FeedEntry[]> {
    return entries(this.#database, feed, { after, limit })
  }

  idempotent(merchantId: string, livemode: boolean, key: string): Promise<IdempotentResult | null> {
    return idempotent(this.#database, { merchantId, livemode, key })
  }

  forgetAnswers(before: Instant, limit: number): Promise<number> {
    return forgetAnswers(this.#database, before, limit)
  }

  due(query: DueQuery): Promise<readonly Due[]> {
    return due(this.#database, query)
  }

  nextDue(kind: SubjectKind, after: Due | null = null): Promise<Instant | null> {
    return nextDue(this.#database, kind, after)
  }

  watched(take: (run: readonly Watched[]) => void): Promise<void> {
    return watched(this.#database, take)
  }

  async unsettled(chain: string): Promise<readonly string[]> {
    const rows = await this.#database.query<{ subject_id: string }>(
      {
        name: 'unsettled',
        text: transactionsOf('not t.final'),
      },
      [chain],
    )
    return rows.map((row) => row.subject_id)
  }

  async paid(chain: string): Promise<readonly string[]> {
    const rows = await this.#database.query<{ subject_id: string }>(
      {
        name: 'paid',
        text: transactionsOf('t.paid'),
      },
      [chain],
    )
    return rows.map((row) => row.subject_id)
  }

  async inBlocks(chain: string, blockHashes: readonly string[]): Promise<readonly string[]> {
    const rows = await this.#database.query<{ subject_id: string }>(
      {
        name: 'in_blocks',
        text: `select distinct i.subject_id
          from inclusion i join subject p on p.id = i.subject_id and p.kind = '${payments}'
          where i.block_hash = any ($2::text[]) and i.chain = $1 order by i.subject_id`,
      },
      [chain, arrayOf.text(blockHashes)],
    )
    return rows.map((row) => row.subject_id)
  }

  async release(
    ended: readonly EndedWatch[],
    fences: readonly Fence[] = [],
  ): Promise<readonly string[]> {
    const released = await release(this.#database, ended, fences).catch(throwRaised)
    // The next append of these subjects must write the deadline again.
    this.#heads.doubt(released)
    return released
  }

  position(chain: string): Promise<ChainPosition | null> {
    return position(this.#database, chain)
  }

  begin(chain: string, genesisHash: string, at: BlockRef): Promise<ChainPosition> {
    return begin(this.#database, chain, { genesisHash, at })
  }
}

/** Starts from open payments, because there is no index of transactions that are not final. */
const transactionsOf = (which: string): string => `select distinct t.subject_id
  from subject p join transaction t on t.subject_id = p.id and t.chain = $1 and ${which}
  where p.kind = '${payments}' and p.due_at is not null
  order by t.subject_id`

interface StateRow {
  readonly id: string
  readonly created_at: number
  readonly evidence: string
  readonly standing: string
  readonly parts: string
}

const storedState = ({ id, created_at, evidence, standing, parts }: StateRow): StoredState => ({
  id,
  createdAt: created_at,
  opening: evidence,
  standing,
  parts,
})

/** The state of a row as a list of one, or an empty list if it cannot be read. */
function revived<State>(
  kind: Revival<State>,
  row: StateRow,
  unreadable: Unreadable,
): readonly State[] {
  try {
    return [kind.revive(storedState(row))]
  } catch (error) {
    unreadable(row.id, error)
    return []
  }
}

const refuse: Unreadable = (id, cause) => {
  throw new Failure('internal_contradiction', `The stored state of ${id} cannot be read.`, {
    cause,
  })
}

interface EventRow {
  readonly merchant_id: string
  readonly livemode: boolean
  readonly position: number
  readonly kind: string
  readonly subject_id: string
  readonly sequence: number
  readonly id: string
  readonly type: string
  readonly at: number
  readonly data: string
}

interface SealedRow {
  readonly evidence: string
  readonly seal: Buffer
}

const eventColumns =
  'merchant_id, livemode, position, kind, subject_id, sequence, id, type, at, data'

const storedEvent = (row: EventRow): StoredEvent => ({
  subject: { kind: row.kind, id: row.subject_id },
  merchantId: row.merchant_id,
  livemode: row.livemode,
  position: row.position,
  sequence: row.sequence,
  id: row.id,
  type: row.type,
  at: row.at,
  dataJson: row.data,
  committedAt: null,
})

const sealedEvent = (row: EventRow & SealedRow): SealedEvent => ({
  ...storedEvent(row),
  evidenceJson: row.evidence,
  seal: row.seal.toString('hex'),
})
