import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../../../../test/support/anvil.ts'
import { ChainLedger } from '../../../../test/support/evm/chain-ledger.ts'
import { newAddress } from '../../../../test/support/evm/fake-chain.ts'
import { followerOf, nodeAt } from '../../../../test/support/evm/labs.ts'
import { startRpcRelay } from '../../../../test/support/evm/rpc-relay.ts'
import { TcpProxy } from '../../../../test/support/evm/tcp-proxy.ts'
import { TestToken } from '../../../../test/support/evm/token.ts'

type Closing = () => Promise<unknown>

describe('an EVM follower of a real chain', () => {
  let anvil: Anvil
  let token: TestToken
  let ledger: ChainLedger
  const closings: Closing[] = []

  const follow = (url = anvil.wsUrl) => {
    const follower = followerOf(ledger, {
      tokens: [token.address],
      providers: [nodeAt('anvil', url)],
    })
    closings.push(() => follower.close())
    follower.start()
    return follower
  }
  const watched = (): string => {
    const address = newAddress()
    ledger.watch.addresses.add(address)
    return address
  }
  const mine = (blocks = 1): Promise<unknown> =>
    anvil.rpc('anvil_mine', [`0x${blocks.toString(16)}`])
  const atHead = async (): Promise<void> => {
    const { hash } = await anvil.rpc<{ hash: string }>('eth_getBlockByNumber', ['latest', false])
    await ledger.until(
      'the head is stored and the chain is visible',
      () => ledger.stored?.recent[0]?.hash === hash && ledger.lastHealth?.visibility === 'ok',
    )
  }
  const seen = (txHash: string): Promise<void> =>
    ledger.until('the payment is reported as pending', () =>
      ledger.seen.some((transfer) => transfer.txHash === txHash),
    )

  beforeEach(async () => {
    anvil = await startAnvil({ args: ['--no-mining', '--slots-in-an-epoch', '4'] })
    token = await TestToken.deploy(anvil)
    ledger = new ChainLedger()
  })

  afterEach(async () => {
    for (const close of closings.splice(0).toReversed()) await close()
    await anvil.stop()
    expect(ledger.violations).toEqual([])
  })

  /** `transfer`, `transferFrom` and native coin: first pending, then in a block. */
  const paysInThreeWays = async (): Promise<void> => {
    const [payer = '', spender = ''] = anvil.accounts
    const to = watched()
    ledger.watch.wantsNative = true
    await token.approve(spender, 10n ** 20n)
    await mine()
    await atHead()
    const byTransfer = await token.transfer(to, 150_000_001n)
    const byAllowance = await token.transferFrom(spender, to, 2n ** 64n)
    const value = `0x${(10n ** 21n + 1n).toString(16)}`
    const native = await anvil.rpc<string>('eth_sendTransaction', [{ from: payer, to, value }])
    for (const txHash of [byTransfer, byAllowance, native]) await seen(txHash)
    const moves = [
      { txHash: byTransfer, token: token.address, from: payer, to, amount: 150_000_001n },
      { txHash: byAllowance, token: token.address, from: payer, to, amount: 2n ** 64n },
      { txHash: native, token: null, from: payer, to, amount: 10n ** 21n + 1n },
    ]
    const byHash = (a: { txHash: string }, b: { txHash: string }): number =>
      a.txHash < b.txHash ? -1 : 1
    expect(ledger.seen.toSorted(byHash)).toEqual(
      moves.map((move) => ({ ...move, part: 'hint' })).toSorted(byHash),
    )
    await mine()
    await atHead()
    expect(ledger.transfers.toSorted(byHash)).toEqual(
      moves.map((move) => ({ ...move, part: move.token === null ? 'top' : 0 })).toSorted(byHash),
    )
  }

  it('reports transfer, transferFrom and native coin, first pending, then in a block', async () => {
    follow()
    await paysInThreeWays()
  })

  it('reports all three kinds through a node that shows only hashes of pending transactions', async () => {
    const relay = await startRpcRelay(
      anvil.wsUrl,
      (method, params) => method === 'eth_subscribe' && params[1] === true,
    )
    closings.push(() => relay.close())
    follow(relay.wsUrl)
    await paysInThreeWays()
  })

  it('reports a payment from its block when the node shows no pending transactions', async () => {
    const relay = await startRpcRelay(
      anvil.wsUrl,
      (method, params) => method === 'eth_subscribe' && params[0] === 'newPendingTransactions',
    )
    closings.push(() => relay.close())
    follow(relay.wsUrl)
    const to = watched()
    const txHash = await token.transfer(to, 5n)
    await mine()
    await atHead()
    expect(ledger.transfers).toMatchObject([{ txHash, part: 0, amount: 5n }])
  })

  it('reports two payments by one contract call without transfer calldata', async () => {
    const to = watched()
    follow()
    await atHead()
    const txHash = await token.payTwice(to, 7n)
    await mine()
    await atHead()
    expect(ledger.transfers).toMatchObject([
      { txHash, part: 0, to, amount: 7n },
      { txHash, part: 1, to, amount: 7n },
    ])
    expect(ledger.seen).toEqual([])
  })

  it('reports an unfunded transfer as pending, and as reverted once it is mined', async () => {
    const to = watched()
    follow()
    await atHead()
    const txHash = await token.transfer(to, 5n, anvil.accounts[7])
    await seen(txHash)
    ledger.watch.tracked.add(txHash)
    await mine()
    await atHead()
    expect(ledger.transfers).toEqual([])
    expect(ledger.movedNothing).toEqual([{ txHash, reason: 'reverted' }])
  })

  it('reports the same transfer when a reorg moves it to another block', async () => {
    const to = watched()
    const [, , other = ''] = anvil.accounts
    await token.transfer(other, 100n)
    await mine()
    follow()
    await atHead()
    const signed = await token.signedTransfer(to, 9n)
    const txHash = await anvil.rpc<string>('eth_sendRawTransaction', [signed])
    await mine()
    await atHead()
    const before = ledger.transfers
    expect(before).toMatchObject([{ txHash, part: 0, amount: 9n }])
    const held = ledger.stored?.recent[0]
    await anvil.rpc('anvil_reorg', [1, []])
    await atHead()
    expect(ledger.transfers).toEqual([])
    expect(ledger.steps.at(-1)).toMatchObject({ reverted: [held] })
    // The wallet broadcasts it again, after another payment in the same block.
    await mine()
    await token.transfer(newAddress(), 1n, other)
    await anvil.rpc('eth_sendRawTransaction', [signed])
    await mine()
    await atHead()
    expect(ledger.transfers).toEqual(before)
    expect(ledger.applied.at(-1)?.transfers).toEqual(before)
    expect(ledger.stored?.recent[0]?.hash).not.toBe(held?.hash)
  })

  it('follows the new branch after evm_revert', async () => {
    const to = watched()
    follow()
    await mine(3)
    await atHead()
    const snapshot = await anvil.rpc('evm_snapshot')
    await token.transfer(to, 3n)
    await mine(4)
    await atHead()
    expect(ledger.transfers).toHaveLength(1)
    await anvil.rpc('evm_revert', [snapshot])
    await token.transfer(to, 4n)
    await mine(2)
    await atHead()
    expect(ledger.transfers.map(({ amount }) => amount)).toEqual([4n])
  })

  it('notices a connection that drops all traffic, and misses no payment', async () => {
    const to = watched()
    const wire = await TcpProxy.start(anvil.port)
    closings.push(() => wire.close())
    follow(`ws://127.0.0.1:${wire.port}`)
    await atHead()
    wire.blackHole()
    await token.transfer(to, 6n)
    await mine(5)
    await ledger.until(
      'the loss is noticed',
      () =>
        ledger.lastHealth?.reason === 'socket_down' || ledger.lastHealth?.reason === 'node_failing',
    )
    wire.heal()
    await atHead()
    expect(ledger.transfers.map(({ amount }) => amount)).toEqual([6n])
  })

  it('reads all blocks that were mined while the node was unreachable', async () => {
    const to = watched()
    const wire = await TcpProxy.start(anvil.port)
    closings.push(() => wire.close())
    follow(`ws://127.0.0.1:${wire.port}`)
    await atHead()
    wire.refuse()
    wire.drop()
    for (let amount = 1n; amount <= 3n; amount++) {
      await token.transfer(to, amount)
      await mine(70)
    }
    wire.heal()
    await atHead()
    expect(ledger.transfers.map(({ amount }) => amount)).toEqual([1n, 2n, 3n])
  })

  it('reports `chain_mismatch` for a development chain restarted on the same port', async () => {
    follow()
    await mine(3)
    await atHead()
    const { port } = anvil
    await anvil.kill9()
    await ledger.until('the loss is noticed', () => ledger.lastHealth?.reason === 'socket_down')
    anvil = await startAnvil({ port, args: ['--no-mining', '--timestamp', '1700000000'] })
    await mine(10)
    await ledger.until(
      'the mismatch is noticed',
      () => ledger.lastHealth?.reason === 'chain_mismatch',
    )
    expect(ledger.lastHealth?.visibility).toBe('blind')
  })

  it('reports the safe and finalized blocks of the node', async () => {
    follow()
    await mine(20)
    await atHead()
    const { head, safe, finalized } = ledger.stored?.head ?? {}
    // Anvil with 4 slots per epoch: safe is 4 blocks behind the head, finalized 8.
    expect({ safe, finalized }).toEqual({ safe: (head ?? 0) - 4, finalized: (head ?? 0) - 8 })
  })

  it('follows a chain that mines a block per transaction', async () => {
    await anvil.rpc('evm_setAutomine', [true])
    const to = watched()
    follow()
    await atHead()
    for (let amount = 1n; amount <= 20n; amount++) await token.transfer(to, amount)
    await ledger.until('all payments are reported', () => ledger.transfers.length >= 20)
    await atHead()
    expect(ledger.transfers.map(({ amount }) => Number(amount))).toEqual(
      Array.from({ length: 20 }, (_, at) => at + 1),
    )
  })
})
