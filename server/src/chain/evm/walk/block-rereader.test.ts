import { expect, it } from 'vitest'
import { nativeTx, tokenTx } from '../../../../../test/support/evm/fake-chain.ts'
import { fleetWorld } from '../../../../../test/support/evm/fleet-world.ts'
import { silence } from '../../../../../test/support/fake-node.ts'
import type { Reread } from '../../../ports/chain.ts'
import type { EvmFollower } from '../follower.ts'

const world = fleetWorld(2)

/** What each provider shows in a range of blocks: source, block, recipient, amount and asset. */
const shownIn = ({ shown }: Reread): readonly string[] =>
  shown.flatMap(({ source, applied }) =>
    applied.transfers.map(
      ({ to, amount, token }) =>
        `${source} ${applied.block.number} ${to} ${amount} ${token === null ? 'coin' : 'token'}`,
    ),
  )

/** A follower that read the chain to its head before any address was watched. */
async function past(transactions: Parameters<typeof world.mine>[0]): Promise<EvmFollower> {
  world.mine()
  world.mine(transactions)
  world.mineMany(3)
  const follower = world.follow({ chain: { bloom: 'trusted' } })
  await world.at(world.a)
  return follower
}

it('a rescan finds a token transfer in a block read before, from every provider', async () => {
  const to = '0x00000000000000000000000000000000000000a1'
  const { rereader } = await past([tokenTx(world.token, to, 7n)])
  world.ledger.watch.addresses.add(to)
  const read = await rereader.read(0, 5, world.ledger.watch)
  expect(read.blocks.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5])
  expect(shownIn(read)).toEqual([`rpc:a 2 ${to} 7 token`, `rpc:b 2 ${to} 7 token`])
})

it('a rescan finds a payment in the native coin', async () => {
  const to = '0x00000000000000000000000000000000000000a2'
  const { rereader } = await past([nativeTx(to, 9n)])
  world.ledger.watch.addresses.add(to)
  world.ledger.watch.wantsNative = true
  const read = await rereader.read(1, 3, world.ledger.watch)
  expect(shownIn(read)).toEqual([`rpc:a 2 ${to} 9 coin`, `rpc:b 2 ${to} 9 coin`])
})

it('a rescan finds a payment that one of two providers hides', async () => {
  const to = '0x00000000000000000000000000000000000000a3'
  const { rereader } = await past([tokenTx(world.token, to, 7n)])
  world.a.twist = (method, answer) => {
    if (method === 'eth_getLogs') return []
    // Removes the logs of a receipt, or of each receipt in a list.
    return JSON.parse(JSON.stringify(answer), (key, value) => (key === 'logs' ? [] : value))
  }
  world.ledger.watch.addresses.add(to)
  expect(shownIn(await rereader.read(0, 5, world.ledger.watch))).toEqual([`rpc:b 2 ${to} 7 token`])
})

it('a rescan reads from the provider that answers while the other refuses', async () => {
  const to = '0x00000000000000000000000000000000000000a4'
  const { rereader } = await past([tokenTx(world.token, to, 7n)])
  world.ledger.watch.addresses.add(to)
  world.a.instead = (method) =>
    method === 'eth_getBlockByNumber' ? { error: { code: -32_005, message: 'limit' } } : undefined
  const read = await rereader.read(0, 5, world.ledger.watch)
  expect(shownIn(read)).toEqual([`rpc:b 2 ${to} 7 token`])
  expect(read).toMatchObject({ readFrom: ['b'], notReadFrom: ['a'] })
})

it('a rescan lists the providers that it read from, and those that were down', async () => {
  const { rereader } = await past([])
  const { watch } = world.ledger
  expect(await rereader.read(0, 5, watch)).toMatchObject({ readFrom: ['a', 'b'], notReadFrom: [] })
  world.b.instead = () => silence
  world.b.drop()
  await world.says('provider_down')
  expect(await rereader.read(0, 5, watch)).toMatchObject({ readFrom: ['a'], notReadFrom: ['b'] })
})

it('a rescan fails with the range of blocks when no provider shows all of them', async () => {
  const { rereader } = await past([])
  await expect(rereader.read(3, 60, world.ledger.watch)).rejects.toMatchObject({
    code: 'chain_unavailable',
    message: expect.stringContaining('the blocks 3 to 60'),
  })
})
