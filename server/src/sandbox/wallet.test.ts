import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeFunctionResult, encodeFunctionData, type Hex, multicall3Abi, pad } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import type { PayWay } from './pay-ways.ts'
import { multicall3 } from './prepare-chain.ts'
import { rpcAt, textOf, word } from './rpc.ts'
import { type Sandbox, startSandbox } from './start-sandbox.ts'
import { askToken, balanceOf, testTokens, tokenCall } from './token.ts'

let home: string
let sandbox: Sandbox
let accounts = 0

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'settlewire-wallet-'))
  const common = { clock: systemClock, log: silentLog, blockSeconds: 60 }
  sandbox = await startSandbox({ ...common, home, rpcUrl: null })
})

afterAll(async () => {
  await sandbox.close()
  rmSync(home, { recursive: true, force: true })
})

// Pending transactions of one test must not affect the next.
afterEach(() => call('anvil_dropAllTransactions'))

const call = (method: string, params: readonly unknown[] = []) =>
  rpcAt(sandbox.chain.httpUrl)(method, params)
const mine = (): Promise<unknown> => call('evm_mine')
/** An unused address. */
const fresh = (): string => pad(`0x${(++accounts).toString(16)}`, { dir: 'right', size: 20 })
const tokenAt = (symbol: string): string =>
  testTokens.find((token) => token.symbol === symbol)?.address ?? ''
const paying = (address: string, symbol: string | null = 'USDC') => ({
  accept: { chain: 'local', address, token: symbol === null ? null : tokenAt(symbol) },
  amount: 1_000_000n,
})
const arrived = (address: string, symbol = 'USDC'): Promise<bigint> =>
  balanceOf(call, tokenAt(symbol), address)

interface Transaction {
  readonly nonce: string
  readonly from: string
  readonly maxFeePerGas: string
  readonly maxPriorityFeePerGas: string
}
// The documented form of the node's answers.
const transaction = async (hash: string) =>
  (await call('eth_getTransactionByHash', [hash])) as Transaction | null
const receipt = async (hash: string) =>
  (await call('eth_getTransactionReceipt', [hash])) as {
    status: string
    logs: { address: string; topics: string[] }[]
  } | null

