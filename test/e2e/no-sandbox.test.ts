import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../server/src/config.ts'
import { start } from '../../server/src/main.ts'
import type { RunningProgram } from '../../server/src/program.ts'
import { xpubOf } from '../../server/src/sandbox/demo.ts'
import { type Anvil, startAnvil } from '../support/anvil.ts'
import { MerchantProgram } from '../support/e2e/merchant.ts'
import { temporaryHome } from '../support/e2e/server.ts'
import { TestToken } from '../support/evm/token.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { programEnv } from '../support/program-env.ts'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)
const xpub = xpubOf('legal winner thank year wave sausage worth useful legal winner thank yellow')
const home = temporaryHome()
let anvil: Anvil
let token: TestToken
let database: TestDatabase
let running: RunningProgram | null = null

beforeAll(async () => {
  anvil = await startAnvil({ args: ['--chain-id', '7003'] })
  token = await TestToken.deploy(anvil)
  database = await testDatabase()
})
afterAll(async () => {
  await running?.close()
  await Promise.all([anvil.stop(), database.close()])
  home.remove()
})

const environment = (): Record<string, string> => ({
  ...{ SANDBOX: 'off', PORT: '0', LOG_LEVEL: 'silent', SETTLEWIRE_HOME: home.path },
  ...{ DATABASE_URL: database.url, SETTLEWIRE_CONFIG: join(home.path, 'chains.mjs') },
})

/** The operator's command, run like `npm run merchant`. */
async function createMerchant(...more: readonly string[]): Promise<string> {
  const args = ['server/src/merchant.ts', 'create', '--name', 'Harbour Books', '--xpub', xpub]
  const { stdout } = await run(process.execPath, [...args, ...more], {
    ...{ cwd: root, env: { ...programEnv(), ...environment() } },
  })
  return /sk_(test|live)_\w{32}/.exec(stdout)?.[0] ?? ''
}

/** Waits for both providers: right after the start, success could have a single source. */
async function bothAreSeen(url: string, secretKey: string): Promise<void> {
  await expect
    .poll(
      async () => {
        const headers = { authorization: `Bearer ${secretKey}` }
        const { data } = await (await fetch(`${url}/v1/chains`, { headers })).json()
        return data[0].providers.filter(({ head }: { head: number | null }) => head !== null).length
      },
      { timeout: 15_000, interval: 100 },
    )
    .toBe(2)
}

describe('an installation without a sandbox', { timeout: 120_000 }, () => {
  it('accepts real money on a configured chain for a merchant that its operator registered', async () => {
    writeFileSync(
      join(home.path, 'chains.mjs'),
      `export default { chains: { harbour: {
         chainId: 7003, livemode: true, native: { symbol: 'HBR' }, blockMs: 1000,
         accept: ['USDC'], tokens: { USDC: { address: '${token.address}', decimals: 6 } },
         providers: [{ name: 'ws', url: '${anvil.wsUrl}' }, { name: 'http', url: '${anvil.rpcUrl}' }],
         policy: { settled: 1, final: 2, quorum: 2 },
       } } }`,
    )
    const secretKey = await createMerchant('--live')
    running = await start(readConfig(root, environment()))
    const merchant = new MerchantProgram(running.url, { secretKey })
    await bothAreSeen(running.url, secretKey)
    const ask = { amount: '20.00', currency: 'USDC', accept: ['USDC.harbour'] }
    const intent = await merchant.create(ask)
    expect(intent.livemode).toBe(true)
    await token.transfer(intent.accept[0]?.address ?? '', 20_000_000n)
    const paid = await merchant.until(intent.id, ({ status }) => status === 'succeeded')
    // Both providers have shown the receipt, so there is no `single_source`.
    expect(paid.flags).toEqual([])
    // A test key cannot create payments on a chain of real money.
    const tester = new MerchantProgram(running.url, { secretKey: await createMerchant() })
    await expect(tester.create(ask)).rejects.toThrow('unsupported_asset')
    expect(existsSync(join(home.path, 'sandbox.json'))).toBe(false)
  })
})
