import { Failure } from '@settlewire/core/errors'
import { canonicalJson } from '@settlewire/core/history/canonical-json'
import type { Policy } from '@settlewire/core/payment/policy'
import type { Policies } from '../../ports/history.ts'
import type { Database } from '../database.ts'

/** The rules of every version, stored in PostgreSQL. */
export class PostgresPolicies implements Policies {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async all(): Promise<readonly Policy[]> {
    const rows = await this.#database.query<{ body: string }>(
      { name: 'policies', text: 'select body from policy order by created_at, version' },
      [],
    )
    return rows.map(({ body }) => JSON.parse(body) as Policy) // as `keep` wrote it
  }

  async keep(policy: Policy): Promise<void> {
    const body = canonicalJson(policy)
    await this.#database.query(
      {
        name: 'keep_policy',
        text: `insert into policy (version, body) values ($1, $2)
          on conflict (version) do nothing`,
      },
      [policy.version, body],
    )
    const kept = await this.#database.one<{ body: string }>(
      { name: 'policy', text: 'select body from policy where version = $1' },
      [policy.version],
    )
    if (kept?.body === body) return
    throw new Failure(
      'invalid_config',
      `Policy version ${policy.version} already exists with other rules: choose a new version.`,
    )
  }
}
