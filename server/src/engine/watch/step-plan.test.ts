import type { SeenTransfer } from '@settlewire/core/payment/observation'
import { describe, expect, it } from 'vitest'
import {
  blockAt,
  deposit,
  included,
  inMempool,
  observeAll,
  opened,
  payer,
  usdc,
} from '../../../../test/support/payments.ts'
import type { AppliedBlock, ChainStep } from '../../ports/chain.ts'
import { AddressBook } from './address-book.ts'
import { openTransactions } from './open-transactions.ts'
import { planStep } from './step-plan.ts'
import { WatchedChain } from './watched-chain.ts'

const full = 150_000_000n
const second = `0x${'dd'.repeat(20)}`
const { payment } = opened()

const transfer = (txHash: string, changes: Partial<SeenTransfer> = {}): SeenTransfer => ({
  ...{ txHash, part: 0, token: usdc, from: payer, to: deposit, amount: full },
  ...changes,
})
const block = (number: number, changes: Partial<AppliedBlock> = {}): AppliedBlock => ({
  ...{ block: blockAt(number), transfers: [], movedNothing: [] },
  ...changes,
})
const stepOf = (changes: Partial<ChainStep> = {}): ChainStep => ({
  ...{ source: 'rpc:one', at: 5, reverted: [], pendingAgain: new Set<string>(), applied: [] },
  head: { view: 7, head: 12, safe: null, finalized: null },
  ...changes,
})

function watching(): WatchedChain {
  const addresses = new AddressBook()
  addresses.add(deposit, payment.id)
  addresses.add(second, 'pi_second')
  return new WatchedChain({ settled: 3, final: 'finalized', quorum: 1 }, addresses)
}

const plan = (step: ChainStep, watched = watching(), orphaned: readonly string[] = []) =>
  planStep('local', step, { watched, orphaned })
const kinds = (of: ReturnType<typeof plan>, whose = payment) =>
  of.observationsOf(whose).map((observation) => observation.kind)

describe('planStep', () => {
  it('makes one fact of all transfers of one transaction to one payment', () => {
    const transfers = [transfer('0x1'), transfer('0x1', { part: 1 }), transfer('0x2')]
    const planned = plan(stepOf({ applied: [block(11), block(12, { transfers })] }))
    expect(planned.touched).toEqual([payment.id])
    const [one, two, head] = planned.observationsOf(payment)
    expect(one).toMatchObject({ kind: 'included', txHash: '0x1', block: blockAt(12), view: 7 })
    expect(one?.kind === 'included' && one.transfers).toHaveLength(2)
    expect(two).toMatchObject({ kind: 'included', txHash: '0x2' })
    expect(head).toMatchObject({ kind: 'head', head: 12, view: 7 })
  })

  it('splits a transaction that pays two payments', () => {
    const transfers = [transfer('0x1'), transfer('0x1', { part: 1, to: second, amount: 1n })]
    const planned = plan(stepOf({ applied: [block(12, { transfers })] }))
    expect(planned.touched).toEqual([payment.id, 'pi_second'])
    const [ours] = planned.observationsOf(payment)
    const [theirs] = planned.observationsOf({ ...payment, id: 'pi_second' })
    expect(ours?.kind === 'included' && ours.transfers.map(({ part }) => part)).toEqual([0])
    expect(theirs?.kind === 'included' && theirs.transfers[0]?.amount).toBe(1n)
  })

  it('first undoes blocks, newest first, then applies blocks, and puts the head last', () => {
    const seen = observeAll(opened(), [
      included('0x1', full, blockAt(10), 1),
      included('0x2', 1n, blockAt(11), 2),
    ]).payment
    const step = stepOf({
      reverted: [blockAt(11), blockAt(10)],
      pendingAgain: new Set(['0x2']),
      applied: [{ ...block(10), block: blockAt(10, 'b'), transfers: [transfer('0x1')] }],
    })
    const planned = plan(step, watching(), [payment.id])
    expect(planned.observationsOf(seen)).toMatchObject([
      { kind: 'reorged', txHash: '0x2', blockHash: blockAt(11).hash, inMempool: true },
      { kind: 'reorged', txHash: '0x1', blockHash: blockAt(10).hash, inMempool: false },
      { kind: 'included', txHash: '0x1', block: blockAt(10, 'b') },
      { kind: 'head' },
    ])
  })

  it('gives the head to payments with a transaction that is not final, and to no other', () => {
    const watched = watching()
    watched.expect('pi_second', '0x9')
    const planned = plan(stepOf({ applied: [block(12)] }), watched)
    expect([planned.touched, planned.moved]).toEqual([[], ['pi_second']])
    expect(kinds(planned)).toEqual(['head'])
  })

  it('reports a reverted pending transaction to its payment', () => {
    const watched = watching()
    const known = observeAll(opened(), [inMempool('0x1', full)]).payment
    for (const [{ txHash }, open] of openTransactions(known)) {
      watched.record(payment.id, txHash, open)
    }
    const movedNothing = [{ txHash: '0x1', reason: 'reverted' as const }]
    const planned = plan(stepOf({ applied: [block(12, { movedNothing })] }), watched)
    expect(planned.observationsOf(payment)[0]).toMatchObject({
      ...{ kind: 'moved_nothing', txHash: '0x1', reason: 'reverted' },
    })
  })

  it('reports to a payment that its transaction paid another one instead', () => {
    const watched = watching()
    watched.expect(payment.id, '0x1')
    const transfers = [transfer('0x1', { to: second })]
    const planned = plan(stepOf({ applied: [block(12, { transfers })] }), watched)
    expect(planned.observationsOf(payment)[0]).toMatchObject({
      ...{ kind: 'moved_nothing', reason: 'paid_elsewhere' },
    })
  })

  it('ignores a transfer of 0', () => {
    const transfers = [transfer('0x1', { amount: 0n })]
    const step = stepOf({ applied: [block(12, { transfers })] })
    expect(plan(step).touched).toEqual([])
    const watched = watching()
    watched.expect(payment.id, '0x1')
    expect(kinds(plan(step, watched))).toEqual(['moved_nothing', 'head'])
  })
})
