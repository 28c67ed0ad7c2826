import type { Kind } from '../history/subject-kind.ts'
import { nextDeadline } from './deadline.ts'
import type { Decision } from './event.ts'
import { foldableOf, prefix, textsOf } from './event-text.ts'
import { applyAll } from './fold.ts'
import type { Payment } from './payment.ts'
import { paymentOf, projectionOf } from './payment-rows.ts'
import { statuses } from './status-model.ts'

/** Payment intents: requests for money. `decide.ts` has their rules. */
export const paymentKind: Kind<Payment, Decision> = {
  name: 'payment_intent',
  prefix,
  statuses,
  identify: (payment) => payment,
  decided: ({ payment, events }) => ({ state: payment, events: events.map(textsOf) }),
  project: projectionOf,
  revive: paymentOf,
  apply: (payment, events, policyOf) => applyAll(payment, events.map(foldableOf), policyOf),
  nextDeadline,
}
