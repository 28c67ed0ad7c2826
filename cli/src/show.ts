import type { WireEvent } from '@settlewire/client/wire-event'
import { timeOf } from '@settlewire/core/id'
import { toRfc3339 } from '@settlewire/core/instant'
import type { PaymentIntent } from '@settlewire/core/wire/wire'

type LabelledValue = readonly [name: string, value: string | null]

/** A payment for a person, as lines. */
export function showPayment(
  payment: PaymentIntent,
  nameOf: (chain: string) => string,
): readonly string[] {
  const { status, reason, flags, finality, visibility, currency } = payment
  const notes = [reason, ...flags].filter((note) => note !== null)
  const rows: readonly LabelledValue[] = [
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

const isZero = (amount: string): boolean => !/[1-9]/.test(amount)

const payTo = (
  { asset, chain, address }: PaymentIntent['accept'][number],
  nameOf: (chain: string) => string,
): LabelledValue => ['pay to', `${address} (${asset} on ${nameOf(chain)})`]

const transferRow = (one: PaymentIntent['transfers'][number]): LabelledValue => {
  const deep = one.blockNumber === null ? [] : [depth(one)]
  return ['transfer', [one.amount, one.asset ?? '?', one.stage, ...deep, one.txHash].join(' ')]
}

const depth = (at: { confirmations: number; requiredConfirmations: number | null }): string =>
  `${at.confirmations}/${at.requiredConfirmations ?? 'final'}`

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

/** The columns of event lines: names and widths. */
const columns = [
  ['#', 3],
  ['time (UTC)', 19],
  ['event', 22],
  ['status', 22],
  ['received', 20],
  ['depth', 7],
  ['details', 0],
] as const

/** A line of cells, one for each column. */
export const inColumns = (cells: readonly string[]): string =>
  cells
    .map((cell, at) =>
      at === 0 ? cell.padStart(columns[0][1]) : cell.padEnd(columns[at]?.[1] ?? 0),
    )
    .join('  ')
    .trimEnd()

/** The header line of events. */
export const eventHead = inColumns(columns.map(([name]) => name))

/** An event as one line. */
export function showEvent({ id, type, data }: WireEvent): string {
  const { sequence, status, receivedAmount, pendingAmount, expectedAmount, token, finality } = data
  const details = [
    isZero(pendingAmount) ? '' : `+ ${pendingAmount} pending`,
    data.txHash ?? '',
    data.replacedTxHash === undefined ? '' : `instead of ${data.replacedTxHash}`,
    [data.reason ?? '', ...data.flags].join(' ').trim(),
    finality === 'none' ? '' : `finality ${finality}`,
  ]
  return inColumns([
    String(sequence),
    momentOf(id),
    type.replace('payment_intent.', ''),
    status,
    `${receivedAmount}/${expectedAmount}${token === null ? '' : ` ${token}`}`,
    status === 'confirming' ? depth(data) : '',
    details.filter((part) => part !== '').join('  '),
  ])
}

/** The time to the second, from the id of the event, which every transport carries. */
function momentOf(eventId: string): string {
  const at = timeOf('evt', eventId)
  return at === null ? '' : toRfc3339(at).slice(0, 19).replace('T', ' ')
}
