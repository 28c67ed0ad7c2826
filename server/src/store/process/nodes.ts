import type {
  Bulletin,
  Fence,
  LeaseHolder,
  Leases,
  LookUpRequest,
  SightRecord,
  SightUpdate,
} from '../../ports/processes.ts'
import { arrayOf } from '../binary-array.ts'
import type { Database } from '../database.ts'

/** Longer than any process waits for an answer. */
const questionsKept = "interval '1 minute'"

/** Leases and messages of processes on one database, in its tables. */
export class PostgresNodes implements Leases, Bulletin {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async keep(
    holder: LeaseHolder,
    leases: readonly string[],
    forMs: number,
  ): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#database.query<{ name: string; token: number }>(
      {
        name: 'keep_leases',
        text: `insert into lease as l (name, place, holder, token, expires_at)
          select n.name, $4, $2, 1, clock_timestamp() + $3 * interval '1 millisecond'
          from unnest($1::text[]) as n (name) order by n.name collate "C"
          on conflict (name) do update
          set place = excluded.place, holder = excluded.holder, expires_at = excluded.expires_at,
            token = case when l.holder = excluded.holder then l.token else l.token + 1 end
          where l.place = excluded.place or l.expires_at < clock_timestamp()
          returning l.name, l.token`,
      },
      [arrayOf.text(leases), holder.process, forMs, holder.place],
    )
    return new Map(rows.map(({ name, token }) => [name, token]))
  }

  async giveBack(holder: LeaseHolder): Promise<void> {
    await this.#database.query(
      {
        name: 'give_back_leases',
        text: `update lease set expires_at = '-infinity' where holder = $1`,
      },
      [holder.process],
    )
  }

  async publish(
    chain: string,
    { body, word }: SightUpdate,
    { lease, token }: Fence,
  ): Promise<number | null> {
    const row = await this.#database.one<{ revision: number }>(
      {
        name: 'say',
        // Based on the time, so that it also rises after a crash of the database emptied the table.
        text: `with now as (
            select clock_timestamp() as at,
              floor(extract(epoch from clock_timestamp()) * 1000)::bigint as ms
          )
          insert into chain_sight as s (chain, told_at, body, word, revision)
          select $1, now.at, $2, $3, now.ms from now
          where exists (select from lease where name = $4 and token = $5)
          on conflict (chain) do update
          set told_at = excluded.told_at, body = excluded.body, word = excluded.word,
            revision = case when s.word = excluded.word then s.revision
              else greatest(s.revision + 1, excluded.revision) end
          returning revision`,
      },
      [chain, body, word, lease, token],
    )
    return row?.revision ?? null
  }

  async published(): Promise<readonly SightRecord[]> {
    const rows = await this.#database.query<SightRow>(
      {
        name: 'published_sights',
        text: `select chain, body, revision,
            (extract(epoch from clock_timestamp() - told_at) * 1000)::float8 as age_ms
          from chain_sight`,
      },
      [],
    )
    return rows.map(({ age_ms, ...row }) => ({ ...row, ageMs: age_ms }))
  }

  async ask(chain: string, txHash: string): Promise<number> {
    const rows = await this.#database.query<{ id: number }>(
      {
        name: 'ask',
        // Questions of processes that died are deleted after a while.
        text: `with old as (
            delete from chain_question where asked_at < clock_timestamp() - ${questionsKept}
          )
          insert into chain_question (chain, tx_hash) values ($1, $2) returning id`,
      },
      [chain, txHash],
    )
    return rows[0]?.id ?? 0
  }

  async questions(chains: readonly string[]): Promise<readonly LookUpRequest[]> {
    const rows = await this.#database.query<{ id: number; chain: string; tx_hash: string }>(
      {
        name: 'questions',
        text: `select id, chain, tx_hash from chain_question
          where answer is null and chain = any ($1::text[])
            and asked_at > clock_timestamp() - ${questionsKept}
          order by id limit 100`,
      },
      [arrayOf.text(chains)],
    )
    return rows.map(({ id, chain, tx_hash }) => ({ id, chain, txHash: tx_hash }))
  }

  async answer(id: number, body: string): Promise<void> {
    await this.#database.query(
      { name: 'answer', text: 'update chain_question set answer = $2 where id = $1' },
      [id, body],
    )
  }

  async answerTo(id: number): Promise<string | null> {
    const row = await this.#database.one<{ answer: string }>(
      {
        name: 'answer_to',
        text: `delete from chain_question where id = $1 and answer is not null returning answer`,
      },
      [id],
    )
    return row?.answer ?? null
  }

  async withdraw(id: number): Promise<void> {
    await this.#database.query(
      { name: 'withdraw', text: 'delete from chain_question where id = $1' },
      [id],
    )
  }
}

interface SightRow {
  readonly chain: string
  readonly body: string
  readonly revision: number
  readonly age_ms: number
}
