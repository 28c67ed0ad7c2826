import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readCatalog } from '../../../test/support/catalog.ts'
import {
  emptyDatabase,
  queryAs,
  type TestDatabase,
  testDatabase,
} from '../../../test/support/postgres.ts'
import { ScriptedPayment } from '../../../test/support/scripted-payments.ts'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { migrate } from './migrate.ts'
import { openStore } from './open.ts'

const migrations = fileURLToPath(new URL('../../migrations', import.meta.url))
const count = 10

describe('migrations', () => {
  let database: TestDatabase
  let directory: string

  beforeEach(async () => {
    database = await emptyDatabase()
    directory = await mkdtemp(join(tmpdir(), 'settlewire-migrations-'))
    await cp(migrations, directory, { recursive: true })
  })

  afterEach(async () => {
    await database.close()
    await rm(directory, { recursive: true, force: true })
  })

  const run = () => migrate(database.url, { log: silentLog, directory })

  it('are applied once, also when several processes migrate at once', async () => {
    const runs = await Promise.all([run(), run(), run()])
    expect(runs.map(({ applied }) => applied).sort()).toEqual([0, 0, count])
    expect(await run()).toEqual({ applied: 0 })
  })

  it('result in the schema of schema.sql', async () => {
    const other = await emptyDatabase()
    await queryAs(other.url, await readFile(join(migrations, 'schema.sql'), 'utf8'))
    await run()
    const catalog = await readCatalog(database.url)
    expect(catalog.length).toBeGreaterThan(100)
    expect(await readCatalog(other.url)).toEqual(catalog)
    await other.close()
  })

  it('are refused when one was edited after it had been applied', async () => {
    await run()
    const path = join(directory, '0003_history.sql')
    await writeFile(path, `${await readFile(path, 'utf8')}\n-- a small fix`)
    await expect(run()).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('0003_history.sql'),
    })
  })

  it('are compared independent of line endings', async () => {
    await run()
    const path = join(directory, '0003_history.sql')
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll('\n', '\r\n'))
    expect(await run()).toEqual({ applied: 0 })
  })

  it('are refused on a database that a newer version has migrated', async () => {
    await writeFile(join(directory, '0011_future.sql'), 'create table future (id text)')
    await run()
    await rm(join(directory, '0011_future.sql'))
    await expect(run()).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('0011_future.sql'),
    })
  })

  it('roll back a file that fails half-way, and continue once it is corrected', async () => {
    const path = join(directory, '0011_broken.sql')
    await writeFile(path, 'create table half (id text); select 1 / 0')
    await expect(run()).rejects.toThrow('division by zero')
    expect(await queryAs(database.url, `select to_regclass('half') as half`)).toEqual([
      { half: null },
    ])
    await writeFile(path, 'create table half (id text)')
    expect(await run()).toEqual({ applied: 1 })
  })

  it('must be numbered without a gap', async () => {
    await writeFile(join(directory, '0012_late.sql'), 'select 1')
    await expect(run()).rejects.toMatchObject({ code: 'internal' })
  })

  it('reveal no password in the error when the server is unreachable', async () => {
    const url = 'postgresql://someone:hunter2@127.0.0.1:1/nowhere'
    const failure = await migrate(url, { log: silentLog }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'store_unavailable' })
    expect(JSON.stringify(failure) + String(failure)).not.toContain('hunter2')
  })
})

describe('the event table', () => {
  let database: TestDatabase

  beforeEach(async () => {
    database = await testDatabase()
    const store = openStore({ url: database.url, clock: systemClock, log: silentLog })
    await store.events.append({ appends: [new ScriptedPayment().whole()] })
    await store.close()
  })

  afterEach(() => database.close())

  const changes = [
    `update event set data = '{}'`,
    'delete from event',
    'truncate event',
    'update event set data = data where false',
  ]

  it.each(changes)('refuses changes even by its owner: %s', async (change) => {
    await expect(queryAs(database.url, change)).rejects.toThrow('append-only')
    const replica = `set session_replication_role = replica; ${change}`
    await expect(queryAs(database.url, replica)).rejects.toThrow('append-only')
  })

  it.each(changes)('grants the program no right to change it: %s', async (change) => {
    const asProgram = `set role settlewire_app; ${change}`
    await expect(queryAs(database.url, asProgram)).rejects.toThrow('permission denied')
  })
})
