import type { WireTransfer } from '@settlewire/core/wire/wire'
import { ignoredWords } from '@settlewire/core/words/stage-words'
import type { ShownPayment } from './payment.ts'

/**
 * Uncounted transfers that a payer should know about: not the zero transfers of address poisoning.
 */
export const uncountedOf = ({ payment }: Pick<ShownPayment, 'payment'>): readonly WireTransfer[] =>
  payment.transfers.filter(
    ({ stage, ignored }) =>
      stage === 'ignored' && ignored != null && ignoredWords[ignored].todo !== null,
  )
