import type { Payment } from '@settlewire/core/payment/payment'
import { describe, expect, it } from 'vitest'
import {
  blockAt,
  included,
  inMempool,
  observeAll,
  headAt as observedHead,
  opened,
  reorged,
  reverted,
  termsOf,
} from '../../../../test/support/payments.ts'
import { AddressBook } from './address-book.ts'
import { openTransactions } from './open-transactions.ts'
import { WatchedChain } from './watched-chain.ts'

const full = 150_000_000n
const policy = { settled: 3, final: 'finalized', quorum: 1 } as const
const headAt = (head: number, finalized: number | null) => ({
  ...{ view: head, head, safe: finalized, finalized },
})

const settledAt = (head: number) => observedHead(head, head)

const newChain = () => {
  const addresses = new AddressBook()
  return { addresses, chain: new WatchedChain(policy, addresses) }
}

const record = (chain: WatchedChain, payment: Payment): void => {
  for (const [{ txHash }, open] of openTransactions(payment)) chain.record(payment.id, txHash, open)
}

const watching = (...observations: Parameters<typeof observeAll>[1]) => {
  const { chain } = newChain()
  const { payment } = observeAll(opened(), observations)
  record(chain, payment)
  return { chain, id: payment.id }
}

describe('what a head changes', () => {
  const grown = (head: number, finalized: number | null = null) => headAt(head, finalized)

  it('is told of what is confirming with every head', () => {
    const { chain, id } = watching(included('0x1', full, blockAt(10), 10))
    chain.advance(grown(10))
    expect([chain.movedBy(grown(11)), chain.movedBy(grown(12))]).toEqual([[id], [id]])
  })

  it('is told after success only when the block comes under `safe` or the last level', () => {
    const { chain, id } = watching(included('0x1', full, blockAt(10), 10), settledAt(12))
    chain.advance(grown(12, 5))
    expect(chain.movedBy(grown(13, 9))).toEqual([])
    expect(chain.movedBy(grown(13, 10))).toEqual([id])
  })

  it('is told of a part that was final before another chain brought the rest', () => {
    const { chain } = newChain()
    const [here] = termsOf().accept
    if (here === undefined) throw new Error('it can be paid here')
    const there = { ...here, chain: 'elsewhere' }
    const { payment } = opened({ accept: [here, there] })
    const half = observeAll({ payment, events: [] }, [
      included('0x1', full / 2n, blockAt(10), 10),
    ]).payment
    record(chain, half)
    // It tells nothing of a payment that still waits, so no payment has it on record.
    chain.advance(grown(12, 10))
    expect(chain.isMoving(payment.id)).toBe(false)
    const rest = { ...included('0x2', full / 2n, blockAt(4), 4), chain: 'elsewhere' }
    const paid = observeAll({ payment: half, events: [] }, [rest]).payment
    record(chain, { ...paid, status: 'succeeded' })
    expect(chain.movedBy(grown(13, 10))).toEqual([payment.id])
  })

  it('is nothing for what only a pool holds, but that providers contradict each other', () => {
    const { chain, id } = watching(inMempool('0x1', full))
    chain.advance(grown(12))
    expect(chain.movedBy(grown(13))).toEqual([])
    expect(chain.movedBy({ ...grown(13), disagree: true })).toEqual([id])
    expect(chain.movedBy(grown(11))).toEqual([id])
  })
})

describe('what a head costs', () => {
  const many = 5_000
  /** Payments that have succeeded, each in block 10, and how often one of them is looked at. */
  const succeeded = () => {
    const { chain } = newChain()
    const looked = { times: 0 }
    for (let i = 0; i < many; i++) {
      chain.record(`pi_${i}`, `0x${i}`, {
        ...{ live: true, held: false, told: true, knownTo: null, contest: null, claimed: false },
        ...{ paid: null, denied: false },
        get blockNumber() {
          looked.times++
          return 10
        },
      })
    }
    chain.advance(headAt(12, 5))
    looked.times = 0
    return { chain, looked }
  }

  it('looks at no payment that it changes nothing of', () => {
    const { chain, looked } = succeeded()
    expect(chain.movedBy(headAt(13, 6))).toEqual([])
    chain.advance(headAt(13, 6))
    expect(looked.times).toBe(0)
  })

  it('lets go of a limited number of payments with each head, and of all in the end', () => {
    const { chain } = succeeded()
    const left: number[] = []
    for (let head = 20; head < 23; head++) {
      chain.advance(headAt(head, 10))
      left.push(chain.unsettled().length)
    }
    expect(left).toEqual([3_000, 1_000, 0])
  })
})