describe('a held payment', () => {
  it('stays in the pool while later payments are mined', async () => {
    const [held, other] = [fresh(), fresh()]
    const { txHash } = await sandbox.wallet.pay({ ...paying(held), hold: true })
    await sandbox.wallet.pay(paying(other))
    await sandbox.levers.mine(3)
    expect(await transaction(txHash)).toMatchObject({ blockHash: null })
    expect(await receipt(txHash)).toBeNull()
    expect([await arrived(held), await arrived(other)]).toEqual([0n, 1_000_000n])
  })

  it('does not change the gas limit of blocks', async () => {
    const limit = async () => {
      await mine()
      return (await call('eth_getBlockByNumber', ['latest', false])) as { gasLimit: string }
    }
    const { gasLimit } = await limit()
    await sandbox.wallet.pay({ ...paying(fresh()), hold: true })
    expect((await limit()).gasLimit).toBe(gasLimit)
  })

  it('is mined once sped up, with the same nonce and an eighth more fee', async () => {
    const address = fresh()
    const { txHash, from } = await sandbox.wallet.pay({ ...paying(address), hold: true })
    const before = await transaction(txHash)
    const faster = await sandbox.wallet.speedUp(address)
    expect(faster).toMatchObject({ replacedTxHash: txHash, from })
    const after = await transaction(faster.txHash)
    expect(after?.nonce).toBe(before?.nonce)
    for (const fee of ['maxFeePerGas', 'maxPriorityFeePerGas'] as const) {
      const least = (BigInt(before?.[fee] ?? 0) * 1_125n) / 1_000n
      expect(BigInt(after?.[fee] ?? 0)).toBeGreaterThanOrEqual(least)
    }
    await mine()
    expect(await arrived(address)).toBe(1_000_000n)
    expect(await transaction(txHash)).toBeNull()
  })

  it('can be sped up repeatedly before a block is mined', async () => {
    const address = fresh()
    await sandbox.wallet.pay({ ...paying(address), hold: true })
    const first = await sandbox.wallet.speedUp(address)
    const second = await sandbox.wallet.speedUp(address)
    expect(second.replacedTxHash).toBe(first.txHash)
    await mine()
    expect(await arrived(address)).toBe(1_000_000n)
  })

  it('never arrives once cancelled: a payment to the sender uses its nonce', async () => {
    const address = fresh()
    const { txHash, from } = await sandbox.wallet.pay({ ...paying(address), hold: true })
    const cancelling = await sandbox.wallet.cancel(address)
    expect(cancelling).toMatchObject({ replacedTxHash: txHash, from })
    await mine()
    expect(await transaction(cancelling.txHash)).toMatchObject({ to: from, value: '0x0' })
    expect(await receipt(cancelling.txHash)).toMatchObject({ status: '0x1' })
    expect(await arrived(address)).toBe(0n)
  })

  it('is unknown to the node once dropped, and its sender is free again', async () => {
    const address = fresh()
    const { txHash, from } = await sandbox.wallet.pay({ ...paying(address), hold: true })
    expect(await sandbox.wallet.drop(address)).toEqual({ txHash, from })
    expect(await transaction(txHash)).toBeNull()
    const again = await sandbox.wallet.pay({ ...paying(address), hold: true })
    expect(again.from).toBe(from)
  })

  it('has its own sender; without a free sender it is refused', async () => {
    const address = fresh()
    const senders = new Set<string>()
    for (let i = 0; i < 8; i++) {
      senders.add((await sandbox.wallet.pay({ ...paying(address), hold: true })).from)
    }
    expect(senders.size).toBe(8)
    expect(senders).not.toContain(sandbox.wallet.address)
    const ninth = sandbox.wallet.pay({ ...paying(address), hold: true })
    await expect(ninth).rejects.toMatchObject({ code: 'overloaded' })
    await sandbox.wallet.drop(address)
    await sandbox.wallet.pay({ ...paying(address), hold: true })
  })

  it('is chosen by its address: a lever acts on the last one to that address', async () => {
    const [address, other] = [fresh(), fresh()]
    await sandbox.wallet.pay({ ...paying(address), hold: true })
    const { txHash } = await sandbox.wallet.pay({ ...paying(address), hold: true })
    await sandbox.wallet.pay({ ...paying(other), hold: true })
    expect((await sandbox.wallet.drop(address)).txHash).toBe(txHash)
  })

  it('can be in the native coin', async () => {
    const address = fresh()
    await sandbox.wallet.pay({ ...paying(address, null), hold: true })
    await sandbox.wallet.speedUp(address)
    await mine()
    expect(await call('eth_getBalance', [address, 'latest'])).toBe('0xf4240')
  })

  it('is required by speedUp, cancel and drop: else not_found', async () => {
    const address = fresh()
    await sandbox.wallet.pay(paying(address))
    await mine()
    for (const lever of ['speedUp', 'cancel', 'drop'] as const) {
      await expect(sandbox.wallet[lever](address)).rejects.toMatchObject({ code: 'not_found' })
    }
  })
})

