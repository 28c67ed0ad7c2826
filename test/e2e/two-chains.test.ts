import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../support/anvil.ts'
import { MerchantProgram } from '../support/e2e/merchant.ts'
import { type ServerProcess, startServer, temporaryHome } from '../support/e2e/server.ts'
import { TestToken } from '../support/evm/token.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

const harbourId = 7_001
const home = temporaryHome()
let local: Anvil
let harbour: Anvil
let token: TestToken
let database: TestDatabase
let server: ServerProcess
let merchant: MerchantProgram
let configPath: string

/** A typical configuration file: one chain in full, and one whose node is down. */
function writeConfig(usdc: string, url: string): string {
  const path = join(home.path, 'settlewire.config.mjs')
  const common = `livemode: false, native: { symbol: 'HBR' }, blockMs: 1000, tags: ['finalized'],
    policy: { settled: 2, final: 'finalized' }`
  writeFileSync(
    path,
    `export default { chains: {
      harbour: {
        ${common}, chainId: ${harbourId}, publicMempool: true,
        explorerTx: 'https://explorer.example/tx/{hash}',
        accept: ['USDC', 'GOLD', 'HBR'],
        tokens: {
          USDC: { address: '${usdc}', decimals: 6, dust: '0.01' },
          GOLD: { address: '0x${'ab'.repeat(20)}', decimals: 2 },
        },
        providers: [{ name: 'own', url: { env: 'HARBOUR_URL' } }],
      },
      away: {
        ${common}, chainId: 7002, accept: ['HBR'],
        providers: [{ name: 'gone', url: '${url}' }],
      },
    } }`,
  )
  return path
}

beforeAll(async () => {
  ;[local, harbour] = await Promise.all([
    startAnvil({ blockTime: 1 }),
    startAnvil({ args: ['--chain-id', String(harbourId)] }),
  ])
  token = await TestToken.deploy(harbour)
  database = await testDatabase()
  configPath = writeConfig(token.address, 'ws://127.0.0.1:1')
  await launch({})
})
afterAll(async () => {
  await server.stop()
  await Promise.all([local.stop(), harbour.stop(), database.close()])
  home.remove()
})

async function launch(env: Readonly<Record<string, string>>): Promise<void> {
  server = await startServer({
    home: home.path,
    env: {
      ...{ DATABASE_URL: database.url, SANDBOX_RPC_URL: local.wsUrl },
      ...{ SETTLEWIRE_CONFIG: configPath, HARBOUR_URL: harbour.wsUrl },
      ...env,
    },
  })
  merchant = new MerchantProgram(server.url, server.sandbox)
}

async function restart(env: Readonly<Record<string, string>>): Promise<void> {
  await server.stop()
  await launch(env)
}

async function payLocal(intent: PaymentIntent): Promise<void> {
  const { payer, token: dollar } = server.sandbox
  const to = intent.accept.find(({ chain }) => chain === 'local')?.address.slice(2) ?? ''
  const data = `0xa9059cbb${to.padStart(64, '0')}${(150_000_000).toString(16).padStart(64, '0')}`
  await local.rpc('eth_sendTransaction', [{ from: payer, to: dollar.address, data }])
}

const ask = (accept: string[], currency = 'USDC') =>
  merchant.create({ amount: '150.00', currency, accept })

describe('an installation with several chains', () => {
  it('settles a payment on a configured chain at the configured depth', async () => {
    const intent = await ask(['USDC.harbour'])
    const [accept] = intent.accept
    expect(accept).toMatchObject({ asset: 'USDC', chain: 'harbour', chainId: harbourId })
    await token.transfer(accept?.address ?? '', 150_000_000n)
    const confirming = await merchant.until(intent.id, ({ status }) => status === 'confirming')
    expect(confirming.transfers[0]).toMatchObject({ chain: 'harbour', confirmations: 1 })
    await harbour.rpc('anvil_mine', ['0x1'])
    const paid = await merchant.until(intent.id, ({ status }) => status === 'succeeded')
    expect(paid.transfers[0]?.explorerUrl).toMatch(
      /^https:\/\/explorer\.example\/tx\/0x[0-9a-f]{64}$/,
    )
  })

  it('refuses assets that their chain contradicts or cannot confirm, with the reason', async () => {
    await expect(ask(['GOLD.harbour'], 'GOLD')).rejects.toThrow(
      /503 .*asset_disabled.*There is no contract at its address/,
    )
    await expect(ask(['HBR.away'], 'HBR')).rejects.toThrow(/503 .*asset_disabled.*could not check/)
    const { secretKey } = server.sandbox
    const response = await fetch(`${server.url}/v1/chains`, {
      headers: { authorization: `Bearer ${secretKey}` },
    })
    const { data } = await response.json()
    const shown = Object.fromEntries(data.map((chain: { name: string }) => [chain.name, chain]))
    expect(Object.keys(shown).sort()).toEqual(['away', 'harbour', 'local'])
    expect(shown.harbour.disabled).toMatchObject([
      { name: 'GOLD.harbour', reason: 'There is no contract at its address.' },
    ])
    expect(shown.harbour.policy.version).toMatch(/^cfg-[0-9a-f]{12}$/)
    expect(shown.away).toMatchObject({ assets: [], visibility: 'blind' })
    expect(server.output()).toContain('the asset is disabled')
    expect(server.output()).not.toContain(harbour.wsUrl)
  })

  it('also settles payments on the sandbox’s own chain', async () => {
    const intent = await ask(['USDC.local', 'USDC.harbour'])
    await payLocal(intent)
    const paid = await merchant.until(intent.id, ({ status }) => status === 'succeeded')
    expect(paid.transfers).toMatchObject([{ chain: 'local' }])
  })

  it('keeps payments open while their chain is not configured, and finds their money afterwards', async () => {
    const intent = await ask(['USDC.harbour'])
    const both = await ask(['USDC.harbour', 'USDC.local'])
    await restart({ SETTLEWIRE_CONFIG: 'off' })
    expect((await merchant.get(intent.id)).status).toBe('awaiting')
    await expect(ask(['USDC.harbour'])).rejects.toThrow('unsupported_asset')
    await payLocal(both)
    await merchant.until(both.id, ({ status }) => status === 'succeeded')
    await token.transfer(intent.accept[0]?.address ?? '', 150_000_000n)
    await harbour.rpc('anvil_mine', ['0x2'])
    await restart({})
    await merchant.until(intent.id, ({ status }) => status === 'succeeded')
    expect((await merchant.get(both.id)).status).toBe('succeeded')
    // This test restarts the server twice.
  }, 60_000)
})
