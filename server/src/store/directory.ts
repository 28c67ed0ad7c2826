import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import { type Instant, toRfc3339 } from '@settlewire/core/instant'
import type { ApiKey, Directory, KeyKind, Merchant } from '../access.ts'
import { arrayOf } from './binary-array.ts'
import type { Database } from './database.ts'

/** BIP-32 has no more children that a public key can derive. */
const indexMax = 2 ** 31 - 1
/** More than are taken of a key between a backup and its restore, and 2,000 times less than there are. */
const jump = 2 ** 20

/** Merchants, their keys and their address counters in PostgreSQL. */
export class PostgresDirectory implements Directory {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async addMerchant({ id, name, xpub, createdAt }: Merchant): Promise<void> {
    await this.#database.query(
      {
        name: 'add_merchant',
        text: 'insert into merchant (id, name, xpub, created_at) values ($1, $2, $3, $4)',
      },
      [id, name, xpub, toRfc3339(createdAt)],
    )
  }

  async merchant(id: string): Promise<Merchant | null> {
    const row = await this.#database.one<MerchantRow>(
      { name: 'merchant', text: 'select id, name, xpub, created_at from merchant where id = $1' },
      [id],
    )
    return row && { id: row.id, name: row.name, xpub: row.xpub, createdAt: row.created_at }
  }

  async addKey(key: ApiKey, hash: Uint8Array): Promise<void> {
    const { id, merchantId, livemode, kind, scopes, prefix, createdAt, revokedAt } = key
    await this.#database.query(
      {
        name: 'add_key',
        text: `insert into api_key
          (id, merchant_id, livemode, kind, scopes, prefix, hash, created_at, revoked_at)
          values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      },
      [
        ...[id, merchantId, livemode, kind, arrayOf.text(scopes), prefix, Buffer.from(hash)],
        ...[toRfc3339(createdAt), revokedAt === null ? null : toRfc3339(revokedAt)],
      ],
    )
  }

  async keyByHash(hash: Uint8Array): Promise<ApiKey | null> {
    const row = await this.#database.one<KeyRow>(
      {
        name: 'key_by_hash',
        text: `select id, merchant_id, livemode, kind, scopes, prefix, created_at, revoked_at
          from api_key where hash = $1`,
      },
      [Buffer.from(hash)],
    )
    return row && keyOf(row)
  }

  async revokeKey(id: string, at: Instant): Promise<void> {
    await this.#database.query(
      {
        name: 'revoke_key',
        text: 'update api_key set revoked_at = $2 where id = $1 and revoked_at is null',
      },
      [id, toRfc3339(at)],
    )
  }

  /**
   * A statement of its own, committed before the indexes are told, so no rollback gives them back. A
   * restored backup has an old counter: its cluster or timeline is another than the one the counter
   * was last moved in, and then it jumps over all that may have been given since. The same after a
   * replica took over, which may not have seen the last ones, and where payments have used indexes
   * that no counter tells of. What this cannot see is a data directory put back file by file under
   * the same PostgreSQL (a disk snapshot): whoever restores like that must recover to a target, which
   * begins a new timeline.
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
      throw new Failure('merchant_cannot_receive', 'The extended public key is used up.')
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
    // Another process may have been first; then its secret is the secret.
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

interface MerchantRow {
  readonly id: string
  readonly name: string
  readonly xpub: string | null
  readonly created_at: number
}

interface KeyRow {
  readonly id: string
  readonly merchant_id: string
  readonly livemode: boolean
  readonly kind: KeyKind
  readonly scopes: string[]
  readonly prefix: string
  readonly created_at: number
  readonly revoked_at: number | null
}

const keyOf = (row: KeyRow): ApiKey => ({
  id: row.id,
  merchantId: row.merchant_id,
  livemode: row.livemode,
  kind: row.kind,
  scopes: row.scopes,
  prefix: row.prefix,
  createdAt: row.created_at,
  revokedAt: row.revoked_at,
})
