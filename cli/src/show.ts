import type { Connection } from '@settlewire/client/watch'
import type { WireEvent } from '@settlewire/client/wire-event'
import type { PaymentIntent } from '@settlewire/core/wire'
import { chainName } from '@settlewire/core/words'

type Row = readonly [name: string, value: string | null]

/** Everything a person asks of a payment, a line each. */
export function showPayment(payment: PaymentIntent): readonly string[] {
  const { status, reason, flags, finality, visibility, currency } = payment
  const notes = [reason, ...flags].filter((note) => note !== null)
  const rows: readonly Row[] = [
    ['id', payment.id],
    ['status', notes.length === 0 ? status : `${status} (${notes.join(', ')})`],
    ['amount', `${payment.amount} ${currency}`],
    ['received', `${payment.amountReceived} ${currency}`],
    ['pending', isZero(payment.amountPending) ? null : `${payment.amountPending} ${currency}`],
    ['finality', finality === 'none' ? null : finality],
    ['visibility', visibility === 'ok' ? null : visibility],
    ['reference', payment.reference ?? null],
    ['created', payment.createdAt],
    ['expires', payment.expiresAt],
    ['settled', payment.settledAt],
    ...payment.accept.map(payTo),
    ...payment.transfers.map(transferRow),
    ...(payment.resolutions ?? []).map(
      ({ action, reason, actor, at }): Row => [
        'resolved',
        `${action} (${reason}) by ${actor} ${at}`,
      ],
    ),
    ['checkout', payment.checkoutUrl ?? null],
  ]
  return rows.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(11)}${value}`]))
}

const isZero = (amount: string): boolean => !/[1-9]/.test(amount)

const payTo = ({ asset, chain, address }: PaymentIntent['accept'][number]): Row => [
  'pay to',
  `${address} (${asset} on ${chainName(chain)})`,
]

const transferRow = (one: PaymentIntent['transfers'][number]): Row => {
  const deep = one.blockNumber === null ? [] : [depth(one)]
  return ['transfer', [one.amount, one.asset ?? '?', one.stage, ...deep, one.txHash].join(' ')]
}

const depth = (at: { confirmations: number; requiredConfirmations: number | null }): string =>
  `${at.confirmations}/${at.requiredConfirmations ?? 'final'}`

/** A payment in a line, for lists. */
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

/** An event in a line, as it happened. */
export function showEvent({ type, data }: WireEvent): string {
  const { sequence, status, receivedAmount, pendingAmount, expectedAmount, token } = data
  const parts = [
    String(sequence).padStart(3),
    type.replace('payment_intent.', '').padEnd(22),
    status.padEnd(22),
    `${receivedAmount}/${expectedAmount}${token === null ? '' : ` ${token}`}`,
    isZero(pendingAmount) ? '' : `+ ${pendingAmount} pending`,
    status === 'confirming' ? depth(data) : '',
    data.txHash ?? '',
    data.replacedTxHash === undefined ? '' : `instead of ${data.replacedTxHash}`,
    [data.reason ?? '', ...data.flags].join(' ').trim(),
  ]
  return parts.filter((part) => part !== '').join('  ')
}

/** What a watcher should know of the connection: only that which changes how far to trust it. */
export function showConnection({ state, transport, reason }: Connection): string | null {
  switch (state) {
    case 'current':
      return 'live'
    case 'fallback':
      return `no stream gets through; asking by ${transport.replace('_', '-')}`
    case 'stale':
    case 'reconnecting':
      return `not current, trying again${reason === null ? '' : ` (${reason})`}`
    case 'idle':
    case 'connecting':
    case 'paused':
    case 'ended':
      return null
  }
}
