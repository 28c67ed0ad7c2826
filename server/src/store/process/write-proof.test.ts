import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.ts'
import {
  execute,
  queryAs,
  startPostgres,
  type TestPostgres,
} from '../../../../test/support/postgres-server.ts'
import { silentLog } from '../../log.ts'
import { Database } from '../database.ts'
import { WriteProof } from './write-proof.ts'

const setReadOnly = (value: 'on' | 'off') =>
  `alter system set default_transaction_read_only = ${value}`
const diskIsFull = `
  create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'could not extend file: No space left' using errcode = '53100'; end $$;
  create trigger refuse before insert on write_proof execute function refuse()`

describe('the proof that a database accepts writes', () => {
  let postgres: TestPostgres
  let database: Database
  let clock: ManualClock
  let proof: WriteProof

  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres.stop())

  beforeEach(async () => {
    await execute(postgres.url, 'delete from write_proof; delete from merchant')
    database = new Database({ url: postgres.url, log: silentLog, connectionsMax: 4 })
    clock = new ManualClock(0)
    proof = new WriteProof(database, clock)
  })

  afterEach(() => database.close())

  const written = async () =>
    (
      await queryAs<{ at: string }>(postgres.url, 'select proven_at::text as at from write_proof')
    )[0]?.at
  const onAllSessions = async (value: 'on' | 'off') => {
    await execute(postgres.url, setReadOnly(value))
    await execute(postgres.url, 'select pg_reload_conf()')
  }
  const isReadOnly = { name: 'is_read_only', text: 'show transaction_read_only' }
  const seesReadOnly = async (value: 'on' | 'off') => {
    for (;;) {
      const row = await database.one<{ transaction_read_only: string }>(isReadOnly, [])
      if (row?.transaction_read_only === value) return
    }
  }
  const insert = {
    name: 'insert',
    text: `insert into merchant (id, name, created_at) values ($1, 'A shop', now())`,
  }

  it('is one write for all concurrent callers, and for some seconds after it', async () => {
    await Promise.all(Array.from({ length: 20 }, () => proof.prove()))
    const first = await written()
    expect(first).toBeDefined()
    await proof.prove()
    expect(await written()).toBe(first)
    await clock.advance(3_000)
    expect(await proof.prove()).toBeNull()
    expect(await written()).not.toBe(first)
    expect(await queryAs(postgres.url, 'select count(*)::integer from write_proof')).toEqual([
      { count: 1 },
    ])
  })

  it('needs free disk space, which the row alone would not need', async () => {
    const other = new Database({ url: postgres.url, log: silentLog })
    await new WriteProof(other, clock).prove()
    // The server counts what a session did when the session ends.
    await other.close()
    const sizes = `select temp_bytes::integer > 64 * 1024 as asked from pg_stat_database
      where datname = 'settlewire'`
    await expect.poll(() => queryAs(postgres.url, sizes)).toEqual([{ asked: true }])
  })

  it('reports no_space while the disk is full, and null afterwards', async () => {
    await execute(postgres.url, diskIsFull)
    expect(await proof.prove()).toBe('no_space')
    await execute(postgres.url, 'drop trigger refuse on write_proof')
    expect(await proof.prove()).toBeNull()
  })

  it('reports no_right after a right was revoked', async () => {
    await execute(postgres.url, 'revoke insert on write_proof from settlewire_app')
    expect(await proof.prove()).toBe('no_right')
    await execute(postgres.url, 'grant insert on write_proof to settlewire_app')
    expect(await proof.prove()).toBeNull()
  })

  it('reports unreachable while the server is down', async () => {
    await postgres.kill9()
    expect(await proof.prove()).toBe('unreachable')
    await postgres.restart()
    expect(await proof.prove()).toBeNull()
  })

  it('reports read_only while reads work, and drops old connections afterwards', async () => {
    await Promise.all(Array.from({ length: 4 }, () => database.query(isReadOnly, [])))
    await onAllSessions('on')
    await seesReadOnly('on')
    expect(await proof.prove()).toBe('read_only')
    await expect(database.query(insert, ['mer_1'])).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('this one was not made'),
    })
    expect(await database.query({ name: 'one', text: 'select 1 as one' }, [])).toEqual([{ one: 1 }])
    await onAllSessions('off')
    await seesReadOnly('off')
    expect(await proof.prove()).toBeNull()
    await database.query(insert, ['mer_1'])
  })

  it('replaces sessions that stay read-only after a switchover', async () => {
    const stuck = { name: 'stuck', text: 'set session characteristics as transaction read only' }
    // As behind an address that leads to the new primary: open sessions still lead to the old one.
    await Promise.all(Array.from({ length: 4 }, () => database.query(stuck, [])))
    await database.query(insert, ['mer_1'])
    await Promise.all(
      Array.from({ length: 8 }, (_, n) => database.query(insert, [`mer_more_${n}`])),
    )
    expect(await proof.prove()).toBeNull()
  })
})
