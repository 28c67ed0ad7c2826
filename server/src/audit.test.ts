import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dumpOf } from '../../test/support/history-dump.ts'
import { execute } from '../../test/support/postgres-server.ts'
import { ScriptedPayment, scriptPolicy } from '../../test/support/scripted-payments.ts'
import { storeUnderTest } from '../../test/support/store-under-test.ts'
import { readArguments, wordsOf } from './audit.ts'

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
    '\nNo contradiction in 3000 events of 2 subjects in 1 feeds, 1.5 s, 2000 events a second.\n',
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

  async function run(...args: string[]): Promise<{ code: unknown; out: string }> {
    const program = join(import.meta.dirname, '../../cli/src/main.ts')
    const child = spawn(process.execPath, [program, 'audit', ...args], {
      env: { ...process.env, DATABASE_URL: database.url },
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

  it('exits with 0 without a contradiction, else with 1 and the first wrong event', async () => {
    const good = await run()
    expect(good).toMatchObject({ code: 0, out: expect.stringContaining('6 events of 1 subjects') })

    await execute(
      database.url,
      `alter table event disable trigger all;
       update event set evidence = replace(evidence::text, 'rpc:one', 'rpc:two')::json
       where sequence = 3`,
    )
    const { code, out } = await run('--mode', 'test')
    expect(code).toBe(1)
    expect(out).toContain(`The first contradiction is at event ${payment.events[2]?.id}`)

    const dump = await dumpOf(database.url)
    const read = await run('--from-dump', dump.path)
    await dump.remove()
    expect(read.code).toBe(1)
    expect(read.out).toContain(payment.events[2]?.id)
  }, 60_000)

  it('explains a wrong option', async () => {
    expect(await run('--mode', 'both')).toMatchObject({
      code: 2,
      out: expect.stringContaining('--mode takes live or test.'),
    })
  })

  it('exits with 2 when the history could not be read, so that a script sees no contradiction in it', async () => {
    expect(await run('--from-dump', '/nowhere/a.dump')).toMatchObject({ code: 2 })
  })
})
