import type { IgnoreReason, Stage } from '../payment/payment.ts'

/**
 * A short label beside a transaction, by stage: progress in the order of certainty, then losses.
 */
export const stageLabels: Readonly<Record<Stage, string>> = {
  claimed: 'looked for',
  mempool: 'detected',
  preconfirmed: 'promised',
  included: 'in a block',
  safe: 'safe',
  final: 'final',
  dropped: 'not confirmed',
  replaced: 'replaced',
  reverted: 'refused by the network',
  reorged: 'taken back',
  denied: 'not shown any more',
  ignored: 'not counted',
}

/**
 * Why money does not count, and what the payer can do; `todo` is null where a payer need not see
 * it.
 */
export interface IgnoredWords {
  readonly why: string
  readonly todo: string | null
}

const askForReturn = 'Ask the merchant to send it back, and name this transaction.'

/** Why money does not count, in words for the payer. */
export const ignoredWords: Readonly<Record<IgnoreReason, IgnoredWords>> = {
  wrong_token: { why: 'It is a token that this request does not accept.', todo: askForReturn },
  wrong_chain: {
    why: 'It came on a network that this request does not accept.',
    todo: askForReturn,
  },
  dust: {
    why: 'It is too small to count.',
    todo: 'The amount that you owe stays as it is. Ask the merchant about it.',
  },
  zero: { why: 'It moved nothing.', todo: null },
  paid_elsewhere: {
    why: 'It paid another address.',
    todo: 'Look in your wallet where it was sent.',
  },
  set_aside: { why: 'The merchant has set it aside.', todo: 'Ask the merchant about it.' },
}
