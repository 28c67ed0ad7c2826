import type { Instant } from '@settlewire/core/instant'
import { parseAmount, printAmount } from '@settlewire/core/money/amount'
import { type Status, statusTable } from '@settlewire/core/payment/status-model'
import type { PaymentIntent, WireTransfer } from '@settlewire/core/wire/wire'
import { flagNotesOf } from '@settlewire/core/words/flag-words'
import { nextSteps } from '@settlewire/core/words/next-steps'
import { uncountedOf, whyUncounted } from '@settlewire/core/words/uncounted'
import { chainName, type StatusValues, statusWords } from '@settlewire/core/words/words'

/**
 * What the shop shows about an order: the words of the checkout, and what the order adds to them.
 */
export interface OrderWords {
  readonly title: string
  readonly text: string
  /** About the order itself; null where the payment's words say it all. */
  readonly ofOrder: string | null
  /** Sentences beside the status: about its flags, and about chains that are not fully seen. */
  readonly notes: readonly string[]
  /** Money that came and does not count, each with the reason and what to do about it. */
  readonly uncounted: readonly { readonly came: string; readonly why: string }[]
  /** What to do now, once the payment has stopped or its time is up. */
  readonly steps: readonly string[]
  /** Whether the customer may start again. */
  readonly startsAgain: boolean
  /** The link to the payment's page; null once the payment is closed, or its watch is over. */
  readonly toPayment: 'Back to payment' | 'See the payment' | null
  /** Whether nothing can change the payment, so that the page need not reload. */
  readonly isAtRest: boolean
}

/** Pure. `now` is the server's time. */
export function orderWords(payment: PaymentIntent, now: Instant): OrderWords {
  const { status } = payment
  const values = valuesOf(payment, now)
  const text = statusWords[status].text(values)
  const steps = hasStopped(values) ? nextSteps(payment, startOrder) : []
  const listed = uncountedOf(payment).slice(0, uncountedMax)
  const isOver =
    statusTable[status].life === 'closed' || (status === 'expired' && values.watchedUntil === null)
  const isToPay = statusTable[status].countsDown && !values.isTimeUp
  return {
    ...{ text, steps, title: statusWords[status].title(values) },
    ofOrder: values.isTimeUp ? null : ofOrder[status],
    notes: [...flagNotesOf(payment, text, listed), ...sightNoteOf(payment)],
    uncounted: listed.map((one) => ({ came: cameBy(one), why: whyUncounted(one) })),
    startsAgain: steps.some((one) => one.includes(startOrder)),
    toPayment: isOver ? null : isToPay ? 'Back to payment' : 'See the payment',
    isAtRest: isOver && (status !== 'succeeded' || payment.finality === 'final'),
  }
}

/** The shop ships only on `succeeded`. */
const ofOrder: Readonly<Record<Status, string | null>> = {
  awaiting: 'We ship once it is paid.',
  pending_detected: 'We ship once it is paid.',
  pending_expired: null,
  confirming: 'We ship once it is paid.',
  succeeded: 'Thank you. If this were a real shop, a parcel would be leaving now.',
  expired: null,
  cancelled: null,
  failed: null,
  investigation_required: null,
}

/** Where the checkout asks to go back to the shop. */
const startOrder = 'Start a new order.'

/** The statuses in which the checkout shows the next steps. */
const stopped: ReadonlySet<Status> = new Set([
  ...(['expired', 'cancelled', 'failed', 'investigation_required'] as const),
])

const hasStopped = ({ status, isTimeUp }: StatusValues): boolean => stopped.has(status) || isTimeUp

/** The values for core's words. */
function valuesOf(payment: PaymentIntent, now: Instant): StatusValues {
  const { status, reason, flags, currency, amount, amountReceived, amountPending } = payment
  const decimals = Math.max(...[amount, amountReceived, amountPending].map(placesOf), 2)
  const units = (text: string): bigint => parseAmount(text, decimals)
  const seen = units(amountReceived) + units(amountPending)
  const missing = units(amount) - seen
  const behind = furthestBehind(payment)
  return {
    ...{ status, reason, flags, currency, amount, received: amountReceived },
    seen: printAmount(seen, decimals),
    missing: printAmount(missing > 0n ? missing : 0n, decimals),
    confirmations: behind?.confirmations ?? 0,
    requiredConfirmations: behind?.requiredConfirmations ?? null,
    aboutSeconds: null,
    watchedUntil: now < Date.parse(payment.monitorUntil) ? timeOf(payment.monitorUntil) : null,
    // The page reloads every two seconds, so only the chains decide.
    isLive: sightNoteOf(payment).length === 0,
    isTimeUp: statusTable[status].countsDown && now >= Date.parse(payment.expiresAt),
  }
}

const placesOf = (amount: string): number => amount.split('.')[1]?.length ?? 0

/** `22 Nov, 12:03 UTC`: the shop does not know the zone of its customer. */
const calendar = new Intl.DateTimeFormat('en-GB', {
  ...({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' } as const),
  ...({ hourCycle: 'h23', timeZone: 'UTC' } as const),
})
const timeOf = (text: string): string => `${calendar.format(Date.parse(text))} UTC`

const live: ReadonlySet<WireTransfer['stage']> = new Set([
  ...(['mempool', 'preconfirmed', 'included', 'safe', 'final'] as const),
])

/** The transfer that delays the payment; without one that is expected or in a block, the last. */
function furthestBehind({ transfers }: PaymentIntent): WireTransfer | undefined {
  const [behind] = transfers
    .filter(({ stage }) => live.has(stage))
    .toSorted((a, b) => a.confirmations - b.confirmations)
  return behind ?? transfers.at(-1)
}

/** A sentence while a chain is not fully seen and the payment depends on it. */
function sightNoteOf({ status, finality, visibility }: PaymentIntent): readonly string[] {
  const isPaid = status === 'succeeded'
  const isSettled = statusTable[status].life === 'closed' && (!isPaid || finality === 'final')
  if (visibility === 'ok' || isSettled || (isPaid && visibility !== 'blind')) return []
  if (visibility === 'degraded') return ['We see a network of this payment later than usual.']
  const isSeen = isPaid || status === 'pending_detected' || status === 'confirming'
  return [
    isSeen
      ? 'We cannot see a network of this payment right now; the final state shows here later.'
      : 'We cannot see a network of this payment right now; your payment is safe, it will be found.',
  ]
}

/** The page lists at most this many, because anyone can send small transfers. */
const uncountedMax = 5

function cameBy({ asset, units, decimals, count, ignored, chain }: WireTransfer): string {
  const isKnown = asset !== null && units !== undefined && typeof decimals === 'number'
  const what = isKnown ? `${printAmount(BigInt(units), decimals)} ${asset}` : 'An unknown token'
  const all = count === undefined ? what : `${what} in ${count} transfers`
  return `${ignored === 'paid_elsewhere' ? 'A transaction' : all} came on ${chainName(chain)}.`
}
