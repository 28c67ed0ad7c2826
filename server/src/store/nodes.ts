import type { Bulletin, Fence, Holder, Leases, Question, Told } from '../node-ports.ts'
import { arrayOf } from './binary-array.ts'
import type { Database } from './database.ts'

/** Nobody waits longer than this for an answer. */
const questionsKept = "interval '1 minute'"

/** What processes on one database know of each other, in its tables. */
export class PostgresNodes implements Leases, Bulletin {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async keep(
    holder: Holder,
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

  async giveBack(holder: Holder): Promise<void> {
    await this.#database.query(
      {
        name: 'give_back_leases',
        text: `update lease set expires_at = '-infinity' where holder = $1`,
      },
      [holder.process],
    )
  }

  async say(chain: string, body: string, { lease, token }: Fence): Promise<void> {
    await this.#database.query(
      {
        name: 'say',
        text: `insert into chain_sight as s (chain, told_at, body)
          select $1, clock_timestamp(), $2
          where exists (select from lease where name = $3 and token = $4)
          on conflict (chain) do update set told_at = excluded.told_at, body = excluded.body`,
      },
      [chain, body, lease, token],
    )
  }

  async told(): Promise<readonly Told[]> {
    const rows = await this.#database.query<{ chain: string; body: string; age_ms: number }>(
      {
        name: 'told',
        text: `select chain, body,
            (extract(epoch from clock_timestamp() - told_at) * 1000)::float8 as age_ms
          from chain_sight`,
      },
      [],
    )
    return rows.map(({ chain, body, age_ms }) => ({ chain, body, ageMs: age_ms }))
  }

  async ask(chain: string, txHash: string): Promise<number> {
    const rows = await this.#database.query<{ id: number }>(
      {
        name: 'ask',
        // Whoever asked and died leaves nothing behind for long.
        text: `with old as (
            delete from chain_question where asked_at < clock_timestamp() - ${questionsKept}
          )
          insert into chain_question (chain, tx_hash) values ($1, $2) returning id`,
      },
      [chain, txHash],
    )
    return rows[0]?.id ?? 0
  }

  async questions(chains: readonly string[]): Promise<readonly Question[]> {
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
