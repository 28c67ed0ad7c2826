/**
 * Why a payment has its status, where the status alone does not explain it. A `replaced` event has
 * one of the two reasons that begin with `replaced`.
 */
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
export type PaymentReason = (typeof reasons)[number]

/** What a payer reads, by reason. Reasons that a merchant wrote are not in this table. */
export const reasonWords: Readonly<Record<PaymentReason, string>> = {
  transaction_reverted: 'The network refused the transaction.',
  transaction_reorged: 'The network took the transaction back.',
  transaction_dropped: 'The network forgot the transaction before it was confirmed.',
  transaction_denied: 'The network does not show the transaction any more.',
  replaced_elsewhere: 'Your wallet replaced the transaction by one that does not pay this request.',
  replaced_still_pays: 'Your wallet replaced the transaction by another one that still pays.',
  paid_after_cancel: 'Money arrived after the merchant had withdrawn this request.',
  paid_after_watch: 'Money arrived long after this request had ended.',
  paid_after_failure: 'Money arrived after this payment had been given up.',
  reorged_after_success: 'The network rewrote the blocks that held your payment.',
  denied_after_success: 'The network does not show your payment any more.',
  sources_disagree:
    'Our views of the network disagree about this payment. The merchant looks at it.',
  resolved_by_person: 'The merchant has looked at it.',
  written_off: 'The payment was lost when the network rewrote its blocks.',
  internal_contradiction: 'A fault on our side keeps us from saying where this payment stands.',
}

const isReason = (code: string): code is PaymentReason => Object.keys(reasonWords).includes(code)

/** The payer's words for a reason; null for a merchant's own reason, or one of a newer version. */
export const reasonInWords = (code: string | null): string | null =>
  code !== null && isReason(code) ? reasonWords[code] : null
