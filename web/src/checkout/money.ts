import { printAmount } from '@settlewire/core/amount'
import type { PaymentIntent, WireAcceptance } from '@settlewire/core/wire'

// Amounts stay decimal strings and become bigint for a moment only. They are never numbers.

const placesOf = (amount: string): number => amount.split('.')[1]?.length ?? 0

/** An amount of the wire in units of `10^-places`, of which it has no more than that. */
function unitsOf(amount: string, places: number): bigint {
  const [whole = '', fraction = ''] = amount.split('.')
  return BigInt(whole + fraction.padEnd(places, '0'))
}

function combine(a: string, b: string, how: (a: bigint, b: bigint) => bigint): string {
  const places = Math.max(placesOf(a), placesOf(b), 2)
  return printAmount(how(unitsOf(a, places), unitsOf(b, places)), places)
}

/** What was seen in blocks and in the mempool together. */
export const seenAmount = ({ amountReceived, amountPending }: PaymentIntent): string =>
  combine(amountReceived, amountPending, (a, b) => a + b)

/** What is still to be sent; never negative. */
export const missingAmount = (payment: PaymentIntent): string =>
  combine(payment.amount, seenAmount(payment), (asked, seen) => (asked > seen ? asked - seen : 0n))

/** Thousands apart by a thin space that does not break; the copied form has none. */
export function grouped(amount: string): string {
  const [whole = '', fraction] = amount.split('.')
  const apart = whole.replace(/\B(?=(?:\d{3})+$)/g, '\u202f')
  return fraction === undefined ? apart : `${apart}.${fraction}`
}

/** An address in fours after its `0x`, as people compare it. */
export const inFours = (address: string): readonly string[] => address.match(/^0x|.{1,4}/g) ?? []

/** The middle left out: enough to recognise, not to use. */
export const shortened = (hex: string): string =>
  hex.length <= 16 ? hex : `${hex.slice(0, 8)}…${hex.slice(-6)}`

/**
 * The wallet link for an amount that is not the full one. A wallet must never be led to pay the
 * whole again, so without a way to say the rest the link names the address alone.
 */
export function uriFor(accept: WireAcceptance, amount: string): string {
  if (placesOf(amount) > accept.decimals) return accept.address
  const units = unitsOf(amount, accept.decimals)
  return accept.uri.replace(/\b(uint256|value)=\d+/, `$1=${units}`)
}
