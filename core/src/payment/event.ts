import type { Instant } from '../instant.ts'
import type { Observation } from './observation.ts'
import type { ChainId, Payment, Terms } from './payment.ts'
import type { EventType, Finality, Flag, Status } from './status-model.ts'

/** The public half of an event: the same bytes on every transport. Key order is part of it. */
export interface EventData {
  readonly id: string
  readonly sequence: number
  readonly status: Status
  readonly previousStatus: Status | null
  readonly txHash: string | null
  readonly chain: string | null
  readonly chainId: ChainId | null
  readonly token: string | null
  readonly confirmations: number
  readonly requiredConfirmations: number | null
  readonly expectedAmount: string
  readonly pendingAmount: string
  readonly receivedAmount: string
  readonly flags: readonly Flag[]
  readonly finality: Finality
  readonly detectedAt: string | null
  readonly settledAt: string | null
  /** Why, when the status needs a reason; on `replaced`, whether the new transaction still pays. */
  readonly reason?: string
  /** On `replaced` only: the transaction that is not expected any more; `txHash` is the new one. */
  readonly replacedTxHash?: string
  /** On `pending` only: a mempool signal is no confirmation. */
  readonly note?: string
}

/** Who is asked for what: the first fact of a payment. */
export interface Opening {
  readonly kind: 'opened'
  readonly merchantId: string
  readonly livemode: boolean
  readonly transactionId: string
  readonly terms: Terms
}

/** The private half: what made the event true, and the policy version that judged it. Never leaves the server. */
export interface Evidence {
  /** All that was learned with it, in order. The opening stands alone, in the first event. */
  readonly facts: readonly (Opening | Observation)[]
  readonly policy: string
}

/** What `decide` proposes: an event before the store has given it a place. */
export interface Proposed {
  readonly type: EventType
  readonly at: Instant
  readonly data: EventData
  readonly evidence: Evidence
}

/** An event of one payment, with its id. `data.sequence` is its place in the payment. */
export interface PaymentEvent extends Proposed {
  readonly id: string
}

/** What a decision yields: the events, and the payment after them. No events means nothing changed. */
export interface Decision {
  readonly events: readonly PaymentEvent[]
  readonly payment: Payment
}
