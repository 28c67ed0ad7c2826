import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CliRun } from '../../test/support/cli-run.ts'
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

/** Runs the program in a folder of its own, with only the given environment. */
const start = (line: readonly string[], env: Readonly<Record<string, string>> = {}): CliRun =>
  new CliRun(line, { env, cwd: home })

const run = (...line: string[]) => start([...line, '--sandbox', sandbox]).ended()
const lines = (text: string) => text.trimEnd().split('\n')

describe('the settlewire command', () => {
  it('create makes a payment and shows where to pay it', async () => {
    const { code, out } = await run(
      ...['create', '--amount', '150.00', '--currency', 'USDC', '--accept', 'USDC.local'],
      ...['--reference', 'order-42', '--metadata', 'cart=7', '--metadata', 'note=a=b'],
    )
    expect(code).toBe(exitCodes.done)
    expect(out).toMatch(/^id {9}pi_/)
    expect(out).toContain('status     awaiting')
    expect(out).toContain('amount     150.00 USDC')
    expect(out).toMatch(/pay to {5}0x[0-9a-fA-F]{40} \(USDC on Local test chain\)/)
    expect(out).toMatch(/checkout {3}http/)
  })

  it('create takes amount and currency as arguments, and --quiet prints the id only', async () => {
    const { code, out } = await run('create', '150', 'USDC', '--quiet')
    expect(code).toBe(exitCodes.done)
    expect(out).toMatch(/^pi_\w{26}\n$/)
    const got = await run('get', out.trim())
    expect(got.out).toContain('amount     150.00 USDC')
    const mixed = await run('create', '--amount', '150', 'USDC', '--json')
    expect(JSON.parse(mixed.out)).toMatchObject({ amount: '150.00', currency: 'USDC' })
  })

  it('uses the sandbox that was started in the current folder', async () => {
    const own = join(home, '.settlewire')
    await mkdir(own)
    await copyFile(sandbox, join(own, 'sandbox.json'))
    expect((await start(['list']).ended()).code).toBe(exitCodes.done)
    // A key of another merchant is used at the same address.
    const other = { SETTLEWIRE_KEY: `sk_test_${'x'.repeat(32)}` }
    const refused = await start(['list'], other).ended()
    expect([refused.code, refused.err]).toEqual([
      exitCodes.refused,
      expect.stringMatching(/^unauthenticated: /),
    ])
    await rm(own, { recursive: true })
    expect((await start(['list']).ended()).code).toBe(exitCodes.settings)
  })

  it('--json prints one JSON value of the API per line', async () => {
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

  it('list filters by options, and prints the cursor of the next page to stderr', async () => {
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

  it('cancel cancels a payment, and explains why a paid one cannot be cancelled', async () => {
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

  it('create and get name a chain as the server does', async () => {
    const created = await run('create', '1', 'USDC', '--accept', 'USDC.other')
    expect(created.out).toMatch(/pay to .* \(USDC on Other Chain\)/)
    const [, id = ''] = /^id +(\S+)$/m.exec(created.out) ?? []
    expect((await run('get', id)).out).toContain('(USDC on Other Chain)')
  })

  it('claim sends a transaction hash, and shows what the nodes know about it', async () => {
    const payment = await world.create()
    const txHash = `0x${'c1'.repeat(32)}`
    const claimed = await run('claim', payment.id, txHash)
    expect(claimed.code).toBe(exitCodes.done)
    expect(claimed.out).toMatch(/^No node knows this transaction yet\./)
    const got = await run('get', payment.id)
    expect(got.out).toContain(`transfer   0.00 ? claimed ${txHash}`)
    const json = await run('claim', payment.id, txHash, '--chain', 'local', '--json')
    expect(JSON.parse(json.out)).toMatchObject({ txHash, known: 'not_found' })
    const bad = await run('claim', payment.id, '0x12')
    expect(bad.code).toBe(exitCodes.refused)
    expect(bad.err).toContain('Must be a transaction hash: 0x and 64 hexadecimal digits.')
  })

  it('resolve records a decision, and shows who decided', async () => {
    const payment = await world.create()
    await world.pay(payment, 149_000_000n)
    const resolved = await run('resolve', payment.id, 'accept', '--reason', 'close enough')
    expect(resolved.code).toBe(exitCodes.done)
    expect(resolved.out).toMatch(/resolved {3}accept \(close enough\) by key_\w+ 2/)
    const nothing = await run('resolve', (await world.create()).id, 'accept', '--reason', 'x')
    expect(nothing.code).toBe(exitCodes.refused)
    expect(nothing.err).toMatch(/^nothing_to_resolve: /)
  })

  it('policy explains in sentences what a payment waits for', async () => {
    const payment = await world.create()
    await world.pay(payment)
    const { code, out } = await run('policy', payment.id)
    expect(code).toBe(exitCodes.done)
    expect(out).toContain('1 of 3 blocks')
    const json = await run('policy', payment.id, '--json')
    expect(JSON.parse(json.out)).toMatchObject({ object: 'policy_explanation' })
  })

  it('get and policy say why a payment is to be decided by a person, and how', async () => {
    const payment = await world.create()
    await run('cancel', payment.id)
    await world.pay(payment)
    for (const command of ['get', 'policy']) {
      const { out } = await run(command, payment.id)
      expect(out).toContain('It was paid after it was withdrawn. Accept it, or refund it')
      expect(out).toContain(`npx settlewire resolve ${payment.id} refund_noted --reason "…"`)
      const json = await run(command, payment.id, '--json')
      expect(json.out).not.toContain('npx settlewire')
    }
  })

  it('chains shows the chains, their rules, and how well they are seen', async () => {
    const { watcher } = world.engine.engine
    const told = { chain: 'other', head: 4, headAt: null } as const
    watcher.health({ ...told, visibility: 'blind', reason: 'socket_down' })
    const { code, out } = await run('chains')
    expect(code).toBe(exitCodes.done)
    expect(out).toContain('Local test chain (local, 31337)')
    expect(out).toContain('  assets    USDC.local ETH.local')
    expect(out).toContain('  seen      blind, socket_down')
    expect(out).toContain('  policy    A transfer counts as paid with 3 blocks')
    watcher.health({ ...told, visibility: 'ok', reason: null })
    const json = await run('chains', '--json')
    expect(lines(json.out).map((line) => JSON.parse(line).name)).toEqual(['local', 'other'])
  })
})

describe('a settlewire command that is interrupted by Ctrl-C', () => {
  /** Answers with the head of an error for `pi_half`, and with nothing for any other request. */
  const silent = createServer(({ url }, response) => {
    if (!url?.includes('pi_half')) return
    response.writeHead(503, { 'content-type': 'application/problem+json' }).flushHeaders()
  })
  const resolve = (id: string) => ['resolve', id, 'accept', '--reason', 'x']

  beforeAll(() => once(silent.listen(0, '127.0.0.1'), 'listening'))
  afterAll(() => {
    silent.close()
    silent.closeAllConnections()
  })

  /** Interrupts a command while it waits for the response. */
  async function interrupted(line: readonly string[]) {
    // A server that listens on a port has an address object.
    const { port } = silent.address() as AddressInfo
    const env = { SETTLEWIRE_URL: `http://127.0.0.1:${port}`, SETTLEWIRE_KEY: 'sk_test_x' }
    const waiting = start(line, env)
    await once(silent, 'request')
    waiting.interrupt()
    return waiting.ended()
  }

  it.each([
    [['list']],
    [['get', 'pi_1']],
    [['get', 'pi_half']],
    [['cancel', 'pi_1']],
    [['events', 'pi_1']],
    [['watch', 'pi_1']],
    [['claim', 'pi_1', `0x${'c1'.repeat(32)}`]],
    [['policy', 'pi_1']],
    [['chains']],
    [['create', '1', 'USDC', '--idempotency-key', 'mine']],
  ])('exits with `interrupted` and prints no error: %j', async (line) => {
    const { code, out, err } = await interrupted(line)
    expect({ code, out, err }).toEqual({ code: exitCodes.interrupted, out: '', err: '' })
  })

  it.each([[['create', '1', 'USDC']], [resolve('pi_1')], [resolve('pi_half')]])(
    'tells how to repeat a request that may have been executed: %j',
    async (line) => {
      const { code, out, err } = await interrupted(line)
      expect([code, out]).toEqual([exitCodes.interrupted, ''])
      expect(err).toMatch(
        /^The request may have been executed\. To repeat it safely, add --idempotency-key [\w-]{36}\n$/,
      )
    },
  )
})

describe('a settlewire command that fails', () => {
  const resolveLine = ['resolve', 'pi_1', 'accept', '--reason', 'x']

  it('prints the error code and the advice', async () => {
    const unknown = await run('get', `pi_${'0'.repeat(26)}`)
    expect(unknown.code).toBe(exitCodes.refused)
    expect(unknown.err).toMatch(/^not_found: Check the id.*\nRequest req_/)
    const watched = await run('watch', `pi_${'0'.repeat(26)}`)
    expect(watched.code).toBe(exitCodes.refused)
    expect(watched.err).toMatch(/^not_found: /)
    const invalid = await run('create', '--amount', '1.0000001', '--currency', 'USDC')
    expect(invalid.code).toBe(exitCodes.refused)
    expect(invalid.err).toMatch(/^invalid_amount: /)
  })

  it('names the address at which no server listens, and how to start one', async () => {
    const free = createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    // A server that listens on a port has an address object.
    const url = `http://127.0.0.1:${(free.address() as AddressInfo).port}`
    await once(free.close(), 'close')
    const env = { SETTLEWIRE_URL: url, SETTLEWIRE_KEY: 'sk_test_x' }
    for (const line of [['get', 'pi_1'], ['create', '1', 'USDC'], resolveLine]) {
      const { code, err } = await start(line, env).ended()
      expect(code).toBe(exitCodes.later)
      // Nothing received the request, so nothing may be said about repeating it.
      expect(err).toBe(
        `unreachable: Nothing listens at ${url}.\nStart Settlewire there, for example with npm start, or check the address.\n`,
      )
    }
    const watching = start(['watch', 'pi_1'], env)
    await watching.until(/reconnecting/)
    expect(watching.err).toContain(`no answer from ${url} yet; start it with npm start`)
    watching.interrupt()
    await watching.ended()
  })

  it('says that a request may have been executed if the connection broke before the answer', async () => {
    const broken = createServer((request) => request.socket.destroy()).listen(0, '127.0.0.1')
    await once(broken, 'listening')
    // A server that listens on a port has an address object.
    const url = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`
    const env = { SETTLEWIRE_URL: url, SETTLEWIRE_KEY: 'sk_test_x' }
    const { code, err } = await start(['create', '1', 'USDC'], env).ended()
    broken.close()
    expect(code).toBe(exitCodes.later)
    expect(err).toMatch(
      /^The request may have been executed\. To repeat it safely, add --idempotency-key [\w-]{36}\n/,
    )
    expect(err).toContain(`unreachable: No response from ${url}.`)
  })

  it('exits with `refused` if the server refuses', async () => {
    const wrong = { SETTLEWIRE_URL: world.url, SETTLEWIRE_KEY: `sk_test_${'x'.repeat(32)}` }
    const refused = await start(['list'], wrong).ended()
    expect(refused.code).toBe(exitCodes.refused)
    expect(refused.err).toMatch(/^unauthenticated: /)
    expect(refused.err).not.toContain('xxxx')
  })

  it('names the setting that is missing or invalid', async () => {
    const without = await start(['list']).ended()
    expect(without.code).toBe(exitCodes.settings)
    expect(without.err).toContain('SETTLEWIRE_URL')
    const keyless = await start(['list'], { SETTLEWIRE_URL: world.url }).ended()
    expect(keyless.err).toContain('SETTLEWIRE_KEY')
    const nowhere = await start(['list', '--sandbox', join(home, 'nothing.json')]).ended()
    expect(nowhere.code).toBe(exitCodes.settings)
    expect(nowhere.err).toMatch(/^There is no file .+nothing\.json\.\n/)
    await writeFile(join(home, 'broken.json'), '{"url":')
    const broken = await start(['list', '--sandbox', join(home, 'broken.json')]).ended()
    expect(broken.err).toContain('is not a sandbox file')
  })

  it.each([
    [['get'], 'The id is missing. Usage: npx settlewire get <id>'],
    [['fly'], 'Unknown command: fly.\nSee npx settlewire --help.\n'],
    [['lisst'], 'Unknown command: lisst. Did you mean list?'],
    [['list', '--limt', '1'], 'Unknown option --limt. Did you mean --limit?'],
    [['get', 'pi_1', 'pi_2'], 'Unexpected argument: pi_2.'],
    [['get', 'pi_1', '--amount', '1'], 'get does not take --amount.'],
    [['create'], 'The amount is missing. Usage: npx settlewire create <amount> <currency>'],
    [['create', '150'], 'The currency is missing.'],
    [['create', '150', 'USDC', 'now'], 'Unexpected argument: now.'],
    [['create', '--currency', 'USDC'], 'The amount is missing.'],
    [['claim', 'pi_1'], 'The hash is missing. Usage: npx settlewire claim <id> <hash>'],
    [['resolve', 'pi_1', 'steal', '--reason', 'x'], 'Unknown action: steal.'],
    [['resolve', 'pi_1', 'accept'], '--reason is missing.'],
    [['chains', 'base'], 'Unexpected argument: base.'],
    [['list', '--limit', 'many'], '--limit takes a whole number'],
    [['list', '--status', 'done'], 'Unknown status: done.'],
    [['create', '--amount', '1', '--currency', 'USDC', '--metadata', 'x'], 'takes key=value'],
    [['list', '--unknown-flag'], 'unknown-flag'],
    [
      ['create', '1', 'USDC', '--quite'],
      'Unknown option --quite. Did you mean --quiet?\nSee npx settlewire create --help.\n',
    ],
    [['get', 'pi_1', '--limit', '1'], 'get does not take --limit.\nSee npx settlewire get --help.'],
    [['create', '150', 'usdc'], 'are written in capital letters. Did you mean USDC?'],
    [
      ['create', 'usdc', '150'],
      'The amount comes first, then the currency.\nDid you mean create 150 USDC?',
    ],
  ])('refuses an invalid command line and suggests a fix: %j', async (line, says) => {
    const { code, err } = await run(...line)
    expect(code).toBe(exitCodes.usage)
    expect(err).toContain(says)
  })

  it('prints its version for --version', async () => {
    const { code, out, err } = await start(['--version']).ended()
    expect({ code, err }).toEqual({ code: exitCodes.done, err: '' })
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('prints its help for --help and without arguments', async () => {
    const asked = await start(['--help']).ended()
    expect((await start(['help']).ended()).out).toBe(asked.out)
    expect(asked.code).toBe(exitCodes.done)
    for (const word of [
      'npx settlewire create',
      'npx settlewire watch',
      'claim <id> <hash>',
      'chains',
      'npx settlewire merchant create|list|show|rename|disable|enable',
      'npx settlewire key create|list|rename|rotate|revoke',
      '--sandbox',
      'SETTLEWIRE_KEY',
      '6 unpaid',
    ]) {
      expect(asked.out).toContain(word)
    }
    const ofCreate = await start(['create', '--help']).ended()
    expect(ofCreate.out).toMatch(/^npx settlewire create <amount> <currency>/)
    expect(ofCreate.out).toContain('--expires-in <seconds>')
    expect(ofCreate.out).not.toContain('npx settlewire watch')
    const silent = await start([]).ended()
    expect(silent.code).toBe(exitCodes.usage)
    expect(silent.out).toBe(asked.out)
  })
})
