import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { queryAs } from '../../../../test/support/postgres.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { type EmbeddedPostgres, startEmbedded } from './embedded.ts'
import { birthOf } from './process-birth.ts'

const isRoot = process.getuid?.() === 0
const modules = ['./embedded.ts', '../../clock.ts', '../../log.ts'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
)

describe('the embedded PostgreSQL of a home', () => {
  let above: string
  let home: string
  let started: EmbeddedPostgres[]

  beforeEach(async () => {
    above = await mkdtemp(join(tmpdir(), 'settlewire-home-'))
    chmodSync(above, 0o755)
    home = join(above, 'home')
    started = []
  })

  afterEach(async () => {
    await Promise.all(started.map((server) => server.stop()))
    const outside = recorded()
    if (outside !== null) await rm(outside, { recursive: true, force: true })
    await rm(above, { recursive: true, force: true })
  })

  const start = async (): Promise<EmbeddedPostgres> => {
    const server = await startEmbedded({ home, clock: systemClock, log: silentLog })
    started.push(server)
    return server
  }

  /** The external data directory in postgres.json, or null. */
  const recorded = (): string | null => {
    const path = join(home, 'postgres.json')
    return existsSync(path) ? String(JSON.parse(readFileSync(path, 'utf8')).directory) : null
  }

  /** Another process with the same home. Prints `ready <pid of postmaster>` or an error code. */
  const startElsewhere = async () => {
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const [embedded, clock, log] = await Promise.all(process.argv.slice(1, 4).map((m) => import(m)))
         const options = { home: process.argv[4], clock: clock.systemClock, log: log.silentLog }
         try { console.log('ready ' + (await embedded.startEmbedded(options)).pid) }
         catch (error) { console.log(error.code); process.exit() }
         process.stdin.resume()`,
        ...modules,
        home,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    const exited = once(child, 'exit')
    return { child, exited, said: once(child.stdout, 'data').then(([text]) => String(text).trim()) }
  }

  it('runs with fsync and checksums, a private socket and a password', async () => {
    const { url } = await start()
    const settings = `select name, setting from pg_settings
      where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses',
        'data_checksums') order by name`
    expect(await queryAs(url, settings)).toEqual([
      { name: 'data_checksums', setting: 'on' },
      { name: 'fsync', setting: 'on' },
      { name: 'full_page_writes', setting: 'on' },
      { name: 'listen_addresses', setting: '' },
      { name: 'synchronous_commit', setting: 'on' },
    ])
    const guess = new URL(url)
    guess.password = 'guess'
    await expect(queryAs(guess.href, 'select 1')).rejects.toThrow('password authentication failed')
    const sockets = String(guess.searchParams.get('host'))
    expect(lstatSync(sockets).mode & 0o077).toBe(0)
  })

  it('keeps its data across restarts, and restarts quickly', async () => {
    const first = await start()
    await queryAs(first.url, 'create table kept (id text); insert into kept values ($$yes$$)')
    await first.stop()
    expect(birthOf(first.pid)).toBeNull()
    const startedAt = performance.now()
    const second = await start()
    const tookMs = performance.now() - startedAt
    expect(await queryAs(second.url, 'select id from kept')).toEqual([{ id: 'yes' }])
    expect(second.url).toBe(first.url)
    // It takes 0.1 s on an idle machine; the limit only detects a second initdb.
    expect(tookMs).toBeLessThan(3_000)
  })

  it('serves one process: a second start fails and names the first process', async () => {
    await start()
    const other = await startElsewhere()
    expect(await other.said).toBe('home_in_use')
    await expect(start()).rejects.toMatchObject({
      code: 'home_in_use',
      message: expect.stringContaining(`Process ${process.pid}`),
    })
    await other.exited
  })

  it('ends when its parent is killed, and the next start has all committed data', async () => {
    const parent = await startElsewhere()
    const pid = Number((await parent.said).replace('ready ', ''))
    const url = await urlOf()
    await queryAs(url, 'create table kept (id text); insert into kept values ($$yes$$)')
    parent.child.kill('SIGKILL')
    await parent.exited
    const next = await start()
    expect(birthOf(pid)).toBeNull()
    expect(await queryAs(next.url, 'select id from kept')).toEqual([{ id: 'yes' }])
  })

  /** The URL that a server started elsewhere must have. */
  const urlOf = async (): Promise<string> => {
    const base = recorded() ?? join(home, 'postgres')
    const password = readFileSync(join(base, 'password'), 'utf8').trim()
    const sockets = readFileSync(join(base, 'data', 'postmaster.pid'), 'utf8').split('\n')[4] ?? ''
    return `postgresql://settlewire:${password}@localhost/settlewire?host=${encodeURIComponent(sockets)}`
  }

  it('ends an orphaned server, even one that is stopped and ignores signals', async () => {
    const first = await start()
    const orphan = first.pid
    // As if parent and watcher had both been killed: then no process stops the server.
    const lock = join(home, 'lock')
    for (const name of readdirSync(lock)) writeFileSync(join(lock, name), 'null')
    process.kill(orphan, 'SIGSTOP')
    const second = await start()
    expect(second.pid).not.toBe(orphan)
    expect(await queryAs(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  it('starts despite a stale pid file that names another process', async () => {
    const first = await start()
    process.kill(first.pid, 'SIGKILL')
    await first.exited
    await first.stop()
    const pidFile = join(recorded() ?? join(home, 'postgres'), 'data', 'postmaster.pid')
    const lines = readFileSync(pidFile, 'utf8').split('\n')
    writeFileSync(pidFile, [String(process.pid), ...lines.slice(1)].join('\n'))
    const second = await start()
    expect(await queryAs(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  it('never uses data that a killed initdb left incomplete', async () => {
    for (const afterMs of [20, 120, 350]) {
      const parent = await startElsewhere()
      void parent.said.catch(() => undefined)
      const base = join(home, 'postgres')
      while (!existsSync(base) || !readdirSync(base).some((name) => name.startsWith('draft-'))) {
        await systemClock.sleep(2)
      }
      await systemClock.sleep(afterMs)
      parent.child.kill('SIGKILL')
      await parent.exited
      expect(existsSync(join(base, 'data'))).toBe(false)
    }
    const { url } = await start()
    expect(await queryAs(url, 'select 1 as one')).toEqual([{ one: 1 }])
    const left = readdirSync(join(home, 'postgres'))
    expect(left.sort()).toEqual(['data', 'password', 'run'])
  })

  it.each([
    `a b's "hi" 50%25 #1? käse-日本 back\\slash $HOME`,
    'a,b',
    Array.from({ length: 4 }, () => 'x'.repeat(150)).join('/'),
  ])('works under a path with odd characters in it: %s', async (name) => {
    home = join(above, name)
    const first = await start()
    await queryAs(first.url, 'create table kept (id text)')
    await first.stop()
    expect(await queryAs((await start()).url, 'select * from kept')).toEqual([])
  })

  it.each([
    ['data', 'postgres/data'],
    ['folder', 'postgres'],
    ['version', 'postgres/data/PG_VERSION'],
    ['password', 'postgres/password'],
  ])('refuses to start when the %s of an existing history is missing', async (_, path) => {
    await (await start()).stop()
    await rm(join(home, path), { recursive: true })
    const refused = start()
    await expect(refused).rejects.toMatchObject({ code: 'invalid_config' })
    await expect(refused).rejects.toThrow('Restore it from a backup')
    expect(existsSync(join(home, 'postgres/data/base/1'))).toBe(/VERSION|password/.test(path))
  })

  it('refuses to start when the database of an existing history was dropped', async () => {
    const first = await start()
    const admin = new URL(first.url)
    admin.pathname = '/postgres'
    await queryAs(admin.href, 'drop database settlewire with (force)')
    await first.stop()
    await expect(start()).rejects.toThrow('The database settlewire is missing')
  })

  it('works under a path too long for a socket', async () => {
    home = join(above, 'a-directory-with-a-name-of-forty-letters', 'b'.repeat(60), 'home')
    await mkdir(home, { recursive: true })
    const { url } = await start()
    expect(await queryAs(url, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  it('keeps its data outside the home if root runs it and the PostgreSQL user cannot enter the home', async () => {
    await mkdir(home)
    chmodSync(above, 0o700)
    const first = await start()
    expect(await queryAs(first.url, 'create table kept (id text)')).toEqual([])
    const outside = recorded()
    // A non-root user can enter its own home, and PostgreSQL runs as the same user.
    expect(outside === null).toBe(!isRoot)
    await first.stop()
    const second = await start()
    expect(await queryAs(second.url, 'select count(*)::integer as count from kept')).toEqual([
      { count: 0 },
    ])
    if (outside === null) return
    await second.stop()
    await rm(outside, { recursive: true })
    await expect(start()).rejects.toMatchObject({ code: 'invalid_config' })
  })
})
