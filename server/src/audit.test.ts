import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryHome } from '../../test/support/e2e/server.ts'
import { dumpOf } from '../../test/support/history-dump.ts'
import { emptyDatabase } from '../../test/support/postgres.ts'
import { execute } from '../../test/support/postgres-server.ts'
import { ScriptedPayment, scriptPolicy } from '../../test/support/scripted-payments.ts'
import { storeUnderTest } from '../../test/support/store-under-test.ts'
import { readArguments, wordsOf } from './audit.ts'
import { lockHome } from './store/embedded/home-lock.ts'

describe('the command line of audit', () => {
  it('takes a merchant, a mode and a dump', () => {
    expect(readArguments([])).toEqual({ scope: {}, dump: null })
    const line = ['--merchant', 'mer_1', '--mode', 'live', '--from-dump', 'a.sql']
    expect(readArguments(line)).toEqual({
      ...{ scope: { merchantId: 'mer_1', livemode: true }, dump: 'a.sql' },
    })
    expect(readArguments(['--help'])).toBeNull()
  })

  it.each([[['--mode', 'both']], [['--what']], [['everything']]])('refuses %j', (line) => {
    expect(() => readArguments(line)).toThrow()
  })
})

it('the report of an audit has counts and speed', () => {
  const report = { subjects: 2, events: 3_000, feeds: 1, findings: [], found: 0, tookMs: 1_500 }
  expect(wordsOf(report)).toBe(
    '\nNo contradiction was found.\nChecked: 3000 events of 2 payments, and the order of events in 1 feed\n' +
      '(a merchant has one feed for test payments and one for live payments), in 1.5 s, 2000 events a second.\n',
  )
})

describe('settlewire audit', () => {
  let database: Awaited<ReturnType<typeof storeUnderTest>>
  let payment: ScriptedPayment

  beforeAll(async () => {
    database = await storeUnderTest()
    const { events, policies } = database.open()
    await policies.keep(scriptPolicy(3))
    payment = new ScriptedPayment()
    await events.append({ appends: [payment.whole()] })
  })
  afterAll(() => database.close())

  const run = (...args: string[]) => runWith({ DATABASE_URL: database.url }, ...args)

  async function runWith(
    env: Readonly<Record<string, string>>,
    ...args: string[]
  ): Promise<{ code: unknown; out: string }> {
    const program = join(import.meta.dirname, '../../cli/src/main.ts')
    const child = spawn(process.execPath, [program, 'audit', ...args], {
      env: { ...process.env, ...env },
    })
    let out = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        out += String(data)
      })
    }
    const [code]: readonly unknown[] = await once(child, 'close')
    return { code, out }
  }

  it('exits with 1 for a merchant that has no history, whose id may be misspelt', async () => {
    const { code, out } = await run('--merchant', 'mer_x')
    expect(code).toBe(1)
    expect(out).toContain(
      'There is no history of a merchant mer_x. The id of a merchant looks like mer_… with 26 characters',
    )
  })

  it('exits with 0 without a contradiction, else with 4 and the first wrong event', async () => {
    const good = await run()
    expect(good).toMatchObject({ code: 0, out: expect.stringContaining('6 events of 1 payment,') })

    await execute(
      database.url,
      `alter table event disable trigger all;
       update event set evidence = replace(evidence::text, 'rpc:one', 'rpc:two')::json
       where sequence = 3`,
    )
    const { code, out } = await run('--mode', 'test')
    expect(code).toBe(4)
    expect(out).toContain(`The first contradiction is at event ${payment.events[2]?.id}`)

    const dump = await dumpOf(database.url)
    const read = await run('--from-dump', dump.path)
    await dump.remove()
    expect(read.code).toBe(4)
    expect(read.out).toContain(payment.events[2]?.id)
  }, 60_000)

  it('explains a wrong option', async () => {
    expect(await run('--mode', 'both')).toMatchObject({
      code: 2,
      out: expect.stringContaining('--mode takes live or test.'),
    })
  })

  it('says so when the database has no history', async () => {
    const empty = await emptyDatabase()
    const { code, out } = await runWith({ DATABASE_URL: empty.url })
    await empty.close()
    expect(code).toBe(1)
    expect(out).toContain('This database has no history. Set DATABASE_URL')
    expect(out).not.toMatch(/^ +at /m)
  })

  it('says to stop the server that uses the embedded database', async () => {
    const home = temporaryHome()
    const lock = lockHome(home.path)
    // A database that exists, as far as the command looks before it takes the lock.
    mkdirSync(join(home.path, 'postgres', 'data'), { recursive: true })
    const { code, out } = await runWith({ DATABASE_URL: 'embedded', SETTLEWIRE_HOME: home.path })
    lock.release()
    home.remove()
    expect(code).toBe(1)
    expect(out).toContain(`cannot audit (home_in_use): Process ${process.pid} uses`)
    expect(out).toContain('\nStop it to audit its history.\n')
    expect(out).not.toContain('another directory')
  })

  it('exits with 1 when the history could not be read, so that a script sees no contradiction in it', async () => {
    expect(await run('--from-dump', '/nowhere/a.dump')).toMatchObject({ code: 1 })
  })
})
