import { describe, expect, it } from 'vitest'
import { tokenTx } from '../../../../test/support/evm/fake-chain.ts'
import { fleetWorld } from '../../../../test/support/evm/fleet-world.ts'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('a payment that one provider hides and the others show later', () => {
  const world = fleetWorld(3)
  const late = () => world.ledger.steps.flatMap((step) => step.late ?? [])

  /** A block that only the first provider has, which hides its contents. */
  const hidden = () => {
    const [a, ...others] = world.nodes
    if (a === undefined) throw new Error('there are three nodes')
    a.twist = (method, answer) => {
      if (/Logs|BlockReceipts/.test(method)) return []
      const block = method.startsWith('eth_getBlockBy') ? (answer as object | null) : null
      return block === null ? answer : { ...block, logsBloom: `0x${'0'.repeat(512)}` }
    }
    const block = world.mine([tokenTx(world.token, world.watched(), 5n)], [a])
    const show = (): void => {
      for (const node of others) node.chain.adopt([block])
    }
    return { a, block, show }
  }

  /** Waits until a later step reports it. */
  const isTold = async ({ block }: ReturnType<typeof hidden>): Promise<void> => {
    for (let tries = 0; tries < 50 && late().length === 0; tries++) {
      world.mine()
      await pause(200)
    }
    expect(late()).toMatchObject([{ block: { hash: block.hash }, transfers: [{ amount: 5n }] }])
  }

  it('is found after a restart, since every provider is asked again for logs of open blocks', async () => {
    const first = world.follow()
    await world.says(null)
    const found = hidden()
    await world.at(found.a)
    expect(world.ledger.transfers).toEqual([])
    await first.close()
    found.show()
    world.follow()
    await world.says(null)
    await isTold(found)
  })

  it('is found when it is unknown whether the step was stored', async () => {
    world.follow()
    await world.says(null)
    world.ledger.loseNext = 1
    const found = hidden()
    await world.at(found.a)
    await world.ledger.until('the stored position is read', () => world.ledger.positionsRead > 1)
    found.show()
    world.mine()
    await isTold(found)
  })
})
