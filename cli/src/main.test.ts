import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpWorld } from '../../test/support/http-world.ts'
import { exitCodes } from './exit-code.ts'

let world: HttpWorld
let home: string
let sandbox: string

beforeAll(async () => {
  world = await HttpWorld.start()
  home = await mkdtemp(join(tmpdir(), 'settlewire-cli-'))
  sandbox = join(home, 'sandbox.json')
  await writeFile(sandbox, JSON.stringify({ url: world.url, secretKey: world.secretKey }))
})

afterAll(async () => {
  await world.close()
  await rm(home, { recursive: true, force: true })
})

/** The program as a shell runs it, with nothing in its environment but what is given. */
class Run {
  readonly #child
  readonly #closed: Promise<unknown[]>
  out = ''
  err = ''

  constructor(line: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const main = join(import.meta.dirname, 'main.ts')
    this.#child = spawn(process.execPath, [main, ...line], { env })
    this.#closed = once(this.#child, 'close')
    this.#child.stdout.on('data', (data) => {
      this.out += String(data)
    })
    this.#child.stderr.on('data', (data) => {
      this.err += String(data)
    })
  }

  async ended(): Promise<this & { code: number }> {
    const [code] = await this.#closed
    return Object.assign(this, { code: Number(code) })
  }

  async until(what: RegExp): Promise<void> {
    while (!what.test(this.out + this.err)) await once(this.#child.stdout, 'data')
  }

  interrupt(): void {
    this.#child.kill('SIGINT')
  }
}

const run = (...line: string[]) => new Run([...line, '--sandbox', sandbox]).ended()
const lines = (text: string) => text.trimEnd().split('\n')

describe('settlewire', () => {
  it('creates a payment and says where to pay it', async () => {
    const { code, out } = await run(
      ...['create', '--amount', '150.00', '--currency', 'USDC', '--accept', 'USDC.local'],
      ...['--reference', 'order-42', '--metadata', 'cart=7', '--metadata', 'note=a=b'],
    )
    expect(code).toBe(exitCodes.done)
    expect(out).toMatch(/^id {9}pi_/)
    expect(out).toContain('status     awaiting')
    expect(out).toContain('amount     150.00 USDC')
    expect(out).toMatch(/pay to {5}0x[0-9a-f]{40} \(USDC on Local test chain\)/)
    expect(out).toMatch(/checkout {3}http/)
  })

  it('speaks JSON, a value per line, as the API said it', async () => {
    const metadata = ['--metadata', 'cart=7', '--metadata', 'note=a=b']
    const created = await run(
      ...['create', '--amount', '1.00', '--currency', 'USDC', '--json'],
      ...metadata,
    )
    const payment = JSON.parse(created.out)
    expect(payment).toMatchObject({
      object: 'payment_intent',
      metadata: { cart: '7', note: 'a=b' },
    })
    const got = await run('get', payment.id, '--json')
    expect(JSON.parse(got.out)).toEqual(payment)
    const listed = await run('list', '--limit', '100', '--json')
    const ids = lines(listed.out).map((line) => JSON.parse(line).id)
    expect(ids).toContain(payment.id)
    const told = await run('events', payment.id, '--json')
    expect(JSON.parse(told.out)).toMatchObject({ type: 'payment_intent.created' })
  })

  it('lists what is asked for, and says how to go on', async () => {
    await world.create({ reference: 'cli-list' })
    await world.create({ reference: 'cli-list' })
    const first = await run('list', '--reference', 'cli-list', '--limit', '1')
    expect(lines(first.out)).toHaveLength(1)
    const [, cursor = ''] = /--cursor (\S+)/.exec(first.err) ?? []
    const second = await run('list', '--reference', 'cli-list', '--limit', '1', '--cursor', cursor)
    expect(second.out).toContain('cli-list')
    expect(second.out).not.toBe(first.out)
    expect(second.err).toBe('')
  })

  it('withdraws a payment, and says why it can not be withdrawn twice', async () => {
    const { id } = await world.create()
    const first = await run('cancel', id, '--reason', 'out of stock')
    expect(first.out).toContain('status     cancelled (out of stock)')
    const paid = await world.create()
    await world.pay(paid)
    const refused = await run('cancel', paid.id)
    expect(refused.code).toBe(exitCodes.refused)
    expect(refused.err).toMatch(/^not_cancellable: /)
    expect(refused.err).toContain('refund it instead')
  })

  it('follows a payment to its end, a line for each event', async () => {
    const payment = await world.create()
    const watching = new Run(['watch', payment.id, '--sandbox', sandbox])
    await watching.until(/created/)
    await world.pay(payment)
    await world.engine.mine()
    await world.engine.mine()
    const { code, out, err } = await watching.ended()
    expect(code).toBe(exitCodes.done)
    expect(lines(out).map((line) => line.trim().split(/\s+/).slice(0, 2))).toEqual([
      ['1', 'created'],
      ['2', 'confirming'],
      ['3', 'confirming'],
      ['4', 'succeeded'],
    ])
    expect(out).toContain('2/3')
    expect(err).toBe('live\n')
  })

  it('tells a shell that a payment closed without being paid', async () => {
    const { id } = await world.create()
    const watching = new Run(['watch', id, '--sandbox', sandbox])
    await watching.until(/created/)
    await run('cancel', id)
    expect((await watching.ended()).code).toBe(exitCodes.unpaid)
  })

  it('stops following at Ctrl-C', async () => {
    const { id } = await world.create()
    const watching = new Run(['watch', id, '--sandbox', sandbox])
    await watching.until(/created/)
    watching.interrupt()
    expect((await watching.ended()).code).toBe(exitCodes.interrupted)
  })
})