describe('what is looked for on a chain', () => {
  it('knows addresses until they are released', () => {
    const { chain, addresses } = newChain()
    addresses.add('0xaa', 'pi_1')
    addresses.add('0xbb', 'pi_2')
    chain.watchNative('pi_2', '0xbb')
    expect([chain.has('0xaa'), chain.payee('0xbb'), chain.wantsNative]).toEqual([
      ...[true, 'pi_2', true],
    ])
    chain.release('pi_2', ['0xbb'])
    addresses.remove('0xbb', 'pi_2')
    expect([chain.has('0xbb'), chain.wantsNative, addresses.size]).toEqual([false, false, 1])
  })

  it('asks for whole blocks as long as one payment takes the native coin', () => {
    const { chain } = newChain()
    chain.watchNative('pi_1', '0xaa')
    chain.watchNative('pi_1', '0xaa')
    chain.watchNative('pi_2', '0xbb')
    expect([...chain.nativeAddresses()]).toEqual(['0xaa', '0xbb'])
    chain.release('pi_1', ['0xaa'])
    expect([...chain.nativeAddresses()]).toEqual(['0xbb'])
    expect(chain.wantsNative).toBe(true)
    chain.release('pi_2', ['0xbb'])
    expect(chain.wantsNative).toBe(false)
  })

  it('tracks a pending transaction until it is final', () => {
    const { chain, id } = watching(inMempool('0x1', full))
    expect([chain.tracks('0x1'), chain.isMoving(id), chain.unsettled()]).toEqual([true, true, [id]])
    chain.advance(headAt(50, 50))
    expect(chain.tracks('0x1')).toBe(true)
  })

  it('expects what would pay and is in no block, so that each process can ask for it anew', () => {
    const { chain } = watching(inMempool('0x1', full), included('0x2', full, blockAt(10), 1))
    expect([...chain.expected()]).toEqual(['0x1'])
    expect(['0x1', '0x2', '0x3'].map((txHash) => chain.expects(txHash))).toEqual([
      ...[true, false, false],
    ])
  })

  it('lets an included transaction go when the chain is final above it, not before', () => {
    const { chain, id } = watching(included('0x1', full, blockAt(10), 1), settledAt(30))
    chain.advance(headAt(30, 9))
    expect([chain.tracks('0x1'), chain.isMoving(id)]).toEqual([true, true])
    chain.advance(headAt(31, 10))
    expect([chain.tracks('0x1'), chain.isMoving(id), chain.unsettled()]).toEqual([false, false, []])
  })

  it('keeps what is deep enough as long as the payment waits for something else', () => {
    const { chain } = watching(included('0x1', full, blockAt(10), 1))
    chain.advance(headAt(31, 10))
    expect([chain.tracks('0x1'), chain.unsettled()]).toEqual([true, [opened().payment.id]])
  })

  it('does not take up again what is final already', () => {
    const { chain } = newChain()
    chain.advance(headAt(31, 10))
    const { payment } = observeAll(opened(), [included('0x1', full, blockAt(10), 1), settledAt(31)])
    chain.expect(payment.id, '0x1')
    record(chain, payment)
    expect(chain.tracks('0x1')).toBe(false)
  })

  it.each([
    ['reverted', [inMempool('0x1', full), reverted('0x1', blockAt(10), 1)]],
    [
      'reorged and forgotten',
      [included('0x1', full, blockAt(10), 1), reorged('0x1', blockAt(10), { view: 2 })],
    ],
  ])('still tracks a transaction that was %s, but no money of it is moving', (_, observations) => {
    const { chain, id } = watching(...observations)
    expect([chain.tracks('0x1'), chain.isMoving(id)]).toEqual([true, false])
  })

  it('forgets the transactions of a payment with its address', () => {
    const { chain, id } = watching(inMempool('0x1', full))
    chain.expect('pi_other', '0x1')
    chain.release(id, ['0xaa'])
    expect([...chain.trackers('0x1')]).toEqual(['pi_other'])
    expect(chain.unsettled()).toEqual(['pi_other'])
  })
})
