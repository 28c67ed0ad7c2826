import { Failure } from '@settlewire/core/errors'
import { paymentKind } from '@settlewire/core/payment-kind'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, policy } from '../../../test/support/engine-world.ts'
import { opened } from '../../../test/support/payments.ts'
import { partMax, storeStep } from './step-store.ts'
import type { PaymentWriter } from './writer.ts'

const full = 150_000_000n
const count = partMax * 2 + 10
const slow = {
  version: 'slow-1',
  chains: { ...policy.chains, local: { settled: 6, final: 'finalized', quorum: 1 } },
} as const

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.start({ policy: slow })
})
afterEach(() => world.close())

/** So many payments, all paid in one block. */
async function confirming(): Promise<readonly string[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => world.open()))
  await world.mine(
    opened.map(({ address }, i) => ({ txHash: `0x${i}`, pays: [{ to: address, amount: full }] })),
  )
  return opened.map(({ id }) => id)
}

const told = async (ids: readonly string[]): Promise<readonly string[]> => {
  const histories = await Promise.all(ids.map((id) => world.history(id)))
  return [...new Set(histories.map((history) => history.join()))]
}

it('sets the one payment aside that the store refuses to hold, and stores the others and the cursor', async () => {
  const stored: (readonly string[])[] = []
  const cursors: number[] = []
  const refusing: Pick<PaymentWriter, 'submit'> = {
    submit: (command) => {
      const { decisions, cursor, answer } = command.decide({
        get: (id) => ({ ...opened().payment, id }),
      })
      const ids = decisions.map(({ payment }) => payment.id)
      if (ids.includes('pi_3')) return Promise.reject(new Error('invalid byte sequence'))
      stored.push(ids)
      if (cursor !== undefined) cursors.push(cursor.head.view)
      return Promise.resolve(answer)
    },
  }
  const touched = ['pi_1', 'pi_2', 'pi_3', 'pi_4']
  const step = {
    ...{ source: 'rpc:one', at: 5, reverted: [], pendingAgain: new Set<string>(), applied: [] },
    head: { view: 7, head: 12, safe: null, finalized: null },
  }
  await storeStep(
    {
      ...{ chain: 'local', step, from: null },
      plan: { touched, moved: [], late: new Set(), observationsOf: () => [] },
      decide: (payment) => ({ events: [], payment }),
      putAside: (payment) => ({ events: [], payment: { ...payment, id: `${payment.id} aside` } }),
    },
    refusing,
  )
  expect(stored).toEqual([['pi_1', 'pi_2', 'pi_3 aside', 'pi_4']])
  expect(cursors).toEqual([7])
})

describe('a step that moves more payments than one part holds', () => {
  it('is stored in parts, and others are served between them', async () => {
    await confirming()
    const sizes: number[] = []
    const other = { created: 0, partsBefore: 0 }
    world.around = async (method, call) => {
      if (method !== 'append') return call()
      sizes.push(0)
      if (sizes.length === 1) {
        void world.open().then(() => {
          other.created = 1
          other.partsBefore = sizes.length
        })
      }
      return call()
    }
    await world.mine([])
    expect(other.created).toBe(1)
    // Three parts, the opening, and the cursor.
    expect(sizes.length).toBeGreaterThanOrEqual(4)
    expect(other.partsBefore).toBeLessThan(sizes.length)
  })

  it('tells everything once when the process is killed after any of its parts', async () => {
    const ids = await confirming()
    for (let part = 0; part < 4; part++) {
      let appends = 0
      world.around = (method, call) =>
        method === 'append' && appends++ === part
          ? Promise.reject(new Failure('store_unavailable'))
          : call()
      const before = (await world.store.position('local'))?.head
      world.local.mine([])
      await expect(world.follow()).rejects.toThrow(Failure)
      expect((await world.store.position('local'))?.head).toEqual(before)
      world.around = (_, call) => call()
      await world.restart()
      await world.follow()
    }
    await world.mine([])
    const steps = Array.from({ length: 5 }, () => 'confirming:confirming')
    expect(await told(ids)).toEqual([['created:awaiting', ...steps, 'succeeded:succeeded'].join()])
  })

  it('leaves nothing of a block that another one has replaced when it is read again', async () => {
    const ids = await confirming()
    let appends = 0
    world.around = (method, call) =>
      method === 'append' && appends++ === 1
        ? Promise.reject(new Failure('store_unavailable'))
        : call()
    world.local.mine([])
    await expect(world.follow()).rejects.toThrow(Failure)
    world.around = (_, call) => call()
    world.local.fork(2)
    await world.restart()
    await world.mine([], { blocks: 2 })
    const payments = await world.store.load(paymentKind, ids)
    expect(new Set(payments.map(({ status, received }) => `${status} ${received}`))).toEqual(
      new Set(['pending_detected 0']),
    )
  })

  it('does not load payments that a head tells nothing of', async () => {
    await confirming()
    await world.mine([], { blocks: 5 })
    await world.restart()
    const loaded: string[] = []
    world.around = (method, call) => {
      loaded.push(method)
      return call()
    }
    await world.mine([], { blocks: 1 })
    expect(loaded.filter((method) => method === 'load')).toEqual([])
    expect(loaded.filter((method) => method === 'append')).toHaveLength(1)
  })
})
