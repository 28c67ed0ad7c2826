import type { Instant } from '../instant.ts'
import type { Observation } from './observation.ts'
import type { ChainId, Payment, Terms } from './payment.ts'
import type { EventType, Finality, Flag, Status } from './status-model.ts'

/** The public half of an event: the same bytes on every transport. The order of keys is fixed. */
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
  /**
   * The reason of the status, if it has one; on `replaced`, whether the new transaction still pays.
   */
  readonly reason?: string
  /** On `replaced` only: the transaction that is no longer expected; `txHash` is the new one. */
  readonly replacedTxHash?: string
  /** On `pending` only: warns that a mempool signal is no confirmation. */
  readonly note?: string
}

/** The first fact of a payment: the merchant, the mode and the terms. */
export interface PaymentOpening {
  readonly kind: 'opened'
  readonly merchantId: string
  readonly livemode: boolean
  readonly transactionId: string
  readonly terms: Terms
}

/**
 * The private half: the facts behind an event, and the policy version of its judgement. Never
 * leaves the server.
 */
export interface Evidence {
  /** All observations of the event, in order. The opening is alone, in the first event. */
  readonly facts: readonly (PaymentOpening | Observation)[]
  readonly policy: string
}

/** An event that `decide` proposes, before the store assigns its position. */
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

/** The result of a decision: the events, and the payment after them. No events: nothing changed. */
export interface Decision {
  readonly events: readonly PaymentEvent[]
  readonly payment: Payment
}
