import type { Notice } from './flag-words.ts'

/** Why a payment stands where it does, where the status alone does not say. */
export const reasons = [
  'transaction_reverted',
  'transaction_reorged',
  'transaction_dropped',
  'transaction_denied',
  'replaced_elsewhere',
  'replaced_still_pays',
  'paid_after_cancel',
  'paid_after_watch',
  'paid_after_failure',
  'reorged_after_success',
  'denied_after_success',
  'sources_disagree',
  'resolved_by_person',
  'written_off',
  'internal_contradiction',
] as const
export type Reason = (typeof reasons)[number]

/** Nobody has to do anything. */
const noted = { needsPerson: false, choices: [] } as const

/** Every reason in words. A reason that a merchant wrote is not in here. Printed to states.md. */
export const reasonTable: Readonly<Record<Reason, Notice & { readonly payer: string }>> = {
  transaction_reverted: {
    payer: 'The network refused the transaction.',
    operator: 'It failed in its block and moved nothing. The payer was charged its fee at most.',
    ...noted,
  },
  transaction_reorged: {
    payer: 'The network took the transaction back.',
    operator: 'Its block is no longer on the chain, and no pool holds it. It may come again.',
    ...noted,
  },
  transaction_dropped: {
    payer: 'The network has forgotten the transaction before it was confirmed.',
    operator: 'It was pending for too long, and no provider knows it. It may still be mined.',
    ...noted,
  },
  transaction_denied: {
    payer: 'The network does not show the transaction any more.',
    operator:
      'Each provider that was asked denies that its block holds it. It counts again once one shows it.',
    ...noted,
  },
  replaced_elsewhere: {
    payer: 'Your wallet replaced the transaction by one that does not pay this request.',
    operator: 'Its place in the order of its sender was taken by one that pays us nothing.',
    ...noted,
  },
  replaced_still_pays: {
    payer: 'Your wallet replaced the transaction by another one that still pays.',
    operator: 'It was sped up. The new transaction pays as well, and is followed instead.',
    ...noted,
  },
  paid_after_cancel: {
    payer: 'Money arrived after the merchant had withdrawn this request.',
    operator: 'It was paid after it was withdrawn. Accept it, or refund it and note that.',
    needsPerson: true,
    choices: ['accept', 'refund_noted', 'dismiss'],
  },
  paid_after_watch: {
    payer: 'Money arrived long after this request had ended.',
    operator: 'It was paid after `monitorUntil`. Accept it, or refund it and note that.',
    needsPerson: true,
    choices: ['accept', 'refund_noted', 'dismiss'],
  },
  paid_after_failure: {
    payer: 'Money arrived after this payment had been given up.',
    operator: 'It was written off, and the money came all the same. Accept it, or refund it.',
    needsPerson: true,
    choices: ['accept', 'refund_noted', 'dismiss'],
  },
  reorged_after_success: {
    payer: 'The network rewrote the blocks that held your payment.',
    operator: 'Success was told, then its block was lost. It heals itself if it is mined again.',
    needsPerson: true,
    choices: ['accept', 'wait', 'dismiss'],
  },
  denied_after_success: {
    payer: 'The network does not show your payment any more.',
    operator:
      'Success was told, and now each provider denies its money. It heals itself once enough show it.',
    needsPerson: true,
    choices: ['accept', 'wait', 'dismiss'],
  },
  sources_disagree: {
    payer: 'Our views of the network disagree about this payment. The merchant looks at it.',
    operator:
      'Until `monitorUntil` providers denied its money, or too few showed it. Look it up elsewhere, then decide.',
    needsPerson: true,
    choices: ['accept', 'wait', 'refund_noted', 'dismiss'],
  },
  resolved_by_person: {
    payer: 'The merchant has looked at it.',
    operator: 'A person decided, and the payment moves on in the same moment.',
    ...noted,
  },
  written_off: {
    payer: 'The payment was lost when the network rewrote its blocks.',
    operator: 'A person gave up a success whose money was lost. Money that comes reopens it.',
    ...noted,
  },
  internal_contradiction: {
    payer: 'A fault on our side keeps us from saying where this payment stands. Do not pay again.',
    operator:
      'A fault of Settlewire: what was observed is held and tried again. Report it with its log line.',
    ...noted,
  },
}

const isReason = (code: string): code is Reason => Object.hasOwn(reasonTable, code)

/** What is known of a reason; null for one in a merchant's own words, or of a newer version. */
export const describeReason = (code: string | null): (typeof reasonTable)[Reason] | null =>
  code !== null && isReason(code) ? reasonTable[code] : null
