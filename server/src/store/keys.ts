import { type Instant, toRfc3339, toRfc3339OrNull } from '@settlewire/core/instant'
import type {
  ApiKey,
  KeyKind,
  KeyQuery,
  KeyReplacement,
  KeyStanding,
  Keys,
  NewKey,
} from '../ports/access.ts'
import { arrayOf } from './binary-array.ts'
import type { Database } from './database.ts'

/** Keys in PostgreSQL. Each change is one statement, so it is committed when it returns. */
export class PostgresKeys implements Keys {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async add(key: NewKey, hash: Uint8Array): Promise<void> {
    await this.#database.query(
      {
        name: 'add_key',
        text: `${insertKey} values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      },
      keyValues(key, hash),
    )
  }

  async byHash(hash: Uint8Array): Promise<ApiKey | null> {
    const text = `select ${columns} from ${keysOfMerchants} where k.hash = $1`
    const values = [Buffer.from(hash)]
    const row = await this.#database.one<KeyRow>({ name: 'key_by_hash', text }, values)
    return row && keyOf(row)
  }

  async find(id: string): Promise<ApiKey | null> {
    const text = `select ${columns} from ${keysOfMerchants} where k.id = $1`
    const row = await this.#database.one<KeyRow>({ name: 'find_key', text }, [id])
    return row && keyOf(row)
  }

  async rename(id: string, name: string): Promise<boolean> {
    const text = 'update api_key set name = $2 where id = $1 returning id'
    return (await this.#database.one({ name: 'rename_key', text }, [id, name])) !== null
  }

  async list({ merchantId, after, limit }: KeyQuery): Promise<readonly ApiKey[]> {
    const rows = await this.#database.query<KeyRow>(
      {
        name: 'list_keys',
        text: `select ${columns} from ${keysOfMerchants}
          where k.id > $1 and ($2::text is null or k.merchant_id = $2) order by k.id limit $3`,
      },
      [after, merchantId, limit],
    )
    return rows.map(keyOf)
  }

  async replace(
    id: string,
    { hash, prefix, at, until, id: next }: KeyReplacement,
  ): Promise<boolean> {
    const row = await this.#database.one(
      {
        name: 'replace_key',
        // The row lock lets one of two replacements win; the other then finds a replaced key.
        text: `with old as (
            select * from api_key where id = $1 and revoked_at is null and replaced_by is null
              and (expires_at is null or expires_at > $5) for update
          ), next as (
            insert into api_key
              (id, merchant_id, livemode, kind, scopes, name, prefix, hash, created_at)
            select $2, merchant_id, livemode, kind, scopes, name, $3, $4, $5 from old returning id
          )
          update api_key set replaced_by = next.id, expires_at = least(expires_at, $6::timestamptz),
            revoked_at = case when $6::timestamptz is null then $5::timestamptz end
          from next where api_key.id = $1 returning next.id`,
      },
      [id, next, prefix, Buffer.from(hash), toRfc3339(at), toRfc3339OrNull(until)],
    )
    return row !== null
  }

  async revoke(id: string, at: Instant): Promise<boolean> {
    const text =
      'update api_key set revoked_at = coalesce(revoked_at, $2) where id = $1 returning id'
    const row = await this.#database.one({ name: 'revoke_key', text }, [id, toRfc3339(at)])
    return row !== null
  }

  async standings(ids: readonly string[]): Promise<ReadonlyMap<string, KeyStanding>> {
    const rows = await this.#database.query<StandingRow & { readonly id: string }>(
      {
        name: 'key_standings',
        text: `select k.id, ${standingColumns} from ${keysOfMerchants} where k.id = any ($1::text[])`,
      },
      [arrayOf.text(ids)],
    )
    return new Map(rows.map((row) => [row.id, keyStandingOf(row)]))
  }

  async noteUses(uses: ReadonlyMap<string, Instant>): Promise<void> {
    const entries = [...uses]
    await this.#database.query(
      {
        name: 'note_key_uses',
        // Rows are locked in the order of ids, so that processes that note the same keys never
        // deadlock.
        text: `with used as (
            select k.id, u.at from unnest($1::text[], $2::timestamptz[]) as u (id, at)
              join api_key k on k.id = u.id
            where k.last_used_at is null or k.last_used_at < u.at
            order by k.id for no key update of k
          )
          update api_key k set last_used_at = used.at from used where k.id = used.id`,
      },
      [arrayOf.text(entries.map(([id]) => id)), arrayOf.instant(entries.map(([, at]) => at))],
    )
  }
}

/** The beginning of the statement that stores the `keyValues` of a key. */
export const insertKey = `insert into api_key
  (id, merchant_id, livemode, kind, scopes, name, prefix, hash, created_at)`

/** The values of a key to store, in the order of `insertKey`. */
export function keyValues(key: NewKey, hash: Uint8Array): (string | boolean | Buffer)[] {
  const { id, merchantId, livemode, kind, scopes, name = '', prefix, createdAt } = key
  return [
    id,
    merchantId,
    livemode,
    kind,
    arrayOf.text(scopes),
    name,
    prefix,
    Buffer.from(hash),
    toRfc3339(createdAt),
  ]
}

const keysOfMerchants = 'api_key k join merchant m on m.id = k.merchant_id'
const standingColumns = 'k.revoked_at, k.expires_at, m.disabled_at'
const columns = `k.id, k.merchant_id, k.livemode, k.kind, k.scopes, k.name, k.prefix, k.created_at,
  k.last_used_at, k.replaced_by, ${standingColumns}`

interface StandingRow {
  readonly revoked_at: number | null
  readonly expires_at: number | null
  readonly disabled_at: number | null
}

interface KeyRow extends StandingRow {
  readonly id: string
  readonly merchant_id: string
  readonly livemode: boolean
  readonly kind: KeyKind
  readonly scopes: string[]
  readonly name: string
  readonly prefix: string
  readonly created_at: number
  readonly last_used_at: number | null
  readonly replaced_by: string | null
}

const keyStandingOf = (row: StandingRow): KeyStanding => ({
  revokedAt: row.revoked_at,
  expiresAt: row.expires_at,
  merchantDisabledAt: row.disabled_at,
})

const keyOf = (row: KeyRow): ApiKey => ({
  id: row.id,
  merchantId: row.merchant_id,
  livemode: row.livemode,
  kind: row.kind,
  scopes: row.scopes,
  name: row.name,
  prefix: row.prefix,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
  replacedBy: row.replaced_by,
  ...keyStandingOf(row),
})
