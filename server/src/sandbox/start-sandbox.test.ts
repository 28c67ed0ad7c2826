import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeAbiParameters, type Hex, parseAbiParameters } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import artifact from './artifacts/TestUSDC.json' with { type: 'json' }
import { rpcAt, textOf, word } from './rpc.ts'
import { writeSandboxFile } from './sandbox-file.ts'
import { type Sandbox, startSandbox } from './start-sandbox.ts'
import { balanceOf } from './token.ts'

const receiver = `0x${'ab'.repeat(20)}`
const common = { clock: systemClock, log: silentLog, blockSeconds: 60 }

let home: string
let sandbox: Sandbox

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'settlewire-sandbox-'))
  sandbox = await startSandbox({ ...common, home, rpcUrl: null })
})

afterAll(async () => {
  await sandbox.close()
  rmSync(home, { recursive: true, force: true })
})

const call = (method: string, params: unknown[] = []) =>
  rpcAt(sandbox.chain.httpUrl)(method, params)
const balance = async (account: string): Promise<bigint> =>
  BigInt(
    await textOf(
      call('eth_call', [
        { to: sandbox.token.address, data: `0x70a08231${word(account)}` },
        'latest',
      ]),
    ),
  )

// The node answers in hex with 0x, or the decoding fails and the test with it.
const decode = (types: Parameters<typeof decodeAbiParameters>[0], data: string): unknown =>
  decodeAbiParameters(types, data as Hex)

describe('the sandbox', () => {
  it('has a token whose contract matches its configuration', async () => {
    const ask = async (selector: string): Promise<string> =>
      textOf(call('eth_call', [{ to: sandbox.token.address, data: selector }, 'latest']))
    expect(decode(parseAbiParameters('string'), await ask('0x95d89b41'))).toEqual(['USDC'])
    expect(decode(parseAbiParameters('uint8'), await ask('0x313ce567'))).toEqual([6])
    expect(sandbox.token).toEqual({ symbol: 'USDC', decimals: 6, address: artifact.address })
  })

  it('sends real transfers of the token and of the native coin', async () => {
    const { token, wallet } = sandbox
    const paid = { chain: 'local', address: receiver }
    await wallet.pay({ accept: { ...paid, token: token.address }, amount: 1_500_000n })
    const { txHash } = await wallet.pay({ accept: { ...paid, token: null }, amount: 10n ** 18n })
    await call('evm_mine')
    expect(await balance(receiver)).toBe(1_500_000n)
    expect(await call('eth_getBalance', [receiver, 'latest'])).toBe('0xde0b6b3a7640000')
    expect(await call('eth_getTransactionReceipt', [txHash])).toMatchObject({ status: '0x1' })
  })

  it('sends parallel payments one after the other, without losing any', async () => {
    const accept = { chain: 'local', address: `0x${'cd'.repeat(20)}`, token: sandbox.token.address }
    const sent = await Promise.all(
      Array.from({ length: 30 }, () => sandbox.wallet.pay({ accept, amount: 1n })),
    )
    await call('evm_mine')
    expect(new Set(sent.map(({ txHash }) => txHash)).size).toBe(30)
    expect(await balance(accept.address)).toBe(30n)
  })

  it('refuses to send more than the wallet has', async () => {
    const accept = { chain: 'local', address: receiver, token: sandbox.token.address }
    const sent = sandbox.wallet.pay({ accept, amount: 10n ** 30n })
    await expect(sent).rejects.toMatchObject({ code: 'invalid_amount' })
  })

  it('can be shared by a second server, which mines no block', async () => {
    const before = await call('eth_blockNumber')
    const guest = await startSandbox({ ...common, home, rpcUrl: sandbox.chain.wsUrl })
    expect(guest.token).toEqual(sandbox.token)
    expect(await call('eth_blockNumber')).toBe(before)
    await guest.close()
  })

  it('restarts within 3 s with the same token', async () => {
    await sandbox.close()
    const startedAt = systemClock.now()
    sandbox = await startSandbox({ ...common, home, rpcUrl: null })
    expect(systemClock.now() - startedAt).toBeLessThan(3_000)
    expect(await balance(receiver)).toBe(1_500_000n)
  })

  it('refuses a reorg that would remove the token, and deploys it again at the next start', async () => {
    const ownHome = mkdtempSync(join(tmpdir(), 'settlewire-sandbox-'))
    const first = await startSandbox({ ...common, home: ownHome, rpcUrl: null })
    const holds = async ({ chain, token, wallet }: Sandbox) =>
      balanceOf(rpcAt(chain.httpUrl), token.address, wallet.address).catch(() => 0n)
    await first.levers.mine(4)
    const { head } = await first.levers.head()
    await expect(first.levers.reorg(5, false)).rejects.toMatchObject({ code: 'invalid_request' })
    await first.levers.reorg(4, false)
    expect(await holds(first)).toBeGreaterThan(0n)

    await rpcAt(first.chain.httpUrl)('anvil_reorg', [head - 1, []])
    expect(await holds(first)).toBe(0n)
    await first.close()
    const second = await startSandbox({ ...common, home: ownHome, rpcUrl: null })
    expect(await holds(second)).toBeGreaterThan(0n)
    await second.close()
    rmSync(ownHome, { recursive: true, force: true })
  })

  it('writes sandbox.json readable only by its owner', () => {
    const content = {
      url: 'http://127.0.0.1:8080',
      merchantId: 'mer_1',
      secretKey: 'sk_test_1',
      publishableKey: 'pk_test_1',
      rpcUrl: sandbox.chain.httpUrl,
      wsUrl: sandbox.chain.wsUrl,
      chain: 'local',
      chainId: 31337,
      token: sandbox.token,
      payer: sandbox.wallet.address,
    }
    writeSandboxFile(home, content)
    const path = join(home, 'sandbox.json')
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(content)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })
})
