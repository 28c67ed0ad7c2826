import { describe, expect, it } from 'vitest'
import { tokenTx } from '../../../../test/support/evm/fake-chain.ts'
import { fleetWorld } from '../../../../test/support/evm/fleet-world.ts'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('what one provider hid from a process that ended', () => {
  const world = fleetWorld(3)

  it('is found after a restart, too: the others are asked for the logs of open blocks', async () => {
    const to = world.watched()
    const first = world.follow()
    await world.says(null)
    const [a, ...others] = world.nodes
    if (a === undefined) throw new Error('there are three nodes')
    const isEmpty = (method: string): boolean => /Logs|BlockReceipts/.test(method)
    a.twist = (method, answer) => {
      if (isEmpty(method)) return []
      const block = method.startsWith('eth_getBlockBy') ? (answer as object | null) : null
      return block === null ? answer : { ...block, logsBloom: `0x${'0'.repeat(512)}` }
    }
    const tx = tokenTx(world.token, to, 5n)
    const block = world.mine([tx], [a])
    await world.at(a)
    expect(world.ledger.transfers).toEqual([])
    await first.close()
    for (const node of others) node.chain.adopt([block])
    world.follow()
    await world.says(null)
    await pause(200)
    world.mine()
    await world.at(a)
    const late = () => world.ledger.steps.flatMap((step) => step.late ?? [])
    await world.ledger.until('it is told', () => late().length > 0)
    expect(late()).toMatchObject([{ block: { hash: block.hash }, transfers: [{ amount: 5n }] }])
  })
})
