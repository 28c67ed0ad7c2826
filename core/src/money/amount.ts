import { Failure } from '../errors.ts'

/** No asset has more places than this, and no amount more digits in front of the point. */
const decimalsMax = 36
const wholeDigitsMax = 48

const decimalForm = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/

/**
 * Reads a decimal string into units of `10^-decimals`. No sign, exponent, blank, or leading zero;
 * more places than `decimals` are refused, zeros too: nothing is ever rounded.
 * Throws `invalid_amount`.
 */
export function parseAmount(text: string, decimals: number): bigint {
  const [, whole, fraction = ''] = decimalForm.exec(text) ?? []
  if (whole === undefined || whole.length > wholeDigitsMax || decimals > decimalsMax) {
    throw new Failure('invalid_amount', 'An amount is a plain decimal string such as "150.00".')
  }
  if (fraction.length > decimals) {
    throw new Failure('invalid_amount', `This asset has ${decimals} decimal places.`)
  }
  return BigInt(whole + fraction.padEnd(decimals, '0'))
}

/** Prints units of `10^-decimals`: at least two places where the asset has them, no more than needed. */
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

/** Moves an amount to a finer or equal scale; exact by construction. */
export function rescale(amount: bigint, from: number, to: number): bigint {
  if (to < from) throw new Failure('invalid_amount', 'An amount never moves to a coarser scale.')
  return amount * 10n ** BigInt(to - from)
}
