import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerProcess, startServer, temporaryHome } from '../support/e2e/server.ts'
import { execute, startPostgres, type TestPostgres } from '../support/postgres-server.ts'

describe('a server whose database accepts no changes', () => {
  const home = temporaryHome()
  let postgres: TestPostgres
  let server: ServerProcess

  beforeAll(async () => {
    postgres = await startPostgres()
    server = await startServer({ home: home.path, env: { DATABASE_URL: postgres.url } })
  }, 120_000)

  afterAll(async () => {
    await server.stop()
    await postgres.stop()
    home.remove()
  })

  const ready = async () => {
    const answer = await fetch(`${server.url}/readyz`)
    const { checks } = (await answer.json()) as { checks: { store: object } }
    return { status: answer.status, store: checks.store }
  }
  const create = async () => {
    const answer = await fetch(`${server.url}/v1/payment-intents`, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
        authorization: `Bearer ${server.sandbox.secretKey}`,
      },
      body: JSON.stringify({ amount: '1.00', currency: 'USDC' }),
    })
    const { code, detail } = (await answer.json()) as { code?: string; detail?: string }
    return { status: answer.status, code, detail }
  }
  const setReadOnly = async (value: 'on' | 'off') => {
    await execute(postgres.url, `alter system set default_transaction_read_only = ${value}`)
    await execute(postgres.url, 'select pg_reload_conf()')
  }
  const soon = { timeout: 15_000, interval: 200 }

  it('is not ready while it is read-only, gives the reason, and recovers without a restart', async () => {
    expect(await create()).toMatchObject({ status: 201 })
    await setReadOnly('on')
    await expect.poll(ready, soon).toEqual({
      status: 503,
      store: { ok: false, reason: 'read_only' },
    })
    const refused = await create()
    expect(refused).toMatchObject({ status: 503, code: 'store_unavailable' })
    expect(refused.detail).toContain('takes no changes right now')

    await setReadOnly('off')
    await expect.poll(ready, soon).toEqual({ status: 200, store: { ok: true, reason: null } })
    expect(await create()).toMatchObject({ status: 201 })
    expect(server.output()).toContain('"reason":"read_only"')
  })

  it('is not ready while the disk is full, and recovers when there is space', async () => {
    // The error that PostgreSQL raises when it cannot extend a table.
    await execute(
      postgres.url,
      `create function refuse() returns trigger language plpgsql as $$
         begin raise exception 'could not extend file: no space' using errcode = '53100'; end $$;
       create trigger refuse before insert on write_proof execute function refuse();
       create trigger refuse before insert on event execute function refuse()`,
    )
    await expect.poll(ready, soon).toEqual({
      status: 503,
      store: { ok: false, reason: 'no_space' },
    })
    const refused = await create()
    expect(refused).toMatchObject({ status: 503, code: 'store_unavailable' })
    expect(refused.detail).toContain('no room left')

    await execute(postgres.url, 'drop trigger refuse on write_proof; drop trigger refuse on event')
    await expect.poll(ready, soon).toEqual({ status: 200, store: { ok: true, reason: null } })
    expect(await create()).toMatchObject({ status: 201 })
  })
})
