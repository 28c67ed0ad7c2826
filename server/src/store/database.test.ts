import { once } from 'node:events'
import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { queryAs, type TestDatabase, testDatabase } from '../../../test/support/postgres.ts'
import { silentLog } from '../log.ts'
import { Database, type DatabaseOptions } from './database.ts'
import { migrate } from './migrate.ts'

/** Named by its text, which PostgreSQL would cut. */
const ask = (text: string) => ({ name: text.replace(/\W+/g, '_').slice(0, 60), text })
const timeouts = { connect: 300, statement: 300, lock: 150 }

describe('a connection', () => {
  let own: TestDatabase
  let open: Database[] = []

  const connect = (options: Partial<DatabaseOptions> = {}): Database => {
    const database = new Database({ url: own.url, log: silentLog, ...options })
    open.push(database)
    return database
  }

  beforeEach(async () => {
    own = await testDatabase()
  })

  afterEach(async () => {
    await Promise.all(open.map((database) => database.close()))
    open = []
    await own.close()
  })

  it('works as the role that cannot change the history', async () => {
    expect(await connect().query(ask('select current_user as role'), [])).toEqual([
      { role: 'settlewire_app' },
    ])
  })

  it('commits durably, whatever the default of the database', async () => {
    await queryAs(own.url, `alter database ${own.name} set synchronous_commit = off`)
    expect(await queryAs(own.url, 'show synchronous_commit')).toEqual([
      { synchronous_commit: 'off' },
    ])
    expect(await connect().query(ask('show synchronous_commit'), [])).toEqual([
      { synchronous_commit: 'on' },
    ])
  })

  it('works as the owner where the role cannot be had, and the trigger still guards', async () => {
    const name = `owner_${own.name}`
    await queryAs(own.url, `create role ${name} login password 'secret'`)
    await queryAs(own.url, `drop owned by settlewire_app; drop schema public cascade`)
    await queryAs(own.url, `create schema public authorization ${name}`)
    const url = new URL(own.url)
    url.username = name
    url.password = 'secret'
    await migrate(url.href, { log: silentLog })
    const database = connect({ url: url.href })
    expect(await database.query(ask('select current_user as role'), [])).toEqual([{ role: name }])
    await expect(database.query(ask('delete from event'), [])).rejects.toThrow('append-only')
    await database.close()
    open = []
    await queryAs(own.url, `drop owned by ${name} cascade; drop role ${name}`)
  })

  it('gives json as the text it is, instants as milliseconds, counters as numbers', async () => {
    const text = `select '{"b":1,  "a":[ ]}'::json as json, 9007199254740991::bigint as counter,
      '2026-01-02T03:04:05.678Z'::timestamptz as instant, null::timestamptz as never`
    expect(await connect().query(ask(text), [])).toEqual([
      {
        json: '{"b":1,  "a":[ ]}',
        counter: 9007199254740991,
        instant: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
        never: null,
      },
    ])
  })

  it('ends a statement that takes too long, and is used again', async () => {
    const database = connect({ timeouts, connectionsMax: 1 })
    const pid = ask('select pg_backend_pid() as pid')
    const before = await database.query(pid, [])
    await expect(database.query(ask('select pg_sleep(5)'), [])).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    expect(await database.query(pid, [])).toEqual(before)
  })

  describe('that reads in runs', () => {
    const numbers = ask('select n from generate_series(1, 5) as n')

    it('gives every row once, in order, and is used again', async () => {
      const database = connect({ connectionsMax: 1 })
      const runs: number[][] = []
      const take = (rows: { n: number }[]) => runs.push(rows.map(({ n }) => n))
      await database.each(numbers, 2, take)
      expect(runs).toEqual([[1, 2], [3, 4], [5]])
      expect(await database.query(ask('select 1 as one'), [])).toEqual([{ one: 1 }])
    })

    it('leaves no transaction open when a run is not taken', async () => {
      const database = connect({ connectionsMax: 1 })
      const fault = new Error('not taken')
      const take = () => {
        throw fault
      }
      await expect(database.each(numbers, 2, take)).rejects.toBe(fault)
      const open = `select count(*)::integer as open from pg_stat_activity
        where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()`
      expect(await database.query(ask(open), [])).toEqual([{ open: 0 }])
    })
  })

  it('is not waited for longer than is told', async () => {
    const database = connect({ timeouts: { ...timeouts, statement: 5_000 }, connectionsMax: 1 })
    const busy = database.query(ask('select pg_sleep(1)'), [])
    await expect(database.query(ask('select 1'), [])).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    await busy
    await expect(database.query(ask('select 1 as one'), [])).resolves.toEqual([{ one: 1 }])
  })

  it('is replaced when the server ends it in the middle of a statement', async () => {
    const database = connect({ connectionsMax: 1 })
    const [row] = await database.query<{ pid: number }>(ask('select pg_backend_pid() as pid'), [])
    const lost = expect(database.query(ask('select pg_sleep(5)'), [])).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    await queryAs(own.url, `select pg_terminate_backend(${row?.pid})`)
    await lost
    await expect(database.query(ask('select 1 as one'), [])).resolves.toEqual([{ one: 1 }])
  })

  it('tells a bug from a server that is not there', async () => {
    await expect(connect().query(ask('select nonsense'), [])).rejects.toMatchObject({
      name: 'error',
      code: '42703',
    })
  })

  it('gives up on a server that takes connections and says nothing', async () => {
    const mute = createServer().listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const address = mute.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const url = `postgresql://someone:hunter2@127.0.0.1:${port}/nowhere`
    const failure = await connect({ url, timeouts })
      .query(ask('select 1'), [])
      .catch((error: unknown) => error)
    mute.close()
    expect(failure).toMatchObject({ code: 'store_unavailable' })
  })

  it.each([
    'postgresql://someone:hunter2@[nowhere',
    'mysql://someone:hunter2@nowhere/here',
    'hunter2',
    '',
  ])(
    'is not made to what is no URL of a PostgreSQL, and nothing of it is said: %s',
    async (url) => {
      const failures = [
        await Promise.resolve()
          .then(() => connect({ url }))
          .catch((error: unknown) => error),
        await migrate(url, { log: silentLog }).catch((error: unknown) => error),
      ]
      for (const failure of failures) {
        expect(failure).toMatchObject({ code: 'invalid_config' })
        expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('hunter2')
      }
    },
  )

  it('never says where it goes when it cannot get there', async () => {
    const url = 'postgresql://someone:hunter2@127.0.0.1:1/nowhere'
    const failure: unknown = await connect({ url })
      .query(ask('select 1'), [])
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'store_unavailable' })
    expect(inspect(failure, { depth: 9 })).not.toContain('hunter2')
  })
})
