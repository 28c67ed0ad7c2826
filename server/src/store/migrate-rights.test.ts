import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  emptyDatabase,
  queryAs,
  type TestDatabase,
  testDatabase,
} from '../../../test/support/postgres.ts'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { complaint } from '../program.ts'
import { migrate } from './migrate.ts'
import { openStore } from './open.ts'

describe('migrate on a database with missing rights', () => {
  let database: TestDatabase
  let user: string
  let url: string
  let close = async (): Promise<void> => undefined

  const open = async (own: TestDatabase): Promise<void> => {
    database = own
    user = `user_${randomBytes(6).toString('hex')}`
    await queryAs(own.url, `create role ${user} login password 'secret'`)
    const address = new URL(own.url)
    address.username = user
    address.password = 'secret'
    url = address.href
    close = async () => {
      await queryAs(own.url, `drop owned by ${user} cascade; drop role ${user}`)
      await own.close()
    }
  }

  beforeEach(async () => open(await emptyDatabase()))
  afterEach(() => close())

  const run = (...statements: string[]) => queryAs(database.url, statements.join(';'))
  const said = async (): Promise<string> => {
    const failure = await migrate(url, { log: silentLog }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'invalid_config' })
    const text = complaint(failure)
    expect(text).not.toMatch(/^ +at /m)
    return text
  }

  it('names the grant when it may not create tables, the default since PostgreSQL 15', async () => {
    const text = await said()
    expect(text).toContain('GRANT CREATE, USAGE ON SCHEMA public')
    expect(text).toContain('permission denied for schema public')
  })

  it('names the grant when the schema is closed to the user or missing', async () => {
    await run('revoke all on schema public from public')
    expect(await said()).toContain('GRANT CREATE, USAGE ON SCHEMA public')
    await run('drop schema public cascade')
    expect(await said()).toContain('GRANT CREATE, USAGE ON SCHEMA public')
  })

  it('tells to start as the owner when the tables belong to another user', async () => {
    await close()
    await open(await testDatabase())
    expect(await said()).toContain('start as that user')
  })

  it('tells to use the primary when the database is read-only', async () => {
    await run(`alter role ${user} set default_transaction_read_only = on`)
    expect(await said()).toContain('Point DATABASE_URL to the primary')
  })

  it('names the grant when the role settlewire_app may not use the schema', async () => {
    await run(
      'revoke all on schema public from public',
      `grant create, usage on schema public to ${user}`,
      `grant settlewire_app to ${user}`,
    )
    expect(await said()).toContain('GRANT USAGE ON SCHEMA public TO settlewire_app')
    await run('grant usage on schema public to settlewire_app')
    await migrate(url, { log: silentLog })
  })

  it('works without the right to create roles if the user has its schema', async () => {
    await run('revoke all on schema public from public', `grant all on schema public to ${user}`)
    await migrate(url, { log: silentLog })
    const store = openStore({ url, clock: systemClock, log: silentLog })
    expect(await store.proveWrites()).toBeNull()
    await store.close()
  })
})