describe('the ways to pay', () => {
  const logs: [PayWay, number, string][] = [
    ['transfer', 1, 'the payer'],
    ['transfer_from', 1, 'a third party'],
    ['contract', 1, 'the payer'],
    ['batch', 2, 'the payer'],
  ]
  it.each(logs)(
    '%s: the money arrives in %i transfer(s), in a transaction of %s',
    async (way, count, who) => {
      const address = fresh()
      const { txHash, from } = await sandbox.wallet.pay({ ...paying(address), way })
      await mine()
      expect(await arrived(address)).toBe(1_000_000n)
      expect((await receipt(txHash))?.logs.map(({ topics }) => topics.slice(1))).toEqual(
        Array(count).fill([`0x${word(sandbox.wallet.address)}`, `0x${word(address)}`]),
      )
      expect(from === sandbox.wallet.address).toBe(who === 'the payer')
    },
  )

  it('reverting: the transaction is mined but transfers nothing', async () => {
    const address = fresh()
    const { txHash } = await sandbox.wallet.pay({ ...paying(address), way: 'reverting' })
    await mine()
    expect(await receipt(txHash)).toMatchObject({ status: '0x0', logs: [] })
    expect(await arrived(address)).toBe(0n)
  })

  it('contract: coins arrive without a log, by a transaction to another address', async () => {
    const address = fresh()
    const { txHash } = await sandbox.wallet.pay({ ...paying(address, null), way: 'contract' })
    await mine()
    expect(await receipt(txHash)).toMatchObject({ status: '0x1', logs: [] })
    expect(await call('eth_getBalance', [address, 'latest'])).toBe('0xf4240')
  })

  it.each(['transfer_from', 'batch', 'reverting'] as const)('%s: not for coins', async (way) => {
    const sent = sandbox.wallet.pay({ ...paying(fresh(), null), way })
    await expect(sent).rejects.toMatchObject({ code: 'unsupported_asset' })
  })

  it('the twin arrives as another token, and the toll token minus its fee', async () => {
    const address = fresh()
    await sandbox.wallet.pay(paying(address, 'USDC.e'))
    await sandbox.wallet.pay(paying(address, 'TOLL'))
    await mine()
    const [usdc, twin, toll] = ['USDC', 'USDC.e', 'TOLL'].map((symbol) => arrived(address, symbol))
    expect([await usdc, await twin, await toll]).toEqual([0n, 1_000_000n, 990_000n])
  })

  it('every token contract matches its configuration', async () => {
    for (const { address, symbol, decimals } of testTokens) {
      const answer = await askToken(call, address, '0x95d89b41')
      expect(Buffer.from(answer.slice(130), 'hex').toString().replaceAll('\0', '')).toBe(symbol)
      expect(Number(await askToken(call, address, '0x313ce567'))).toBe(decimals)
      expect(address).toBe(address.toLowerCase())
    }
  })
})

describe('Multicall3 on the local chain', () => {
  it('reads several balances at one block, also at an older block', async () => {
    const [rich, poor] = [fresh(), fresh()]
    await sandbox.wallet.pay(paying(rich, null))
    const { head } = await sandbox.levers.mine(1)
    const before = (await call('eth_getBlockByNumber', [
      `0x${(head - 1).toString(16)}`,
      false,
    ])) as {
      hash: string
    }
    const ask = async (block: unknown) => {
      const getEthBalance = (account: string) =>
        encodeFunctionData({
          abi: multicall3Abi,
          functionName: 'getEthBalance',
          args: [account as Hex],
        })
      const calls = [rich, poor].map((account) => ({
        target: multicall3,
        allowFailure: false,
        callData: getEthBalance(account),
      })) as { target: Hex; allowFailure: boolean; callData: Hex }[]
      const functionName = 'aggregate3'
      const data = encodeFunctionData({ abi: multicall3Abi, functionName, args: [calls] })
      const answer = await textOf(call('eth_call', [{ to: multicall3, data }, block]))
      const results = decodeFunctionResult({
        abi: multicall3Abi,
        functionName,
        data: answer as Hex, // or the decoding fails and the test with it
      })
      return results.map(({ success, returnData }) => [success, BigInt(returnData)])
    }
    expect(await ask('latest')).toEqual([
      [true, 1_000_000n],
      [true, 0n],
    ])
    expect(await ask({ blockHash: before.hash })).toEqual([
      [true, 0n],
      [true, 0n],
    ])
  })

  it('fails as a whole if a read without allowFailure fails', async () => {
    const failing = tokenCall('transferFrom', fresh(), fresh(), 1n) as Hex
    const ask = (allowFailure: boolean) => {
      const call3 = { target: tokenAt('USDC') as Hex, allowFailure, callData: failing }
      const data = encodeFunctionData({
        abi: multicall3Abi,
        functionName: 'aggregate3',
        args: [[call3]],
      })
      return textOf(call('eth_call', [{ to: multicall3, data }, 'latest']))
    }
    expect(await ask(true)).toMatch(/^0x/)
    await expect(ask(false)).rejects.toMatchObject({ code: 'chain_unavailable' })
  })
})
