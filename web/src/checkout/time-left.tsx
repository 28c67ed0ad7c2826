import type { Instant } from '@settlewire/core/instant'
import { statusTable } from '@settlewire/core/payment/status-model'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import type { ReactNode } from 'react'
import { Sentence } from './sentence.tsx'
import { dateAndTime, remaining, timeOfDay } from './time.ts'
import { words } from './words.ts'

interface Props {
  readonly payment: PaymentIntent
  readonly countsDown: boolean
  /** Nothing expires while a chain cannot be seen, so there is no countdown. */
  readonly isBlind: boolean
  readonly serverNow: Instant
}

const soonMs = 120_000

/** The countdown while it applies; otherwise when to pay, or when it was seen, paid or ended. */
export function TimeLeft({ payment, countsDown, isBlind, serverNow }: Props): ReactNode {
  const still = (text: string) => (
    <p className="time">
      <Sentence text={text} />
    </p>
  )
  if (!countsDown || isBlind) return still(stillText(payment))
  const leftMs = Date.parse(payment.expiresAt) - serverNow
  return (
    <p className="time" {...(leftMs < soonMs && { 'data-soon': true })}>
      {words.timeLeft}{' '}
      <span role="timer" aria-live="off" className="figure" translate="no">
        {remaining(leftMs)}
      </span>
    </p>
  )
}

function stillText({ status, settledAt, detectedAt, expiresAt }: PaymentIntent): string {
  if (settledAt !== null && status === 'succeeded') {
    return words.paidAt(dateAndTime(Date.parse(settledAt)))
  }
  const expiry = dateAndTime(Date.parse(expiresAt))
  if (status === 'expired') return words.endedAt(expiry)
  // Also when the time is up: the server has still to look whether a payment was sent in time.
  if (statusTable[status].countsDown) return words.payBy(expiry)
  return detectedAt === null ? '\u00a0' : words.seenAt(timeOfDay(Date.parse(detectedAt)))
}
