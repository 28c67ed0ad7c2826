import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../../../../test/support/anvil.ts'
import { ChainLedger } from '../../../../test/support/evm/chain-ledger.ts'
import { newAddress } from '../../../../test/support/evm/fake-chain.ts'
import { followerOf, nodeAt } from '../../../../test/support/evm/labs.ts'
import { openNode } from '../../../../test/support/evm/open-node.ts'
import { TcpProxy } from '../../../../test/support/evm/tcp-proxy.ts'
import { TestToken } from '../../../../test/support/evm/token.ts'
import { contestKey } from './block/contest-key.ts'
import { usedSlots } from './walk/slots.ts'

const closings: (() => unknown)[] = []
let anvil: Anvil
let token: TestToken
let ledger: ChainLedger

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

const watched = (): string => {
  const address = newAddress()
  ledger.watch.addresses.add(address)
  return address
}
const follow = (url = anvil.wsUrl): void => {
  const follower = followerOf(ledger, {
    tokens: [token.address],
    providers: [nodeAt('anvil', url)],
  })
  closings.push(() => follower.close())
  follower.start()
}
const sighting = (txHash: string) => ledger.sightings.find((one) => one.txHash === txHash)
const seen = (txHash: string): Promise<void> =>
  ledger.until('the transaction is reported', () => sighting(txHash) !== undefined)
const hex = (count: number): string => `0x${count.toString(16)}`

describe('pending transactions of a real node', () => {
  it('are reported before their block even when sent while disconnected', async () => {
    const to = watched()
    const early = await token.transfer(to, 5n)
    const wire = await TcpProxy.start(anvil.port)
    closings.push(() => wire.close())
    follow(`ws://127.0.0.1:${wire.port}`)
    await seen(early)
    wire.refuse()
    wire.drop()
    const late = await token.transfer(to, 6n)
    wire.heal()
    await seen(late)
    expect(sighting(late)).toMatchObject({ transfer: { to, amount: 6n }, preconfirmed: false })
    expect(ledger.transfers).toEqual([])
  })

  it('count a replacement that pays us as a payment, and any other as a rival', async () => {
    const [payer = ''] = anvil.accounts
    const to = watched()
    follow()
    await ledger.until('the chain is visible', () => ledger.lastHealth?.visibility === 'ok')
    const nonce = Number(await anvil.rpc('eth_getTransactionCount', [payer, 'latest']))
    const fee = (gwei: number) => ({
      ...{ nonce: hex(nonce), gas: '0x30d40', maxPriorityFeePerGas: hex(gwei * 10 ** 9) },
      maxFeePerGas: hex(gwei * 10 ** 9),
    })
    const data = `0xa9059cbb${to.slice(2).padStart(64, '0')}${'5'.padStart(64, '0')}`
    const send = (call: object): Promise<string> =>
      anvil.rpc('eth_sendTransaction', [{ from: payer, ...call }])
    const first = await send({ to: token.address, data, ...fee(3) })
    await seen(first)
    ledger.watch.contests.set(first, { txHash: first, key: contestKey(payer, nonce) })
    ledger.watch.tracked.add(first)
    const faster = await send({ to: token.address, data, ...fee(6) })
    await seen(faster)
    const cancel = await send({ to: payer, ...fee(12) })
    await seen(cancel)
    const key = contestKey(payer, nonce)
    expect([first, faster, cancel].map(sighting)).toMatchObject([
      { transfer: { amount: 5n }, contest: { key, bid: 3n * 10n ** 9n } },
      { transfer: { amount: 5n }, contest: { key, bid: 6n * 10n ** 9n } },
      { transfer: null, contest: { key, bid: 12n * 10n ** 9n } },
    ])
    const { node, leave } = await openNode(anvil.wsUrl)
    closings.push(leave)
    const open = [...ledger.watch.openContests()]
    expect(await usedSlots(node, open, (await node.latest()).ref)).toEqual([])
    await anvil.rpc('anvil_mine', ['0x1'])
    expect(await usedSlots(node, open, (await node.latest()).ref)).toEqual([first])
    await ledger.until('the block reports it too', () => ledger.movedNothing.length > 0)
    expect(ledger.movedNothing).toEqual([{ txHash: first, reason: 'replaced' }])
  })
})
