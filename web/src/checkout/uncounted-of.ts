import type { WireTransfer } from '@settlewire/core/wire/wire'
import { ignoredWords } from '@settlewire/core/words/stage-words'
import type { Shown } from './payment.ts'

/** What a payer should know of: not the transfers of nothing that address poisoners send. */
export const uncountedOf = ({ payment }: Pick<Shown, 'payment'>): readonly WireTransfer[] =>
  payment.transfers.filter(
    ({ stage, ignored }) =>
      stage === 'ignored' && ignored != null && ignoredWords[ignored].todo !== null,
  )
