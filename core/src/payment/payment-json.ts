import { type Plain, plain, revive } from '../history/plain-json.ts'
import type { Evidence } from './event.ts'
import type { Payment } from './payment.ts'

/** The JSON form of a payment, for its projection row. */
export const paymentToJson = (payment: Payment): Plain<Payment> => plain(payment) as Plain<Payment> // `plain` is the definition of `Plain`

/** Restores what `paymentToJson` wrote. The row never left the server, so it is trusted. */
export const paymentFromJson = (json: unknown): Payment => revive(json) as Payment // see above

/** The JSON form of an event's evidence. */
export const evidenceToJson = (evidence: Evidence): Plain<Evidence> =>
  plain(evidence) as Plain<Evidence> // as for payments

/** Restores what `evidenceToJson` wrote. */
export const evidenceFromJson = (json: unknown): Evidence => revive(json) as Evidence // as for payments
