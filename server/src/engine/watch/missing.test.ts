import { smallIn } from '@settlewire/core/payment/transaction'
import { describe, expect, it } from 'vitest'
import {
  blockAt,
  deposit,
  headAt,
  included,
  observeAll,
  opened,
  payer,
  reorged,
  transfer,
} from '../../../../test/support/payments.ts'
import { compare, type HeldTransaction } from './missing.ts'

const full = 150_000_000n
const block = blockAt(5)
const native = (txHash: string, part: string, amount: bigint) => ({
  ...{ txHash, part, token: null, from: payer, to: deposit, amount },
})

const heldIn = (
  txHash: string,
  transfers = [transfer(txHash, full)],
  at = block,
): HeldTransaction => ({
  ...{ chain: 'local', txHash, block: at, transfers },
})

/** Compares what a block holds with the history of a payment with these facts. */
const says = (
  facts: Parameters<typeof observeAll>[1],
  ...held: readonly [HeldTransaction, ...HeldTransaction[]]
) => compare(observeAll(opened(), [headAt(9, 1), ...facts]).payment, held[0], held)

describe('compare, for a transaction in a block', () => {
  it('is `known` when the history holds it in the same block', () => {
    expect(says([included('0x1', full, block, 2)], heldIn('0x1'))).toBe('known')
  })

  it('is `missing` when the history lacks it, has it in another block, or undid it', () => {
    expect(says([], heldIn('0x1'))).toBe('missing')
    expect(says([included('0x1', full, blockAt(4), 2)], heldIn('0x1'))).toBe('missing')
    const undone = [included('0x1', full, block, 2), reorged('0x1', block, { view: 3 })]
    expect(says(undone, heldIn('0x1'))).toBe('missing')
  })

  it('is `missing` when the history holds only another transfer of the transaction', () => {
    const both = [transfer('0x1', full), transfer('0x1', full, 1)]
    expect(says([included('0x1', full, block, 2)], heldIn('0x1', both))).toBe('missing')
  })

  it('is `known` if a recorded sum of the block covers it, and `unclear` if the sum is less', () => {
    const name = smallIn(block.hash)
    const sum = { ...transfer(name, full * 2n, 'sum:usdc'), count: 2 }
    const summed = [{ ...included(name, full, block, 2), transfers: [sum] }]
    const [one, two, three] = [heldIn('0x1'), heldIn('0x2'), heldIn('0x3')] as const
    expect(says(summed, one, two)).toBe('known')
    expect(says(summed, one, two, three)).toBe('unclear')
    expect(says(summed, heldIn('0x4', undefined, blockAt(6)))).toBe('missing')
  })

  it('is `unclear` for the native coin once a balance increase of any block is recorded', () => {
    const later = blockAt(7)
    const name = `balance:${later.hash}`
    const told = { ...included(name, full, later, 2), transfers: [native(name, 'balance', full)] }
    const traced = heldIn('0x1', [native('0x1', 'trace:0', full)])
    expect(says([told], traced)).toBe('unclear')
    expect(says([], traced)).toBe('missing')
    // The same block and the same amount: another form of the same money.
    expect(says([told], heldIn('0x1', [native('0x1', 'trace:0', full)], later))).toBe('known')
  })
})
