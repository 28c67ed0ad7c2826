import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chainFollowerContract } from '../../server/src/chain/contract.ts'
import { adapters } from '../../server/src/compose/kinds.ts'
import { readConfig } from '../../server/src/config.ts'
import { start } from '../../server/src/main.ts'
import type { RunningProgram } from '../../server/src/program.ts'
import { readers } from '../../server/src/registry/kinds.ts'
import { readChains } from '../../server/src/registry/read-chains.ts'
import { xpubOf } from '../../server/src/sandbox/demo.ts'
import { MerchantProgram } from '../support/e2e/merchant.ts'
import { temporaryHome } from '../support/e2e/server.ts'
import { pebbleAdapter, readPebbleChain } from '../support/pebble/pebble-adapter.ts'
import { PebbleChain } from '../support/pebble/pebble-chain.ts'
import { PebbleFollower } from '../support/pebble/pebble-follower.ts'
import { pebble } from '../support/pebble/pebble-kind.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { programEnv } from '../support/program-env.ts'

let opened = 0

chainFollowerContract('a kind made for tests', pebble, async () => {
  const chain = new PebbleChain()
  return {
    follower: (ledger) =>
      new PebbleFollower({
        name: 'beach',
        chain,
        watch: ledger.watch,
        sink: ledger,
        store: ledger,
      }),
    newAddress: () => pebble.deposits.address('lab', opened++),
    pay: async (to, amount) => chain.pay(to, amount),
    mine: async (blocks) => chain.mine(blocks),
    height: async () => chain.height,
    cut: () => chain.cut(),
    close: async () => undefined,
  }
})

describe('a server with one more kind of chain', () => {
  const root = join(import.meta.dirname, '../..')
  const home = temporaryHome()
  const chain = new PebbleChain()
  let database: TestDatabase
  let running: RunningProgram
  let secretKey = ''
  let merchant: MerchantProgram
  let environment: Readonly<Record<string, string>>

  beforeAll(async () => {
    database = await testDatabase()
    const config = join(home.path, 'chains.mjs')
    const beach = `{ kind: 'pebble', chainId: 'pebble-beach' }`
    writeFileSync(config, `export default { chains: { beach: ${beach} } }`)
    environment = {
      ...{ SANDBOX: 'off', PORT: '0', LOG_LEVEL: 'silent', SETTLEWIRE_HOME: home.path },
      ...{ DATABASE_URL: database.url, SETTLEWIRE_CONFIG: config },
    }
    const key = xpubOf(
      'legal winner thank year wave sausage worth useful legal winner thank yellow',
    )
    const args = ['server/src/merchant.ts', 'create', '--name', 'Shells', '--xpub', key]
    const env = { ...programEnv(), ...environment }
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env })
    secretKey = /sk_test_\w{32}/.exec(stdout)?.[0] ?? ''
    running = await start(readConfig(root, environment), {
      adapters: [...adapters, pebbleAdapter(chain)],
      readers: { ...readers, pebble: readPebbleChain },
    })
    merchant = new MerchantProgram(running.url, { secretKey })
  })
  afterAll(async () => {
    await running?.close()
    await database.close()
    home.remove()
  })

  const ask = async (path: string, body?: object): Promise<{ status: number; json: Answer }> => {
    const headers = { authorization: `Bearer ${secretKey}`, 'content-type': 'application/json' }
    const post = { method: 'POST', body: JSON.stringify(body) }
    const response = await fetch(`${running.url}${path}`, { headers, ...(body && post) })
    return { status: response.status, json: await response.json() }
  }
  interface Answer {
    readonly data?: readonly { readonly id: string }[]
    readonly detail?: string
    readonly known?: string
    readonly pays?: boolean
  }
  const found = async (query: string): Promise<readonly string[] | undefined> =>
    (await ask(`/v1/payment-intents?${query}`)).json.data?.map(({ id }) => id)

  it('follows a payment on that chain from creation to final and keeps the case of digests', async () => {
    const asked = await merchant.create({ amount: '1.250', currency: 'PEB', accept: ['PEB.beach'] })
    const [way] = asked.accept
    expect(way).toMatchObject({ chainId: 'pebble-beach', token: null, uri: null, decimals: 3 })
    const address = way?.address ?? ''
    expect(pebble.addresses.parse(address)).toBe(address)
    const digest = chain.pay(address, 1_250n)
    chain.mine(1)
    const isFinal = ({ finality }: PaymentIntent): boolean => finality === 'final'
    const paid = await merchant.until(asked.id, isFinal)
    expect(paid).toMatchObject({ status: 'succeeded', amountReceived: '1.25' })
    expect(paid.transfers[0]).toMatchObject({ txHash: digest, chainId: 'pebble-beach' })
    const told = (await merchant.history(asked.id)).map(({ status }) => status)
    expect(told).not.toContain('pending_detected')
    expect(await found(`txHash=${digest}`)).toEqual([asked.id])
    expect(await found(`address=${address}`)).toEqual([asked.id])
    const claimed = await ask(`/v1/payment-intents/${asked.id}/claims`, { txHash: digest })
    expect(claimed).toMatchObject({ status: 202, json: { known: 'mined', pays: true } })
  })

  it('distinguishes two digests that differ only in case', async () => {
    const asked = await merchant.create({ amount: '2', currency: 'PEB', accept: ['PEB.beach'] })
    const digest = chain.pay(asked.accept[0]?.address ?? '', 2_000n)
    chain.mine(1)
    await merchant.until(asked.id, ({ status }) => status === 'succeeded')
    const [letter = ''] = /[a-km-z]/.exec(digest.replace(/[io]/g, '')) ?? []
    const other = digest.replace(letter, letter.toUpperCase())
    expect(pebble.transactions.parse(other)).toBe(other)
    expect(await found(`txHash=${other}`)).toEqual([])
    const claimed = await ask(`/v1/payment-intents/${asked.id}/claims`, { txHash: other })
    expect(claimed.json).toMatchObject({ known: 'not_found' })
  })

  it('refuses a claim in the format of another kind and names the expected format', async () => {
    const asked = await merchant.create({ amount: '3', currency: 'PEB', accept: ['PEB.beach'] })
    const claim = { txHash: `0x${'ab'.repeat(32)}` }
    const { status, json } = await ask(`/v1/payment-intents/${asked.id}/claims`, claim)
    expect([status, json.detail]).toEqual([400, 'Must be a digest: 40 letters and digits.'])
  })

  it('refuses a rescan at once on a chain whose kind cannot read past blocks', async () => {
    const env = { ...programEnv(), ...environment }
    const args = ['server/src/rescan.ts', '--chain', 'beach', '--from', '0']
    const ended = await promisify(execFile)(process.execPath, args, { cwd: root, env }).catch(
      (error: { code: number; stderr: string }) => error,
    )
    expect(ended).toMatchObject({ code: 1 })
    expect(ended.stderr).toContain('Cannot rescan beach')
  })

  it('refuses an unknown kind of chain in the configuration', () => {
    const read = () => readChains({ chains: { beach: { kind: 'pebble' } } }, () => undefined)
    expect(read).toThrow('/chains/beach/kind must be one of evm')
  })
})
