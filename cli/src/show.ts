import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { decisionOf } from './show-decision.ts'

type LabelledValue = readonly [name: string, value: string | null]

/** A payment for a person, as lines. */
export function showPayment(
  payment: PaymentIntent,
  nameOf: (chain: string) => string,
): readonly string[] {
  const { status, reason, flags, finality, visibility, currency } = payment
  const notes = [reason, ...flags].filter((note) => note !== null)
  const { why, choices } = decisionOf(payment)
  const rows: readonly LabelledValue[] = [
    ['id', payment.id],
    ['status', notes.length === 0 ? status : `${status} (${notes.join(', ')})`],
    ...why.map((line): LabelledValue => ['why', line]),
    ...choices.map((line): LabelledValue => ['decide', line]),
    ['amount', `${payment.amount} ${currency}`],
    ['received', `${payment.amountReceived} ${currency}`],
    ['pending', isZero(payment.amountPending) ? null : `${payment.amountPending} ${currency}`],
    ['finality', finality === 'none' ? null : finality],
    ['visibility', visibility === 'ok' ? null : visibility],
    ['reference', payment.reference ?? null],
    ['created', payment.createdAt],
    ['expires', payment.expiresAt],
    ['settled', payment.settledAt],
    ...payment.accept.map((accept) => payTo(accept, nameOf)),
    ...payment.transfers.map(transferRow),
    ...(payment.resolutions ?? []).map(
      ({ action, reason, actor, at }): LabelledValue => [
        'resolved',
        `${action} (${reason}) by ${actor} ${at}`,
      ],
    ),
    ['checkout', payment.checkoutUrl ?? null],
  ]
  return rows.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(11)}${value}`]))
}

/** Whether a decimal amount is zero. */
export const isZero = (amount: string): boolean => !/[1-9]/.test(amount)

const payTo = (
  { asset, chain, address }: PaymentIntent['accept'][number],
  nameOf: (chain: string) => string,
): LabelledValue => ['pay to', `${address} (${asset} on ${nameOf(chain)})`]

const transferRow = (one: PaymentIntent['transfers'][number]): LabelledValue => {
  const deep = one.blockNumber === null ? [] : [depth(one)]
  return ['transfer', [one.amount, one.asset ?? '?', one.stage, ...deep, one.txHash].join(' ')]
}

/** How deep money is, and how deep it must be. */
export const depth = (at: {
  confirmations: number
  requiredConfirmations: number | null
}): string => `${at.confirmations}/${at.requiredConfirmations ?? 'final'}`

/** A payment as one line, for lists. */
export const showInLine = (payment: PaymentIntent): string =>
  [
    payment.id,
    payment.status.padEnd(22),
    `${payment.amountReceived}/${payment.amount} ${payment.currency}`.padEnd(24),
    payment.createdAt,
    payment.reference ?? '',
  ]
    .join('  ')
    .trimEnd()
