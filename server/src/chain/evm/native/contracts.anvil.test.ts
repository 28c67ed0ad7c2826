import { encodeFunctionData, erc20Abi, type Hex } from 'viem'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../../../../../test/support/anvil.ts'
import { ChainLedger } from '../../../../../test/support/evm/chain-ledger.ts'
import {
  type BatchCall,
  batch,
  deployFeeToken,
  deployMulticall3,
  multicall3,
  payByBatch,
} from '../../../../../test/support/evm/contracts.ts'
import { newAddress } from '../../../../../test/support/evm/fake-chain.ts'
import { followerOf, nodeAt } from '../../../../../test/support/evm/labs.ts'
import { startRpcRelay } from '../../../../../test/support/evm/rpc-relay.ts'
import { TestToken } from '../../../../../test/support/evm/token.ts'

const closings: (() => Promise<unknown>)[] = []
const feeToken = '0x00000000000000000000000000000000000fee00'
let anvil: Anvil
let token: TestToken
let ledger: ChainLedger

beforeEach(async () => {
  anvil = await startAnvil({ args: ['--no-mining', '--slots-in-an-epoch', '4'] })
  await deployMulticall3(anvil)
  await deployFeeToken(anvil, feeToken)
  token = await TestToken.deploy(anvil)
  ledger = new ChainLedger()
})
afterEach(async () => {
  for (const close of closings.splice(0).toReversed()) await close()
  await anvil.stop()
  expect(ledger.violations).toEqual([])
})

const watched = (address = newAddress()): string => {
  ledger.watch.addresses.add(address)
  return address
}
const mine = (): Promise<unknown> => anvil.rpc('anvil_mine', ['0x1'])
const follow = async (url = anvil.wsUrl): Promise<void> => {
  const tokens = [token.address, feeToken]
  const follower = followerOf(ledger, { tokens, multicall3, providers: [nodeAt('anvil', url)] })
  closings.push(() => follower.close())
  follower.start()
  await atHead()
}
const atHead = async (): Promise<void> => {
  const { hash } = await anvil.rpc<{ hash: string }>('eth_getBlockByNumber', ['latest', false])
  await ledger.until(
    'the head is stored and the chain is visible',
    () => ledger.stored?.recent[0]?.hash === hash && ledger.lastHealth?.visibility === 'ok',
  )
}
/** The same chain through a node that offers no traces. */
const withoutTraces = async (): Promise<string> => {
  const relay = await startRpcRelay(anvil.wsUrl, (method) => /trace/.test(method))
  closings.push(() => relay.close())
  return relay.wsUrl
}
const transfer = (to: string, amount: bigint): string =>
  // The test itself makes every address that it passes.
  encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to as Hex, amount] })

describe('token payments by contracts, on a real chain', () => {
  it('reports each payment of a batch as a transfer, and none while it is pending', async () => {
    const to = watched()
    await follow()
    await token.transfer(multicall3, 100n)
    await mine()
    const call = (amount: bigint): BatchCall => ({
      target: token.address,
      data: transfer(to, amount),
    })
    const txHash = await payByBatch(anvil, [call(7n), call(8n), call(7n)])
    await mine()
    await atHead()
    expect(ledger.seen).toEqual([])
    expect(ledger.transfers).toMatchObject([
      { txHash, part: 0, token: token.address, from: multicall3, to, amount: 7n },
      { txHash, part: 1, to, amount: 8n },
      { txHash, part: 2, to, amount: 7n },
    ])
    const calls = ledger.applied.at(-1)?.calls?.get(txHash)
    expect(calls).toMatchObject({
      hint: null,
      contest: { key: expect.stringContaining(anvil.accounts[0] ?? '-') },
    })
  })

  it('reports the received amount of a fee token by its log, and the requested one as hint', async () => {
    const to = watched()
    await follow()
    const txHash = await anvil.rpc<string>('eth_sendTransaction', [
      { from: anvil.accounts[0], to: feeToken, data: transfer(to, 1_000n), gas: '0x30d40' },
    ])
    await ledger.until('the payment is reported as pending', () => ledger.seen.length > 0)
    await mine()
    await atHead()
    expect(ledger.seen).toMatchObject([{ token: feeToken, to, amount: 1_000n }])
    expect(ledger.transfers).toMatchObject([{ txHash, token: feeToken, to, amount: 990n }])
    const call = ledger.applied.at(-1)?.calls?.get(txHash)
    expect(call).toMatchObject({ hint: { token: feeToken, to, amount: 1_000n } })
  })
})

