import { assert } from '@settlewire/core/assert'
import type {
  OpenedPayment,
  OpenRescan,
  Recorded,
  RescanProgress,
  RescanReport,
  RescanRequest,
  Rescans,
} from '../../ports/rescan.ts'
import { arrayOf } from '../binary-array.ts'
import type { Database } from '../database.ts'
import { openingOf, type WatchedRow } from '../payment/watched.ts'

/** A command polls every second; one that has not polled for this long counts as ended. */
const patience = "interval '1 minute'"

/** Requests to read blocks again, in a table, and the history that such a rescan needs. */
export class PostgresRescans implements Rescans {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async request(wanted: RescanRequest): Promise<number> {
    const row = await this.#database.one<{ id: number }>(
      {
        name: 'request_rescan',
        text: `with old as (
            delete from chain_rescan where heard_at < clock_timestamp() - ${patience}
          )
          insert into chain_rescan (chain, asked) values ($1, $2) returning id`,
      },
      [wanted.chain, JSON.stringify(wanted)],
    )
    assert(row !== null, 'an insert returns its row')
    return row.id
  }

  async progress(id: number): Promise<RescanProgress | null> {
    const row = await this.#database.one<ProgressRow>(
      {
        name: 'rescan_progress',
        text: `update chain_rescan set heard_at = clock_timestamp() where id = $1
          returning report, trouble, done`,
      },
      [id],
    )
    return row === null ? null : { ...row, report: reportOf(row.report) }
  }

  async withdraw(id: number): Promise<void> {
    await this.#database.query(
      { name: 'withdraw_rescan', text: 'delete from chain_rescan where id = $1' },
      [id],
    )
  }

  async requested(chains: readonly string[]): Promise<readonly OpenRescan[]> {
    const rows = await this.#database.query<OpenRow>(
      {
        name: 'requested_rescans',
        text: `select id, asked, report, turn from chain_rescan
          where not done and chain = any ($1::text[])
            and heard_at > clock_timestamp() - ${patience}
          order by id`,
      },
      [arrayOf.text(chains)],
    )
    return rows.map(({ id, asked, report, turn }) => ({
      id,
      turn,
      report: reportOf(report),
      request: JSON.parse(asked) as RescanRequest, // as `request` wrote it
    }))
  }

  async report(
    { id, turn }: Pick<OpenRescan, 'id' | 'turn'>,
    { report, trouble, done }: RescanProgress,
  ): Promise<boolean> {
    const row = await this.#database.one<{ id: number }>(
      {
        name: 'report_rescan',
        text: `update chain_rescan set report = $3, trouble = $4, done = $5, turn = turn + 1
          where id = $1 and turn = $2 and heard_at > clock_timestamp() - ${patience}
          returning id`,
      },
      [id, turn, report === null ? null : JSON.stringify(report), trouble, done],
    )
    return row !== null
  }

  async isFollowed(chain: string): Promise<boolean> {
    const row = await this.#database.one<{ name: string }>(
      {
        name: 'is_followed',
        text: `select name from lease
          where name = 'chain:' || $1 and expires_at > clock_timestamp()`,
      },
      [chain],
    )
    return row !== null
  }

  async createdPayments(
    livemode: boolean,
    afterId: string,
    limit: number,
  ): Promise<readonly OpenedPayment[]> {
    const rows = await this.#database.query<WatchedRow & { is_over: boolean }>(
      {
        name: 'created_payments',
        text: `select p.id, p.livemode, p.due_at is null as is_over, e.evidence
          from subject p join event e on e.subject_id = p.id and e.sequence = 1
          where p.kind = 'payment_intent' and p.livemode = $1 and p.id > $2
          order by p.id limit $3`,
      },
      [livemode, afterId, limit],
    )
    return rows.map(openingOf)
  }

  async recorded(chain: string, from: number, to: number): Promise<readonly Recorded[]> {
    const rows = await this.#database.query<RecordedRow>(
      {
        name: 'recorded',
        text: `select i.subject_id, i.tx_hash, i.block_hash, i.block_number
          from inclusion i join subject p on p.id = i.subject_id and p.kind = 'payment_intent'
          where i.chain = $1 and i.block_number between $2 and $3
            and i.canonical and i.outcome = 'paid'
          order by i.block_number, i.subject_id, i.tx_hash`,
      },
      [chain, from, to],
    )
    return rows.map((row) => ({
      paymentId: row.subject_id,
      txHash: row.tx_hash,
      blockHash: row.block_hash,
      block: row.block_number,
    }))
  }
}

interface OpenRow {
  readonly id: number
  readonly asked: string
  readonly report: string | null
  /** Goes up with each report. An old number is refused: another process has taken over. */
  readonly turn: number
}

interface ProgressRow {
  readonly report: string | null
  readonly trouble: string | null
  readonly done: boolean
}

interface RecordedRow {
  readonly subject_id: string
  readonly tx_hash: string
  readonly block_hash: string
  readonly block_number: number
}

/** The text was written by a process of this program. */
const reportOf = (text: string | null): RescanReport | null =>
  text === null ? null : (JSON.parse(text) as RescanReport)
