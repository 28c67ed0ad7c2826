import type { SeenTransfer } from '@settlewire/core/observation'
import { encodeFunctionData, erc20Abi } from 'viem'
import { describe, expect, it } from 'vitest'
import { TestWatch } from '../../../../test/support/evm/chain-ledger.ts'
import { fakeTx, newAddress, tokenTx } from '../../../../test/support/evm/fake-chain.ts'
import { fakeWorld } from '../../../../test/support/evm/fake-world.ts'
import { hintOf } from './calldata.ts'

const hex = (text: string): `0x${string}` => `0x${text.slice(2)}`

describe('what a pending transaction would pay', () => {
  const token = newAddress()
  const to = newAddress()
  const payer = newAddress()
  const watch = new TestWatch()
  watch.addresses.add(to)
  watch.wantsNative = true
  const rules = { tokens: new Set([token]), watch }

  const call = (functionName: 'transfer' | 'transferFrom' | 'approve', amount: bigint): string =>
    functionName === 'transferFrom'
      ? encodeFunctionData({
          abi: erc20Abi,
          functionName,
          args: [hex(payer), hex(to), amount],
        })
      : encodeFunctionData({ abi: erc20Abi, functionName, args: [hex(to), amount] })

  const pending = (parts: Record<string, unknown>): SeenTransfer | null =>
    hintOf({ ...fakeTx(), value: '0x0', to: token, ...parts }, rules)

  it('is read from transfer and transferFrom as an ABI encoder writes them', () => {
    const from = newAddress()
    const amount = 2n ** 255n + 1n
    expect(pending({ from, input: call('transfer', amount) })).toMatchObject({
      ordinal: 'hint',
      token,
      from,
      to,
      amount,
    })
    expect(pending({ from, input: call('transferFrom', amount) })).toMatchObject({
      token,
      from: payer,
      to,
      amount,
    })
  })

  it('is read whatever the case of its hex, and told in lower case', () => {
    const upper = (text: string): string => `0x${text.slice(2).toUpperCase()}`
    const tx = fakeTx()
    expect(
      pending({
        hash: upper(tx.hash),
        from: upper(payer),
        to: upper(token),
        input: call('transfer', 5n),
      }),
    ).toMatchObject({ txHash: tx.hash, from: payer, token, to, amount: 5n })
    const input = `0xa9059cbb${upper(call('transfer', 5n)).slice(10)}`
    expect(pending({ input })).toMatchObject({ to, amount: 5n })
  })

  it('is the coin itself when it goes straight to a watched address, while somebody waits for that', () => {
    const value = `0x${(10n ** 24n + 1n).toString(16)}`
    const native = { to, value, input: '0x' }
    expect(pending(native)).toMatchObject({ token: null, to, amount: 10n ** 24n + 1n })
    const nobodyWaits = Object.assign(new TestWatch(), { addresses: watch.addresses })
    expect(
      hintOf({ ...fakeTx(), ...native }, { tokens: rules.tokens, watch: nobodyWaits }),
    ).toBeNull()
  })

  it.each<[string, Record<string, unknown>]>([
    ['another contract is called', { to: newAddress(), input: call('transfer', 5n) }],
    ['another function is called', { input: call('approve', 5n) }],
    ['nothing is moved', { input: call('transfer', 0n) }],
    ['no coin is moved', { to, input: '0x' }],
    ['the calldata is cut short', { input: call('transfer', 2n ** 200n).slice(0, -2) }],
    ['the calldata is only a selector', { input: '0xa9059cbb' }],
    [
      'the recipient word is no address',
      { input: call('transfer', 5n).replace('0xa9059cbb0', '0xa9059cbb1') },
    ],
    ['the amount is no number', { input: `${call('transfer', 5n).slice(0, -2)}zz` }],
    ['a contract is created', { to: null, input: call('transfer', 5n) }],
    ['there is no input', { input: null }],
    ['there is no hash', { hash: null, input: call('transfer', 5n) }],
    ['the sender is missing', { from: undefined, input: call('transfer', 5n) }],
  ])('is nothing when %s', (_, parts) => {
    expect(pending(parts)).toBeNull()
  })

  it.each([null, undefined, 5, 'text', [], {}])('is nothing when the node sends %j', (sent) => {
    expect(hintOf(sent, rules)).toBeNull()
  })

  it('is nothing when it would pay somebody else', () => {
    const other = tokenTx(token, newAddress(), 5n)
    expect(pending({ input: other.input })).toBeNull()
  })
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('pending transactions of a node', () => {
  const world = fakeWorld()

  const seen = async (amount: bigint): Promise<void> => {
    await world.ledger.until('the payment is seen', () => world.ledger.seen.length > 0)
    expect(world.ledger.seen).toMatchObject([{ ordinal: 'hint', amount }])
  }

  it('are matched as whole objects where the node sends them', async () => {
    const to = world.watched()
    world.follow()
    await world.atHead()
    world.node.broadcast(tokenTx(world.token, to, 5n))
    await seen(5n)
    expect(world.node.askedFor('eth_getTransactionByHash')).toBe(0)
  })

  it('are looked up where the node sends hashes although asked for objects', async () => {
    const to = world.watched()
    world.node.pendingForm = 'hashes_only'
    world.follow()
    await world.atHead()
    world.node.broadcast(tokenTx(world.token, to, 6n))
    await seen(6n)
  })

  it('are looked up where the node refuses to send objects', async () => {
    const to = world.watched()
    world.node.pendingForm = 'whole_refused'
    world.follow()
    await world.atHead()
    world.node.broadcast(tokenTx(world.token, to, 7n))
    await seen(7n)
  })

  it('are looked up a second time when the node announces a hash too early', async () => {
    const to = world.watched()
    world.node.pendingForm = 'whole_refused'
    world.follow()
    await world.atHead()
    let early = 1
    world.node.instead = (method) => {
      if (method !== 'eth_getTransactionByHash' || early-- <= 0) return undefined
      const [tx] = world.node.pool.values()
      world.node.pool.clear()
      setTimeout(() => tx !== undefined && world.node.pool.set(tx.hash, tx), 20)
      return undefined
    }
    world.node.broadcast(tokenTx(world.token, to, 8n))
    await seen(8n)
  })

  it('pitfall 8: are not missed where there are none; the block is the first signal', async () => {
    const to = world.watched()
    world.node.pendingForm = 'none'
    world.follow()
    await world.atHead()
    const tx = tokenTx(world.token, to, 8n)
    world.node.broadcast(tx)
    world.node.mine([tx])
    await world.atHead()
    expect(world.ledger.seen).toEqual([])
    expect(world.ledger.transfers).toMatchObject([{ txHash: tx.hash }])
  })

  it('are looked up a bounded number at a time, and the newest survive a flood', async () => {
    const to = world.watched()
    world.node.pendingForm = 'whole_refused'
    world.follow({ limits: { lookupsAtOnce: 4, lookupsWaitingMax: 10 } })
    await world.atHead()
    let release: () => void = () => undefined
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined)
    })
    world.node.instead = (method) => (method === 'eth_getTransactionByHash' ? held : undefined)
    for (let amount = 1n; amount <= 30n; amount++) {
      world.node.broadcast(tokenTx(world.token, to, amount))
    }
    await world.ledger.until(
      'four are asked for',
      () => world.node.askedFor('eth_getTransactionByHash') > 0,
    )
    await pause(100)
    expect(world.node.askedFor('eth_getTransactionByHash')).toBe(4)
    release()
    await world.ledger.until('the rest is looked up', () => world.ledger.seen.length === 14)
    expect(world.ledger.seen.map(({ amount }) => Number(amount)).toSorted((a, b) => a - b)).toEqual(
      [1, 2, 3, 4, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30],
    )
  })
})
