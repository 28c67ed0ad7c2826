import { once } from 'node:events'
import { createServer, connect as dial } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { queryAs, type TestDatabase, testDatabase } from '../../../test/support/postgres.ts'
import { silentLog } from '../log.ts'
import { Database, type DatabaseOptions } from './database.ts'
import { migrate } from './migrate.ts'

/** A statement named by its text, cut because PostgreSQL limits the length of names. */
const ask = (text: string) => ({ name: text.replace(/\W+/g, '_').slice(0, 60), text })
/** A server in between. `hold` keeps back what clients send, but not what the database sends. */
async function relayTo(target: string) {
  const to = new URL(target)
  const folder = to.searchParams.get('host')
  const port = Number(to.port || 5432)
  let isHeld = false
  const ends: Promise<unknown>[] = []
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const database =
      folder === null ? dial(port, to.hostname) : dial(join(folder, `.s.PGSQL.${port}`))
    for (const socket of [client, database]) socket.on('error', () => undefined)
    client.on('data', (bytes) => void (isHeld || database.write(bytes)))
    database.pipe(client)
    client.on('end', () => void (isHeld || database.end()))
    ends.push(once(client, 'close'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  to.searchParams.delete('host')
  to.hostname = '127.0.0.1'
  to.port = String(typeof address === 'object' && address !== null ? address.port : 0)
  const hold = (): void => {
    isHeld = true
  }
  const close = async (): Promise<void> => {
    await Promise.all(ends)
    server.close()
  }
  return { url: to.href, hold, close }
}

const timeouts = { connect: 300, statement: 300, lock: 150 }

describe('a database connection', () => {
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

  it('uses the role that cannot change the history', async () => {
    expect(await connect().query(ask('select current_user as role'), [])).toEqual([
      { role: 'settlewire_app' },
    ])
  })

  it('commits synchronously even if the database defaults to asynchronous', async () => {
    await queryAs(own.url, `alter database ${own.name} set synchronous_commit = off`)
    expect(await queryAs(own.url, 'show synchronous_commit')).toEqual([
      { synchronous_commit: 'off' },
    ])
    expect(await connect().query(ask('show synchronous_commit'), [])).toEqual([
      { synchronous_commit: 'on' },
    ])
  })

  it('stays the owner of the tables when it may not become settlewire_app; the trigger still protects events', async () => {
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

  it('returns json as text, instants as milliseconds, counters as numbers', async () => {
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

  it('cancels a statement that takes too long, and is reused', async () => {
    const database = connect({ timeouts, connectionsMax: 1 })
    const pid = ask('select pg_backend_pid() as pid')
    const before = await database.query(pid, [])
    await expect(database.query(ask('select pg_sleep(5)'), [])).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    expect(await database.query(pid, [])).toEqual(before)
  })

  describe('that reads rows in runs', () => {
    const numbers = ask('select n from generate_series(1, 5) as n')

    it('returns every row once, in order, and is reused', async () => {
      const database = connect({ connectionsMax: 1 })
      const runs: number[][] = []
      const take = (rows: { n: number }[]) => runs.push(rows.map(({ n }) => n))
      await database.each(numbers, 2, take)
      expect(runs).toEqual([[1, 2], [3, 4], [5]])
      expect(await database.query(ask('select 1 as one'), [])).toEqual([{ one: 1 }])
    })

    it('leaves no transaction open when the callback throws', async () => {
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

  it('is not awaited longer than the connect timeout', async () => {
    const database = connect({ timeouts: { ...timeouts, statement: 5_000 }, connectionsMax: 1 })
    const busy = database.query(ask('select pg_sleep(1)'), [])
    await expect(database.query(ask('select 1'), [])).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    await busy
    await expect(database.query(ask('select 1 as one'), [])).resolves.toEqual([{ one: 1 }])
  })

  it('is replaced when the server terminates it during a statement', async () => {
    const database = connect({ connectionsMax: 1 })
    const [row] = await database.query<{ pid: number }>(ask('select pg_backend_pid() as pid'), [])
    const lost = expect(database.query(ask('select pg_sleep(5)'), [])).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    await queryAs(own.url, `select pg_terminate_backend(${row?.pid})`)
    await lost
    await expect(database.query(ask('select 1 as one'), [])).resolves.toEqual([{ one: 1 }])
  })

  it('logs a connection that it lost while idle, but not one that it was closing', async () => {
    const warnings: string[] = []
    const log = { ...silentLog, warn: (_: object, words: string) => void warnings.push(words) }
    const relay = await relayTo(own.url)
    const database = connect({ url: relay.url, log, connectionsMax: 1 })
    const pid = ask('select pg_backend_pid() as pid')
    const lose = async () => {
      const [row] = await database.query<{ pid: number }>(pid, [])
      return () => queryAs(own.url, `select pg_terminate_backend(${row?.pid})`)
    }
    await (await lose())()
    await expect.poll(() => warnings).toEqual(['lost an idle database connection'])
    const loseAgain = await lose()
    relay.hold()
    const closed = database.close()
    open = []
    await loseAgain()
    await closed
    await relay.close()
    expect(warnings).toHaveLength(1)
  })

  it('reports a wrong statement as a bug, not as store_unavailable', async () => {
    await expect(connect().query(ask('select nonsense'), [])).rejects.toMatchObject({
      name: 'error',
      code: '42703',
    })
  })

  it('gives up on a server that accepts connections and never answers', async () => {
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
  ])('rejects an invalid PostgreSQL URL without its password in the error: %s', async (url) => {
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
  })

  it('keeps the password out of the error when the server is unreachable', async () => {
    const url = 'postgresql://someone:hunter2@127.0.0.1:1/nowhere'
    const failure: unknown = await connect({ url })
      .query(ask('select 1'), [])
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'store_unavailable' })
    expect(inspect(failure, { depth: 9 })).not.toContain('hunter2')
  })
})