describe('settlewire, when it can not do it,', () => {
  it('says with a code what was refused, and what to do', async () => {
    const unknown = await run('get', `pi_${'0'.repeat(26)}`)
    expect(unknown.code).toBe(exitCodes.refused)
    expect(unknown.err).toMatch(/^not_found: .*\nCheck the id.*\nRequest req_/)
    const watched = await run('watch', `pi_${'0'.repeat(26)}`)
    expect(watched.code).toBe(exitCodes.refused)
    expect(watched.err).toContain('not_found')
    const invalid = await run('create', '--amount', '1.0000001', '--currency', 'USDC')
    expect(invalid.code).toBe(exitCodes.refused)
    expect(invalid.err).toMatch(/^invalid_amount: /)
  })

  it('tells a server that is away from one that refuses', async () => {
    const env = { SETTLEWIRE_URL: 'http://127.0.0.1:1', SETTLEWIRE_KEY: 'sk_test_x' }
    const { code, err } = await new Run(['get', 'pi_1'], env).ended()
    expect(code).toBe(exitCodes.later)
    expect(err).toMatch(/^unreachable: /)
    const wrong = { SETTLEWIRE_URL: world.url, SETTLEWIRE_KEY: `sk_test_${'x'.repeat(32)}` }
    const refused = await new Run(['list'], wrong).ended()
    expect(refused.code).toBe(exitCodes.refused)
    expect(refused.err).toMatch(/^unauthenticated: /)
    expect(refused.err).not.toContain('xxxx')
  })

  it('names the setting that is missing or broken', async () => {
    const without = await new Run(['list']).ended()
    expect(without.code).toBe(exitCodes.settings)
    expect(without.err).toContain('SETTLEWIRE_URL')
    const keyless = await new Run(['list'], { SETTLEWIRE_URL: world.url }).ended()
    expect(keyless.err).toContain('SETTLEWIRE_KEY')
    const nowhere = await new Run(['list', '--sandbox', join(home, 'nothing.json')]).ended()
    expect(nowhere.code).toBe(exitCodes.settings)
    expect(nowhere.err).toContain('ENOENT')
    await writeFile(join(home, 'broken.json'), '{"url":')
    const broken = await new Run(['list', '--sandbox', join(home, 'broken.json')]).ended()
    expect(broken.err).toContain('no sandbox file')
  })

  it.each([
    [['get'], 'Which payment?'],
    [['fly'], 'There is no command fly.'],
    [['get', 'pi_1', 'pi_2'], 'What is pi_2?'],
    [['get', 'pi_1', '--amount', '1'], 'get does not take --amount.'],
    [['create', '--currency', 'USDC'], '--amount is missing.'],
    [['list', '--limit', 'many'], '--limit takes a whole number'],
    [['list', '--status', 'done'], 'There is no status done.'],
    [['create', '--amount', '1', '--currency', 'USDC', '--metadata', 'x'], 'takes key=value'],
    [['list', '--unheard-of'], 'unheard-of'],
  ])('refuses a command line that does not fit: %j', async (line, says) => {
    const { code, err } = await run(...line)
    expect(code).toBe(exitCodes.usage)
    expect(err).toContain(says)
  })

  it('prints its help, to those who ask for it and to those who say nothing', async () => {
    const asked = await new Run(['--help']).ended()
    expect(asked.code).toBe(exitCodes.done)
    for (const word of ['create', 'watch', '--sandbox', 'SETTLEWIRE_KEY', '6 unpaid']) {
      expect(asked.out).toContain(word)
    }
    const silent = await new Run([]).ended()
    expect(silent.code).toBe(exitCodes.usage)
    expect(silent.out).toBe(asked.out)
  })
})
