import { printAmount } from '@settlewire/core/money/amount'
import type { PaymentIntent, WireAcceptance } from '@settlewire/core/wire/wire'

// Amounts stay decimal strings and become bigint for a moment only. They are never numbers.

const placesOf = (amount: string): number => amount.split('.')[1]?.length ?? 0

/** An amount in units of `10^-places`. It must not have more decimal places than that. */
function unitsOf(amount: string, places: number): bigint {
  const [whole = '', fraction = ''] = amount.split('.')
  return BigInt(whole + fraction.padEnd(places, '0'))
}

function combine(a: string, b: string, how: (a: bigint, b: bigint) => bigint): string {
  const places = Math.max(placesOf(a), placesOf(b), 2)
  return printAmount(how(unitsOf(a, places), unitsOf(b, places)), places)
}

/** The amount in blocks and in the mempool together. */
export const seenAmount = ({ amountReceived, amountPending }: PaymentIntent): string =>
  combine(amountReceived, amountPending, (a, b) => a + b)

/** The amount still to be sent; never negative. */
export const missingAmount = (payment: PaymentIntent): string =>
  combine(payment.amount, seenAmount(payment), (amount, seen) =>
    amount > seen ? amount - seen : 0n,
  )

/** Separates thousands by a narrow no-break space; copied amounts have no separators. */
export function grouped(amount: string): string {
  const [whole = '', fraction] = amount.split('.')
  const apart = whole.replace(/\B(?=(?:\d{3})+$)/g, '\u202f')
  return fraction === undefined ? apart : `${apart}.${fraction}`
}

/** An address in groups of four after its `0x`, which people can compare. */
export const inFours = (address: string): readonly string[] => address.match(/^0x|.{1,4}/g) ?? []

/** Leaves out the middle of a long text: enough to recognise a hash, not to use it. */
export const shortened = (hex: string): string =>
  hex.length <= 16 ? hex : `${hex.slice(0, 8)}…${hex.slice(-6)}`

/** The amount in wallet links of EIP-681, the only links that we can change. */
const amountInUri = /\b(uint256|value)=\d+/

/**
 * The wallet link for an amount that may be less than the full one. Null if there is no link, or
 * none for exactly that amount: a wallet must never suggest to pay the whole amount again.
 */
export function uriFor({ uri, decimals }: WireAcceptance, amount: string): string | null {
  if (uri === null || placesOf(amount) > decimals || !amountInUri.test(uri)) return null
  return uri.replace(amountInUri, `$1=${unitsOf(amount, decimals)}`)
}
