import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keyCommand } from '../../server/src/key.ts'
import { merchantCommand } from '../../server/src/merchant.ts'
import { readAsked } from '../../server/src/operator/subcommand.ts'
import { merchant } from '../support/engine-world.ts'
import { HttpWorld } from '../support/http-world.ts'
import { queryAs } from '../support/postgres.ts'
import { programEnv } from '../support/program-env.ts'

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/going-live.md'), 'utf8')
const words = 'legal winner thank year wave sausage worth useful legal winner thank yellow'

/** A code block of the page, by the name after its language. */
function block(name: string): string {
  const [, text] = new RegExp(`^\`\`\`\\w+ ${name}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(page) ?? []
  if (text === undefined) throw new Error(`docs/going-live.md has no block ${name}`)
  return text
}

interface Told {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

/** Runs a program in the project, as a reader of the page does. */
function run(command: string, args: readonly string[], { env = {}, input = '' }: Told = {}) {
  const child = spawn(command, args, { cwd: root, env: { ...programEnv(), ...env } })
  let [out, err] = ['', '']
  child.stdout.on('data', (data) => {
    out += String(data)
  })
  child.stderr.on('data', (data) => {
    err += String(data)
  })
  child.stdin.end(input)
  return new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, out, err })),
  )
}

it('the page derives the right xpub from a recovery phrase, and a merchant accepts it', async () => {
  const { out, err } = await run('sh', ['-c', block('xpub')], { input: `${words}\n` })
  expect(err).toBe('')
  const account = HDKey.fromMasterSeed(mnemonicToSeedSync(words)).derive("m/44'/60'/0'")
  expect(out.trim()).toBe(account.publicExtendedKey)
  const line = ['create', '--name', 'Harbour Books', '--xpub', out.trim(), '--live']
  expect(readAsked(merchantCommand, line)).not.toBeNull()
})

it('the page names only existing subcommands and options', () => {
  const joined = page.replaceAll(/\\\n\s*/g, '')
  const lines = [...joined.matchAll(/npx settlewire ((merchant|key) [^\n`]+)/g)]
  expect(lines.length).toBeGreaterThan(4)
  for (const [, line = '', name] of lines) {
    const { subcommands } = name === 'merchant' ? merchantCommand : keyCommand
    const [, subcommand = ''] = line.split(' ')
    expect(Object.keys(subcommands), line).toContain(subcommand)
    for (const [, option = ''] of line.matchAll(/--([a-z-]+)/g)) {
      expect(Object.keys(subcommands[subcommand]?.options ?? {}), line).toContain(option)
    }
  }
})

describe('the page, with payments,', () => {
  let world: HttpWorld
  const folder = mkdtempSync(join(tmpdir(), 'settlewire-going-live-'))
  beforeAll(async () => {
    world = await HttpWorld.start()
  })
  afterAll(async () => {
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('lists addresses with a query that returns each payment with its index', async () => {
    const payment = await world.create()
    const [, sql = ''] = /"\n([\s\S]+)"\n$/.exec(block('addresses')) ?? []
    const rows = await queryAs(world.engine.databaseUrl, sql.replace('mer_…', merchant.merchantId))
    expect(rows).toContainEqual({
      // A bigint, which the driver returns as text.
      deposit_index: expect.stringMatching(/^\d+$/),
      address: payment.accept[0].address.toLowerCase(),
      payment: payment.id,
      status: 'awaiting',
    })
  })

  it('has an order program that sends a paid order once, even when it is started again', async () => {
    const scopes = ['events:read', 'payment_intents:read'] as const
    const key = await world.addKey({ kind: 'restricted', scopes })
    const program = join(folder, 'fulfil.mjs')
    const orders = join(folder, 'orders.json')
    writeFileSync(program, block('fulfil'))
    const env = { SETTLEWIRE_URL: world.url, SETTLEWIRE_KEY: key, ORDERS: orders, ONCE: 'yes' }
    const fulfil = () => run(process.execPath, [program], { env })
    const paid = await world.create({ reference: 'order-42' })
    await world.create({ reference: 'order-43' })
    expect(await fulfil()).toMatchObject({ code: 0, err: '' })
    expect(JSON.parse(readFileSync(orders, 'utf8')).orders).toEqual({})
    await world.pay(paid)
    for (let block = 0; block < 3; block++) await world.engine.mine()
    expect(await fulfil()).toMatchObject({ code: 0, err: '' })
    const kept = readFileSync(orders, 'utf8')
    expect(JSON.parse(kept).orders).toEqual({ 'order-42': 'send' })
    await fulfil()
    expect(readFileSync(orders, 'utf8')).toBe(kept)
  })
})
