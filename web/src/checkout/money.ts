import { printAmount } from '@settlewire/core/money/amount'
import type { PaymentIntent, WireAcceptance } from '@settlewire/core/wire/wire'

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

/** Where the links that we can change carry the amount (EIP-681). */
const amountInUri = /\b(uint256|value)=\d+/

/**
 * The wallet link for an amount that may be less than the full one. Null where there is none that
 * asks for just that: a wallet must never be led to pay the whole again.
 */
export function uriFor({ uri, decimals }: WireAcceptance, amount: string): string | null {
  if (uri === null || placesOf(amount) > decimals || !amountInUri.test(uri)) return null
  return uri.replace(amountInUri, `$1=${unitsOf(amount, decimals)}`)
}
