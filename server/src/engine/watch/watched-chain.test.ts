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

describe('movedBy: the payments that a head changes', () => {
  const grown = (head: number, finalized: number | null = null) => headAt(head, finalized)

  it('lists a confirming payment with every head', () => {
    const { chain, id } = watching(included('0x1', full, blockAt(10), 10))
    chain.advance(grown(10))
    expect([chain.movedBy(grown(11)), chain.movedBy(grown(12))]).toEqual([[id], [id]])
  })

  it('lists a succeeded payment only when its block becomes `safe` or final', () => {
    const { chain, id } = watching(included('0x1', full, blockAt(10), 10), settledAt(12))
    chain.advance(grown(12, 5))
    expect(chain.movedBy(grown(13, 9))).toEqual([])
    expect(chain.movedBy(grown(13, 10))).toEqual([id])
  })

  it('lists a payment for a transfer that was final before another chain brought the rest', () => {
    const { chain } = newChain()
    const [here] = termsOf().accept
    if (here === undefined) throw new Error('it can be paid here')
    const there = { ...here, chain: 'elsewhere' }
    const { payment } = opened({ accept: [here, there] })
    const half = observeAll({ payment, events: [] }, [
      included('0x1', full / 2n, blockAt(10), 10),
    ]).payment
    record(chain, half)
    // This head changes nothing for a payment that still waits, so it is not recorded there.
    chain.advance(grown(12, 10))
    expect(chain.isMoving(payment.id)).toBe(false)
    const rest = { ...included('0x2', full / 2n, blockAt(4), 4), chain: 'elsewhere' }
    const paid = observeAll({ payment: half, events: [] }, [rest]).payment
    record(chain, { ...paid, status: 'succeeded' })
    expect(chain.movedBy(grown(13, 10))).toEqual([payment.id])
  })

  it('lists a pending payment only when the chain shrinks or the providers disagree', () => {
    const { chain, id } = watching(inMempool('0x1', full))
    chain.advance(grown(12))
    expect(chain.movedBy(grown(13))).toEqual([])
    expect(chain.movedBy({ ...grown(13), disagree: true })).toEqual([id])
    expect(chain.movedBy(grown(11))).toEqual([id])
  })
})

describe('the cost of a head', () => {
  const many = 5_000
  /** Succeeded payments, each in block 10, and a counter of how often one of them is checked. */
  const succeeded = () => {
    const { chain } = newChain()
    const looked = { times: 0 }
    for (let i = 0; i < many; i++) {
      chain.record(`pi_${i}`, `0x${i}`, {
        ...{
          live: true,
          held: false,
          succeeded: true,
          knownTo: null,
          contest: null,
          claimed: false,
        },
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

  it('checks no payment for which it changes nothing', () => {
    const { chain, looked } = succeeded()
    expect(chain.movedBy(headAt(13, 6))).toEqual([])
    chain.advance(headAt(13, 6))
    expect(looked.times).toBe(0)
  })

  it('closes a limited number of transactions with each head, and all of them in the end', () => {
    const { chain } = succeeded()
    const left: number[] = []
    for (let head = 20; head < 23; head++) {
      chain.advance(headAt(head, 10))
      left.push(chain.unsettled().length)
    }
    expect(left).toEqual([3_000, 1_000, 0])
  })
})

describe('WatchedChain', () => {
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

  it('wants whole blocks as long as a payment accepts the native coin', () => {
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

  it('expects transactions that would pay and are in no block', () => {
    const { chain } = watching(inMempool('0x1', full), included('0x2', full, blockAt(10), 1))
    expect([...chain.expected()]).toEqual(['0x1'])
    expect(['0x1', '0x2', '0x3'].map((txHash) => chain.expects(txHash))).toEqual([
      ...[true, false, false],
    ])
  })

  it('closes an included transaction when its block is final, and not before', () => {
    const { chain, id } = watching(included('0x1', full, blockAt(10), 1), settledAt(30))
    chain.advance(headAt(30, 9))
    expect([chain.tracks('0x1'), chain.isMoving(id)]).toEqual([true, true])
    chain.advance(headAt(31, 10))
    expect([chain.tracks('0x1'), chain.isMoving(id), chain.unsettled()]).toEqual([false, false, []])
  })

  it('keeps a final transaction as long as the payment waits for something else', () => {
    const { chain } = watching(included('0x1', full, blockAt(10), 1))
    chain.advance(headAt(31, 10))
    expect([chain.tracks('0x1'), chain.unsettled()]).toEqual([true, [opened().payment.id]])
  })

  it('does not track a transaction that is final already', () => {
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
      'reorged and not seen again',
      [included('0x1', full, blockAt(10), 1), reorged('0x1', blockAt(10), { view: 2 })],
    ],
  ])('still tracks a transaction that was %s, without money on its way', (_, observations) => {
    const { chain, id } = watching(...observations)
    expect([chain.tracks('0x1'), chain.isMoving(id)]).toEqual([true, false])
  })

  it('releases the transactions of a payment with its address', () => {
    const { chain, id } = watching(inMempool('0x1', full))
    chain.expect('pi_other', '0x1')
    chain.release(id, ['0xaa'])
    expect([...chain.trackers('0x1')]).toEqual(['pi_other'])
    expect(chain.unsettled()).toEqual(['pi_other'])
  })
})
