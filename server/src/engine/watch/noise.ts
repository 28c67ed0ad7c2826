import { rescale } from '@settlewire/core/money/amount'
import type { Included, SeenTransfer } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'

/**
 * How much of a payment is recorded one by one. Sending dust to an address is cheap, and each
 * recorded transaction makes every later judgement slower. So beyond these numbers small money is
 * summed per block, and transfers too small to be money are left out.
 */

/** A payment keeps this many transactions of any weight. */
export const knownMax = 64
/** And this many in all, if the further ones bring a hundredth of the amount or more. */
export const largeMax = 256
/**
 * And this many with the sums of blocks. By then small money has covered the amount and is surplus.
 */
export const rowsMax = 1_100

/** A transaction keeps this many transfers that are money, and this many that are not. */
export const partsMax = 32

/** The weight of a transfer: a large part of the amount, a small part, or no more than dust. */
export type Weight = 'large' | 'small' | 'none'

/** A transfer must be this part of the amount to be money: spam then costs more than it harms. */
const smallPart = 1_000n
const largePart = 100n

/** Only an asset that the payment accepts is money. */
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

/** The weight of a transaction is that of its heaviest transfer. */
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
 * Keeps the first transfers of a transaction and sums up the rest of its money, because a contract
 * can make thousands of transfers at little cost. The result depends on the payment's terms only,
 * so every provider that shows the transaction gives the same result at any time.
 */
export function sumUpRest(payment: Payment, included: Included): Included {
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

/** One transfer per asset and address, as the sum of all of them. */
export function sumsOf(transfers: readonly SeenTransfer[], txHash: string): SeenTransfer[] {
  const sums = new Map<string, SeenTransfer>()
  for (const { token, to, amount, count = 1 } of transfers) {
    const part = `sum:${token ?? ''}:${to}` as const
    const known = sums.get(part)
    sums.set(part, {
      txHash,
      part,
      token,
      from: '',
      to,
      amount: (known?.amount ?? 0n) + amount,
      count: (known?.count ?? 0) + count,
    })
  }
  return [...sums.values()]
}
