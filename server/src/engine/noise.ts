import { rescale } from '@settlewire/core/amount'
import type { Included, Observation, SeenTransfer } from '@settlewire/core/observation'
import type { Payment } from '@settlewire/core/payment'

/**
 * So many transactions of one payment are kept whatever they are. Sprinkling an address with dust is
 * cheap, and each transaction on record costs a judgement with every later one.
 */
export const knownMax = 64

/** And so many transfers of one transaction: a contract moves thousands for the price of a few. */
export const partsMax = 32

/**
 * One transaction without the transfers that are noise on top of `partsMax`. It depends on nothing but
 * what was asked for, so whoever shows the transaction, and whenever, shows the same.
 */
export function leaveParts(payment: Payment, included: Included): Included {
  if (included.transfers.length <= partsMax) return included
  let noise = 0
  const transfers = included.transfers.filter(
    (transfer) => counts(payment, transfer, included) || ++noise <= partsMax,
  )
  return { ...included, transfers }
}

/** A payment's observations without those that are noise on top of `knownMax`, and how many these were. */
export function leaveNoise(
  payment: Payment,
  whole: readonly Observation[],
): { readonly kept: readonly Observation[]; readonly left: number } {
  const observations = whole.map((observation) =>
    observation.kind === 'included' ? leaveParts(payment, observation) : observation,
  )
  let count = payment.facts.transactions.length
  if (count + observations.length <= knownMax) return { kept: observations, left: 0 }
  const hashes = new Set(payment.facts.transactions.map(nameOf))
  const kept = observations.filter((observation) => {
    if (observation.kind !== 'included' || hashes.has(nameOf(observation))) return true
    if (
      count >= knownMax &&
      !observation.transfers.some((it) => counts(payment, it, observation))
    ) {
      return false
    }
    hashes.add(nameOf(observation))
    count += 1
    return true
  })
  const known = (observation: Observation): boolean =>
    observation.kind !== 'denied' || hashes.has(nameOf(observation))
  return { kept: kept.filter(known), left: observations.length - kept.length }
}

const nameOf = ({ chain, txHash }: { chain: string; txHash: string }): string =>
  `${chain} ${txHash}`

/** On top of these a transfer must be this part of the amount: so it costs more than it can spoil. */
const leastPart = 1_000n

/** Whether it is money that was asked for, and not too little to tell from noise. */
function counts(
  { terms }: Payment,
  transfer: SeenTransfer,
  { chain }: { readonly chain: string },
): boolean {
  return terms.accept.some(
    (accept) =>
      accept.chain === chain &&
      accept.token === transfer.token &&
      accept.address === transfer.to &&
      transfer.amount >= (accept.dust ?? 1n) &&
      rescale(transfer.amount, accept.decimals, terms.decimals) * leastPart >= terms.amount,
  )
}
