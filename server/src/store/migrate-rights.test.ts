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

describe('a start on a database that does not give all rights', () => {
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

  it('says so when it may not create there, as since PostgreSQL 15', async () => {
    const text = await said()
    expect(text).toContain('GRANT CREATE, USAGE ON SCHEMA public')
    expect(text).toContain('permission denied for schema public')
  })

  it('says so when the schema is closed to it, or there is none', async () => {
    await run('revoke all on schema public from public')
    expect(await said()).toContain('GRANT CREATE, USAGE ON SCHEMA public')
    await run('drop schema public cascade')
    expect(await said()).toContain('GRANT CREATE, USAGE ON SCHEMA public')
  })

  it('says so when the tables belong to another user', async () => {
    await close()
    await open(await testDatabase())
    expect(await said()).toContain('start as that user')
  })

  it('says so when the database takes no changes', async () => {
    await run(`alter role ${user} set default_transaction_read_only = on`)
    expect(await said()).toContain('Point DATABASE_URL to the primary')
  })

  it('says so when the role that it works as may not see the schema', async () => {
    await run(
      'revoke all on schema public from public',
      `grant create, usage on schema public to ${user}`,
      `grant settlewire_app to ${user}`,
    )
    expect(await said()).toContain('GRANT USAGE ON SCHEMA public TO settlewire_app')
    await run('grant usage on schema public to settlewire_app')
    await migrate(url, { log: silentLog })
  })

  it('works without the right to make roles: its own schema is enough', async () => {
    await run('revoke all on schema public from public', `grant all on schema public to ${user}`)
    await migrate(url, { log: silentLog })
    const store = openStore({ url, clock: systemClock, log: silentLog })
    expect(await store.proveWrites()).toBeNull()
    await store.close()
  })
})
