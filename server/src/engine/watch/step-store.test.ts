import { Failure } from '@settlewire/core/errors'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, policy } from '../../../../test/support/engine-world.ts'
import { opened } from '../../../../test/support/payments.ts'
import type { PaymentWriter } from '../write/writer.ts'
import { partMax, storeStep } from './step-store.ts'

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

/** Opens `count` payments and pays all of them in one block. */
async function confirming(): Promise<readonly string[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => world.open()))
  await world.mine(
    opened.map(({ address }, i) => ({ txHash: `0x${i}`, pays: [{ to: address, amount: full }] })),
  )
  return opened.map(({ id }) => id)
}

/** Delivers the next step, and fails the store before this part of it. */
async function dieAt(part: number): Promise<void> {
  let appends = 0
  world.around = (method, call) =>
    method === 'append' && appends++ === part
      ? Promise.reject(new Failure('store_unavailable'))
      : call()
  await expect(world.follow()).rejects.toThrow(Failure)
  world.around = (_, call) => call()
}

const told = async (ids: readonly string[]): Promise<readonly string[]> => {
  const histories = await Promise.all(ids.map((id) => world.history(id)))
  return [...new Set(histories.map((history) => history.join()))]
}

it('quarantines one payment that the store refuses, and stores the others and the cursor', async () => {
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

it('decides each payment of a step once, and uses one transaction per 128 of them', async () => {
  const { payment: any } = opened()
  const cost = async (touched: number, moved: number) => {
    let decisions = 0
    const sizes: number[] = []
    const counting: Pick<PaymentWriter, 'submit'> = {
      submit: (command) => {
        const { answer } = command.decide({ get: (id) => ({ ...any, id }) })
        sizes.push(command.ids.length)
        return Promise.resolve(answer)
      },
    }
    const ids = (kind: string, length: number) => Array.from({ length }, (_, i) => `${kind}_${i}`)
    const step = {
      ...{ source: 'rpc:one', at: 5, reverted: [], pendingAgain: new Set<string>(), applied: [] },
      head: { view: 7, head: 12, safe: null, finalized: null },
    }
    const plan = { touched: ids('touched', touched), moved: ids('moved', moved) }
    await storeStep(
      {
        ...{ chain: 'local', step, from: null },
        plan: { ...plan, late: new Set(), observationsOf: () => [] },
        decide: (payment) => {
          decisions++
          return { events: [], payment }
        },
        putAside: (payment) => ({ events: [], payment }),
      },
      counting,
    )
    return { decisions, transactions: sizes.length, most: Math.max(...sizes) }
  }
  expect(await cost(0, 0)).toEqual({ decisions: 0, transactions: 1, most: 0 })
  expect(await cost(100, 28)).toEqual({ decisions: 128, transactions: 1, most: 128 })
  expect(await cost(129, 0)).toEqual({ decisions: 129, transactions: 2, most: 128 })
  expect(await cost(2_000, 0)).toEqual({ decisions: 2_000, transactions: 16, most: 128 })
  expect(await cost(100, 1_900)).toEqual({ decisions: 2_000, transactions: 16, most: 128 })
})

describe('a step that moves more payments than one part holds', () => {
  it('is stored in parts, and other commands run between them', async () => {
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
    // Three parts and the opening.
    expect(sizes.length).toBeGreaterThanOrEqual(4)
    expect(other.partsBefore).toBeLessThan(sizes.length)
  })

  it('emits every event once when the process is killed after any part', async () => {
    const ids = await confirming()
    for (let part = 0; part < 3; part++) {
      const before = await world.store.position('local')
      world.local.mine([])
      await dieAt(part)
      const after = await world.store.position('local')
      expect(after?.recent).toEqual(before?.recent)
      expect(after?.unfinished?.isOpen).toBe(part === 0 ? undefined : true)
      await world.restart()
      await world.follow()
      expect(await world.store.position('local')).not.toHaveProperty('unfinished')
    }
    await world.mine([], { blocks: 2 })
    const steps = Array.from({ length: 4 }, () => 'confirming:confirming')
    expect(await told(ids)).toEqual([['created:awaiting', ...steps, 'succeeded:succeeded'].join()])
  })

  it('does not load payments for which the head changes nothing', async () => {
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

describe('a block that pays more payments than one part holds', () => {
  /** The hashes of the canonical blocks that these payments have on record. */
  const blocksOf = async (ids: readonly string[]): Promise<readonly string[]> => {
    const payments = await world.store.load(paymentKind, ids)
    const inclusions = payments.flatMap(({ facts }) =>
      facts.transactions.flatMap((one) => Object.entries(one.inclusions)),
    )
    return [
      ...new Set(inclusions.flatMap(([hash, { canonical }]) => (canonical ? [hash] : []))),
    ].sort()
  }
  const paid = async (): Promise<Paid> => {
    const opened = await Promise.all(Array.from({ length: count }, () => world.open()))
    const transactions = opened.map(({ address }, i) => ({
      ...{ txHash: `0x${i}`, pays: [{ to: address, amount: full }] },
    }))
    return { ids: opened.map(({ id }) => id), transactions }
  }
  interface Paid {
    readonly ids: readonly string[]
    readonly transactions: Parameters<typeof world.mine>[0]
  }

  it('is stored in three transactions, and the cursor passes the block with the last one', async () => {
    const { ids, transactions } = await paid()
    const passed: number[] = []
    world.around = async (method, call) => {
      const answer = await call()
      if (method === 'append') {
        passed.push((await world.store.position('local'))?.recent[0]?.number ?? -1)
      }
      return answer
    }
    await world.mine(transactions)
    expect(passed).toEqual([0, 0, 1])
    expect(await told(ids)).toEqual(['created:awaiting,confirming:confirming'])
  })

  it.each([1, 2])(
    'leaves no orphaned inclusion when the process dies before part %i and the chain forks',
    async (part) => {
      const { ids, transactions } = await paid()
      world.local.mine(transactions)
      const gone = world.local.tip.hash
      await dieAt(part)
      expect(await blocksOf(ids)).toEqual([gone])
      world.local.fork(1)
      await world.restart()
      await world.mine([], { blocks: 2 })
      expect(await blocksOf(ids)).toEqual([])
      const payments = await world.store.load(paymentKind, ids)
      const stands = new Set(payments.map(({ status, received }) => `${status} ${received}`))
      expect([...stands].sort()).toEqual(['awaiting 0', 'pending_detected 0'])
      await world.mine(transactions)
      expect(await blocksOf(ids)).toEqual([world.local.tip.hash])
    },
  )

  it('counts each payment once when the process dies and the same branch is read again', async () => {
    const { ids, transactions } = await paid()
    world.local.mine(transactions)
    await dieAt(1)
    await world.restart()
    await world.follow()
    // Payments of the first part are in the same block again, at a later view.
    const first = 'created:awaiting,confirming:confirming'
    expect([...(await told(ids))].sort()).toEqual([first, `${first},updated:confirming`])
    const payments = await world.store.load(paymentKind, ids)
    expect(new Set(payments.map(({ received }) => received))).toEqual(new Set([full]))
  })

  it('restores the money after a crash in the middle of a reorg if the old branch becomes canonical again', async () => {
    const { ids, transactions } = await paid()
    await world.mine(transactions)
    const first = world.local.tip.hash
    const old = world.local.branch()
    world.local.fork(1, false)
    world.local.mine([], 2)
    await dieAt(2)
    world.local.become(old)
    world.local.mine([])
    await world.restart()
    await world.follow()
    expect(await blocksOf(ids)).toEqual([first])
    const payments = await world.store.load(paymentKind, ids)
    expect(new Set(payments.map(({ received }) => received))).toEqual(new Set([full]))
  })

  it('is refused from a process after another one has begun the next step', async () => {
    const { transactions } = await paid()
    world.local.mine(transactions)
    await dieAt(1)
    const view = (await world.store.position('local'))?.head.view ?? 0
    await world.restart()
    await world.follow()
    const late = { chain: 'local', fromView: view, fromOpen: true, reverted: [], applied: [] }
    const head = { view, head: 0, safe: null, finalized: null }
    await expect(world.store.append({ appends: [], cursors: [{ ...late, head }] })).rejects.toThrow(
      expect.objectContaining({ code: 'cursor_conflict' }),
    )
  })
})
