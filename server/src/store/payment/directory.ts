import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import { type Instant, toRfc3339 } from '@settlewire/core/instant'
import type { Directory, Merchant, NewKey, NewMerchant } from '../../ports/access.ts'
import type { Database } from '../database.ts'
import { insertKey, keyValues } from '../keys.ts'

/** The largest child index that BIP-32 can derive from a public key. */
const indexMax = 2 ** 31 - 1
/** More than one key uses between a backup and its restore, and 2,000 times less than there are. */
const jump = 2 ** 20

/** Merchants and their address counters in PostgreSQL. */
export class PostgresDirectory implements Directory {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async addMerchant(merchant: NewMerchant): Promise<void> {
    const { id, name, xpub, takesLive = false, createdAt } = merchant
    await this.#database.query(
      {
        name: 'add_merchant',
        text: `insert into merchant (id, name, xpub, takes_live, created_at)
          values ($1, $2, $3, $4, $5)`,
      },
      [id, name, xpub, takesLive, toRfc3339(createdAt)],
    )
  }

  async addMerchantWithKey(merchant: NewMerchant, key: NewKey, hash: Uint8Array): Promise<void> {
    const { id, name, xpub, takesLive = false, createdAt } = merchant
    await this.#database.query(
      {
        name: 'add_merchant_with_key',
        // One statement, so both rows are stored or neither.
        text: `with owner as (
            insert into merchant (id, name, xpub, takes_live, created_at)
            values ($10, $11, $12, $13, $14)
          )
          ${insertKey} values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      },
      [...keyValues(key, hash), id, name, xpub, takesLive, toRfc3339(createdAt)],
    )
  }

  async merchant(id: string): Promise<Merchant | null> {
    const row = await this.#database.one<MerchantRow>(
      { name: 'merchant', text: `select ${merchantColumns} from merchant where id = $1` },
      [id],
    )
    return row && merchantOf(row)
  }

  async merchants(after: string, limit: number): Promise<readonly Merchant[]> {
    const rows = await this.#database.query<MerchantRow>(
      {
        name: 'merchants',
        text: `select ${merchantColumns} from merchant where id > $1 order by id limit $2`,
      },
      [after, limit],
    )
    return rows.map(merchantOf)
  }

  async renameMerchant(id: string, name: string): Promise<boolean> {
    const text = 'update merchant set name = $2 where id = $1 returning id'
    return (await this.#database.one({ name: 'rename_merchant', text }, [id, name])) !== null
  }

  async disableMerchant(id: string, at: Instant | null): Promise<boolean> {
    const row = await this.#database.one(
      {
        name: 'disable_merchant',
        text: `update merchant
          set disabled_at = case when $2::timestamptz is null then null
            else coalesce(disabled_at, $2) end
          where id = $1 returning id`,
      },
      [id, at === null ? null : toRfc3339(at)],
    )
    return row !== null
  }

  /**
   * Its own statement, committed before it returns the indexes, so that no rollback frees them. A
   * restored backup has an old counter. Its cluster or timeline then differs from the one in which
   * the counter was last moved, and the counter jumps over all indexes that may have been assigned
   * since. It also jumps after a failover to a replica, which may lack the last ones, and if
   * payments have used indexes that no counter covers. What this cannot detect is a data directory
   * restored file by file under the same PostgreSQL (a disk snapshot): such a restore must recover
   * to a target, which starts a new timeline.
   */
  async takeDepositIndexes(xpub: string, count: number): Promise<{ first: number; count: number }> {
    const row = await this.#database.one<{ first: number }>(
      {
        name: 'take_deposit_indexes',
        text: `with used as (
            select coalesce(max(top.deposit_index) + 1, 0) as above
            from merchant m cross join lateral (
              select a.deposit_index from subject_address a
              where a.merchant_id = m.id and a.deposit_index is not null
              order by a.deposit_index desc limit 1) as top
            where m.xpub = $1
          )
          insert into deposit_counter as c (xpub, next_index, lineage)
          select $1, used.above + case when used.above = 0 then 0 else ${jump} end + $2, lineage.now
          from settlewire_lineage() as lineage (now), used
          on conflict (xpub) do update
          set next_index = $2 + greatest((select above from used), c.next_index)
              + case when c.lineage = excluded.lineage then 0 else ${jump} end,
            lineage = excluded.lineage
          returning next_index - $2 as first`,
      },
      [xpub, count],
    )
    assert(row !== null, 'an upsert without a condition returns its row')
    if (row.first > indexMax) {
      throw new Failure(
        'merchant_cannot_receive',
        'The extended public key has no unused addresses left.',
      )
    }
    return { first: row.first, count: Math.min(count, indexMax - row.first + 1) }
  }

  async secret(name: string, make: () => Uint8Array): Promise<Uint8Array> {
    const known = await this.#secret(name)
    if (known !== null) return known
    await this.#database.query(
      {
        name: 'add_secret',
        text: `insert into installation_secret (name, secret) values ($1, $2)
          on conflict (name) do nothing`,
      },
      [name, Buffer.from(make())],
    )
    // Another process may have stored its secret first; then that one counts.
    const stored = await this.#secret(name)
    assert(stored !== null, 'a secret that was stored is there')
    return stored
  }

  async #secret(name: string): Promise<Uint8Array | null> {
    const row = await this.#database.one<{ secret: Buffer }>(
      { name: 'secret', text: 'select secret from installation_secret where name = $1' },
      [name],
    )
    return row && new Uint8Array(row.secret)
  }
}

const merchantColumns = 'id, name, xpub, takes_live, created_at, disabled_at'

interface MerchantRow {
  readonly id: string
  readonly name: string
  readonly xpub: string | null
  readonly takes_live: boolean
  readonly created_at: number
  readonly disabled_at: number | null
}

const merchantOf = (row: MerchantRow): Merchant => ({
  id: row.id,
  name: row.name,
  xpub: row.xpub,
  takesLive: row.takes_live,
  createdAt: row.created_at,
  disabledAt: row.disabled_at,
})
