import type { Status } from '../payment/status-model.ts'
import { mayStillArrive, type StatusValues } from './words.ts'

const giveId = 'When you contact the merchant, give them the payment id below.'

/** The steps by status; for statuses with a countdown: the steps when the time is up. */
const stepsBy = (startAgain: string): Readonly<Record<Status, readonly string[]>> => ({
  awaiting: [`Not sent yet? ${startAgain}`],
  pending_detected: [],
  confirming: [],
  succeeded: [],
  pending_expired: [`Is it cancelled? ${startAgain}`],
  expired: [`Not sent yet? Do not send now. ${startAgain}`],
  cancelled: [giveId],
  failed: [startAgain, giveId],
  investigation_required: ['The outcome shows here later.', giveId],
})

/**
 * What the payer can do now, for a payment that has stopped or whose time is up. `startAgain` is
 * the page's own sentence that asks for a new payment.
 */
export function nextSteps(
  payment: Pick<StatusValues, 'status' | 'reason' | 'flags'>,
  startAgain: string,
): readonly string[] {
  const steps = stepsBy(startAgain)
  if (mayStillArrive(payment)) return steps.pending_expired
  return payment.flags.includes('underpaid') ? [giveId] : steps[payment.status]
}
