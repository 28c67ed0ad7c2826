import { Failure } from '../errors.ts'

/** Limits for the decimal places of an asset and for the digits before the decimal point. */
const decimalsMax = 36
const wholeDigitsMax = 48

const decimalForm = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/

/**
 * Reads a decimal string into units of `10^-decimals`. Refuses signs, exponents, blanks and leading
 * zeros, and more places than `decimals`, even zeros: nothing is ever rounded.
 * Throws `invalid_amount`.
 */
export function parseAmount(text: string, decimals: number): bigint {
  const amount = readAmount(text, decimals)
  if (typeof amount === 'string') throw new Failure('invalid_amount', amount)
  return amount
}

/**
 * The same for the field `amount` of a request, which must be more than 0. Throws `invalid_amount`
 * that points to the field.
 */
export function parseAmountField(text: string, decimals: number): bigint {
  const amount = readAmount(text, decimals)
  if (typeof amount === 'bigint' && amount > 0n) return amount
  throw amountRefused(typeof amount === 'string' ? amount : 'The amount must be more than 0.')
}

/** The `invalid_amount` of a request, which points to its field `amount`. */
export const amountRefused = (detail: string): Failure =>
  new Failure('invalid_amount', detail, { fields: [{ pointer: '/amount', detail }] })

/** The units, or why the text is no amount. */
function readAmount(text: string, decimals: number): bigint | string {
  const [, whole, fraction = ''] = decimalForm.exec(text) ?? []
  if (whole === undefined || whole.length > wholeDigitsMax || decimals > decimalsMax) {
    return 'The amount must be a plain decimal string such as "150.00".'
  }
  if (fraction.length > decimals) {
    return `The amount must have at most ${decimals} decimal places: an accepted asset has no more.`
  }
  return BigInt(whole + fraction.padEnd(decimals, '0'))
}

/**
 * Prints units of `10^-decimals` with as few places as possible, but at least two where the asset
 * has them.
 */
export function printAmount(amount: bigint, decimals: number): string {
  const sign = amount < 0n ? '-' : ''
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const places = Math.min(2, decimals)
  const fraction = digits
    .slice(digits.length - decimals)
    .replace(/0+$/, '')
    .padEnd(places, '0')
  return sign + whole + (fraction === '' ? '' : `.${fraction}`)
}

/** Converts an amount to a finer or equal scale, exactly. Throws for a coarser one. */
export function rescale(amount: bigint, from: number, to: number): bigint {
  if (to < from) throw new Failure('invalid_amount', 'The target scale is coarser.')
  return amount * 10n ** BigInt(to - from)
}
