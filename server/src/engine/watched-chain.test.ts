import { describe, expect, it } from 'vitest'
import {
  blockAt,
  included,
  inMempool,
  observeAll,
  opened,
  reorged,
  reverted,
} from '../../../test/support/payments.ts'
import { WatchedChain } from './watched-chain.ts'

const full = 150_000_000n
const policy = { settled: 3, final: 'finalized', quorum: 1 } as const
const headAt = (head: number, finalized: number | null) => ({
  ...{ view: head, head, safe: finalized, finalized },
})

const watching = (...observations: Parameters<typeof observeAll>[1]) => {
  const chain = new WatchedChain(policy)
  const { payment } = observeAll(opened(), observations)
  for (const transaction of payment.facts.transactions) chain.record(payment.id, transaction)
  return { chain, id: payment.id }
}

describe('what is looked for on a chain', () => {
  it('knows addresses until they are released', () => {
    const chain = new WatchedChain(policy)
    chain.watch('pi_1', '0xaa', false)
    chain.watch('pi_2', '0xbb', true)
    expect([chain.has('0xaa'), chain.payee('0xbb'), chain.wantsNative]).toEqual([
      ...[true, 'pi_2', true],
    ])
    chain.release('pi_2', '0xbb')
    expect([chain.has('0xbb'), chain.wantsNative, chain.size]).toEqual([false, false, 1])
  })

  it('asks for whole blocks as long as one payment takes the native coin', () => {
    const chain = new WatchedChain(policy)
    chain.watch('pi_1', '0xaa', true)
    chain.watch('pi_1', '0xaa', true)
    chain.watch('pi_2', '0xbb', true)
    chain.release('pi_1', '0xaa')
    expect(chain.wantsNative).toBe(true)
    chain.release('pi_2', '0xbb')
    expect(chain.wantsNative).toBe(false)
  })

  it('tracks a pending transaction until it is final', () => {
    const { chain, id } = watching(inMempool('0x1', full))
    expect([chain.tracks('0x1'), chain.isMoving(id), chain.unsettled()]).toEqual([true, true, [id]])
    chain.advance(headAt(50, 50))
    expect(chain.tracks('0x1')).toBe(true)
  })

  it('lets an included transaction go when the chain is final above it, not before', () => {
    const { chain, id } = watching(included('0x1', full, blockAt(10), 1))
    chain.advance(headAt(30, 9))
    expect([chain.tracks('0x1'), chain.isMoving(id)]).toEqual([true, true])
    chain.advance(headAt(31, 10))
    expect([chain.tracks('0x1'), chain.isMoving(id), chain.unsettled()]).toEqual([false, false, []])
  })

  it('does not take up again what is final already', () => {
    const chain = new WatchedChain(policy)
    chain.advance(headAt(31, 10))
    const { payment } = observeAll(opened(), [included('0x1', full, blockAt(10), 1)])
    chain.expect(payment.id, '0x1')
    for (const transaction of payment.facts.transactions) chain.record(payment.id, transaction)
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
    chain.watch(id, '0xaa', false)
    chain.expect('pi_other', '0x1')
    chain.release(id, '0xaa')
    expect([...chain.trackers('0x1')]).toEqual(['pi_other'])
    expect(chain.unsettled()).toEqual(['pi_other'])
  })
})
