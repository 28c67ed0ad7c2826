import { rescale } from '@settlewire/core/money/amount'
import type { Included, SeenTransfer } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'

/**
 * What of a payment is kept one by one. Sprinkling an address is cheap, and each transaction on record
 * costs a judgement with every later one: so beyond these numbers small money is summed up per block,
 * and what is no money is left out.
 */

/** So many transactions of one payment are kept whatever they are. */
export const knownMax = 64
/** And so many that bring a hundredth of the amount or more. */
export const largeMax = 256
/** And so many with the sums of blocks: by then what is small has made up the amount, and is surplus. */
export const rowsMax = 1_100

/** So many transfers of one transaction that are no money, and so many that are. */
export const partsMax = 32

/** What a transfer is to a payment: money that is hard to spare, money, or not to tell from dust. */
export type Weight = 'large' | 'small' | 'none'

/** A transfer must be this part of the amount to be money: so it costs more than it can spoil. */
const smallPart = 1_000n
const largePart = 100n

/** Only what was asked for is money. */
export function weightOf(
  { terms }: Payment,
  transfer: SeenTransfer,
  { chain }: { readonly chain: string },
): Weight {
  const accept = terms.accept.find(
    (one) => one.chain === chain && one.token === transfer.token && one.address === transfer.to,
  )
  if (accept === undefined || transfer.amount < (accept.dust ?? 1n)) return 'none'
  const amount = rescale(transfer.amount, accept.decimals, terms.decimals)
  if (amount * largePart >= terms.amount) return 'large'
  return amount * smallPart >= terms.amount ? 'small' : 'none'
}

/** The heaviest of a transaction's transfers speaks for it. */
export function weightOfAll(payment: Payment, included: Included): Weight {
  let heaviest: Weight = 'none'
  for (const transfer of included.transfers) {
    const weight = weightOf(payment, transfer, included)
    if (weight === 'large') return weight
    if (weight === 'small') heaviest = weight
  }
  return heaviest
}

/**
 * One transaction with the first of its transfers, and the rest of its money as a sum: a contract moves
 * thousands for the price of a few. It depends on nothing but what was asked for, so all who show the
 * transaction, and whenever, show the same.
 */
export function leaveParts(payment: Payment, included: Included): Included {
  if (included.transfers.length <= partsMax) return included
  const kept: SeenTransfer[] = []
  const rest: SeenTransfer[] = []
  let noise = 0
  let money = 0
  for (const transfer of included.transfers) {
    if (weightOf(payment, transfer, included) === 'none') {
      if (++noise <= partsMax) kept.push(transfer)
    } else if (++money <= partsMax) kept.push(transfer)
    else rest.push(transfer)
  }
  return { ...included, transfers: [...kept, ...sumsOf(rest, included.txHash)] }
}

/** Per asset and address one transfer that stands for all of them. */
export function sumsOf(transfers: readonly SeenTransfer[], txHash: string): SeenTransfer[] {
  const sums = new Map<string, SeenTransfer>()
  for (const { token, to, amount, count = 1 } of transfers) {
    const part = `sum:${token ?? ''}:${to}` as const
    const known = sums.get(part)
    sums.set(part, {
      ...{ txHash, part, token, from: '', to },
      amount: (known?.amount ?? 0n) + amount,
      count: (known?.count ?? 0) + count,
    })
  }
  return [...sums.values()]
}
