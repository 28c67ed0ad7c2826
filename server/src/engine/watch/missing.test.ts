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

/** What a payment with this history says of what a block holds. */
const says = (
  facts: Parameters<typeof observeAll>[1],
  ...held: readonly [HeldTransaction, ...HeldTransaction[]]
) => compare(observeAll(opened(), [headAt(9, 1), ...facts]).payment, held[0], held)

describe('of what a block holds, the history', () => {
  it('holds what it says of that very block', () => {
    expect(says([included('0x1', full, block, 2)], heldIn('0x1'))).toBe('known')
  })

  it('lacks what it does not say, says of another block, or says was undone', () => {
    expect(says([], heldIn('0x1'))).toBe('missing')
    expect(says([included('0x1', full, blockAt(4), 2)], heldIn('0x1'))).toBe('missing')
    const undone = [included('0x1', full, block, 2), reorged('0x1', block, { view: 3 })]
    expect(says(undone, heldIn('0x1'))).toBe('missing')
  })

  it('lacks a transfer of a transaction of which it holds another', () => {
    const both = [transfer('0x1', full), transfer('0x1', full, 1)]
    expect(says([included('0x1', full, block, 2)], heldIn('0x1', both))).toBe('missing')
  })

  it('holds what a sum of that block makes up for, and is not sure of more', () => {
    const name = smallIn(block.hash)
    const sum = { ...transfer(name, full * 2n, 'sum:usdc'), count: 2 }
    const summed = [{ ...included(name, full, block, 2), transfers: [sum] }]
    const [one, two, three] = [heldIn('0x1'), heldIn('0x2'), heldIn('0x3')] as const
    expect(says(summed, one, two)).toBe('known')
    expect(says(summed, one, two, three)).toBe('unclear')
    expect(says(summed, heldIn('0x4', undefined, blockAt(6)))).toBe('missing')
  })

  it('is not sure of the native coin once a balance has told some, of whatever block', () => {
    const later = blockAt(7)
    const name = `balance:${later.hash}`
    const told = { ...included(name, full, later, 2), transfers: [native(name, 'balance', full)] }
    const traced = heldIn('0x1', [native('0x1', 'trace:0', full)])
    expect(says([told], traced)).toBe('unclear')
    expect(says([], traced)).toBe('missing')
    // The same block, and as much of it: another form of the same money.
    expect(says([told], heldIn('0x1', [native('0x1', 'trace:0', full)], later))).toBe('known')
  })
})
