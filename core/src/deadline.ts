import type { Instant } from './instant.ts'
import type { Payment } from './payment.ts'

/**
 * When the clock next has something to say of this payment: its expiry while the countdown runs,
 * then the end of the watch. Stored beside it as a row, so that no deadline dies with a process.
 */
export function nextDeadline(payment: Payment): Instant {
  const { expiresAt, monitorUntil } = payment.terms
  const countsDown = payment.status === 'awaiting' || payment.status === 'pending_expired'
  return countsDown ? expiresAt : monitorUntil
}
