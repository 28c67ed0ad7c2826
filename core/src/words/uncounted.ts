import type { PaymentIntent, WireTransfer } from '../wire/wire.ts'
import { ignoredWords } from './stage-words.ts'

/**
 * Uncounted transfers that a payer should know about: not the zero transfers of address poisoning.
 */
export const uncountedOf = ({
  transfers,
}: Pick<PaymentIntent, 'transfers'>): readonly WireTransfer[] =>
  transfers.filter(
    ({ stage, ignored }) =>
      stage === 'ignored' && ignored != null && ignoredWords[ignored].todo !== null,
  )

/** Why an uncounted transfer does not count, and what the payer can do about it. */
export function whyUncounted({ ignored }: Pick<WireTransfer, 'ignored'>): string {
  const { why, todo } = ignoredWords[ignored ?? 'zero']
  return `${why} ${todo ?? ''}`
}