describe('native coin paid by contracts, on a real chain', () => {
  beforeEach(() => {
    ledger.watch.wantsNative = true
  })

  it('is found in the call tree, each payment with its path', async () => {
    const [to, other] = [watched(), watched()]
    await follow()
    const nested = batch([
      { target: newAddress(), value: 1n },
      { target: to, value: 4n },
    ])
    const txHash = await payByBatch(anvil, [
      { target: to, value: 3n },
      { target: multicall3, value: 5n, data: nested },
      { target: other, value: 2n },
    ])
    const top = await anvil.rpc('eth_sendTransaction', [
      { from: anvil.accounts[1], to, value: '0x9' },
    ])
    await mine()
    await atHead()
    const found = ledger.transfers.map((one) => [one.txHash, one.part, one.to, one.amount])
    expect(found.toSorted((a, b) => Number(a[3]) - Number(b[3]))).toEqual([
      [txHash, 'trace:2', other, 2n],
      [txHash, 'trace:0', to, 3n],
      [txHash, 'trace:1.1', to, 4n],
      [top, 'top', to, 9n],
    ])
    const [first] = ledger.transfers.filter(({ part }) => part !== 'top')
    expect(first).toMatchObject({ token: null, from: multicall3 })
  })

  it('is found by balances when the node offers no trace', async () => {
    const to = watched()
    await follow(await withoutTraces())
    await payByBatch(anvil, [{ target: to, value: 3n }])
    await anvil.rpc('eth_sendTransaction', [{ from: anvil.accounts[1], to, value: '0x9' }])
    await mine()
    await atHead()
    const { hash } = await anvil.rpc<{ hash: string }>('eth_getBlockByNumber', ['latest', false])
    expect(ledger.transfers.map((one) => [one.txHash, one.part, one.amount])).toEqual([
      [expect.any(String), 'top', 9n],
      [`balance:${hash}`, 'balance', 3n],
    ])
  })

  it('excludes what a reverted inner call moved', async () => {
    const to = watched()
    await follow()
    // The second call of the inner batch fails, which reverts the first.
    const failing = batch([
      { target: to, value: 5n },
      { target: token.address, data: '0xdeadbeef' },
    ])
    const txHash = await payByBatch(anvil, [
      { target: multicall3, value: 5n, data: failing, mayFail: true },
      { target: to, value: 1n },
    ])
    await mine()
    await atHead()
    expect(ledger.transfers).toMatchObject([{ txHash, part: 'trace:1', amount: 1n }])
  })

  it('is credited exactly when coin is swept in the same block', async () => {
    const [, , , to = ''] = anvil.accounts
    watched(to)
    await follow()
    const paid = await payByBatch(anvil, [{ target: to, value: 5n }])
    const sweep = { from: to, to: newAddress(), value: '0x64' }
    await anvil.rpc('eth_sendTransaction', [sweep])
    await mine()
    await atHead()
    expect(ledger.transfers).toMatchObject([{ txHash: paid, part: 'trace:0', to, amount: 5n }])
    await anvil.rpc('eth_sendTransaction', [sweep])
    await mine()
    await atHead()
    expect(ledger.transfers).toHaveLength(1)
  })

  it('is reverted by a reorg and counted once when it is mined again', async () => {
    const to = watched()
    await mine()
    await follow()
    const before = await payByBatch(anvil, [{ target: to, value: 5n }])
    await mine()
    await atHead()
    expect(ledger.transfers).toMatchObject([{ txHash: before, part: 'trace:0', amount: 5n }])
    await anvil.rpc('anvil_reorg', [1, []])
    await atHead()
    expect(ledger.transfers).toEqual([])
    const again = await payByBatch(anvil, [{ target: to, value: 5n }])
    await mine()
    await atHead()
    expect(ledger.transfers).toMatchObject([{ txHash: again, part: 'trace:0', amount: 5n }])
  })

  it('is found in blocks that were mined while no follower ran', async () => {
    const to = watched()
    await mine()
    await follow()
    for (const close of closings.splice(0)) await close()
    const first = await payByBatch(anvil, [{ target: to, value: 5n }])
    await mine()
    const second = await payByBatch(anvil, [{ target: to, value: 6n }])
    await mine()
    await follow()
    expect(ledger.transfers).toMatchObject([
      { txHash: first, amount: 5n },
      { txHash: second, amount: 6n },
    ])
  })
})
