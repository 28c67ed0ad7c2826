import { assert } from '../assert.ts'
import { toRfc3339OrNull } from '../instant.ts'
import { memo } from '../memo.ts'
import { printAmount } from '../money/amount.ts'
import type { Decision, EventData, Evidence, PaymentEvent, PaymentOpening } from './event.ts'
import { mergeAll, noFacts } from './facts.ts'
import { type Judgement, judge } from './judge.ts'
import type { Observation } from './observation.ts'
import { groupsIn, isByRead } from './observation-groups.ts'
import type { Facts, Payment } from './payment.ts'
import type { Policy } from './policy.ts'
import { replacementsIn, type TransactionReplacement } from './replacement.ts'
import { complete, isResolvable } from './resolve.ts'
import { type EventType, edges, isEdge, pathTo, type Status } from './status-model.ts'
import { movesMoney, publicTxHash } from './transaction.ts'
import { isIncluded } from './transfer.ts'

/** What a decision needs from outside. */
export interface Context {
  readonly policy: Policy
  /** The time of the decision: the `createdAt` of the events. */
  readonly at: number
  /** A new event id. */
  readonly mint: (at: number) => string
}

/** Every `pending` event carries this note, because it may be read without the documentation. */
const pendingNote = 'Seen in the mempool only. This is not a confirmation: do not fulfil on it.'

/** Opens a payment: its first event, sequence 1, status `awaiting`. */
export function open(paymentId: string, opening: PaymentOpening, context: Context): Decision {
  const { at, mint, policy } = context
  const { merchantId, livemode, transactionId, terms } = opening
  assert(terms.amount > 0n, 'a payment has a positive amount')
  assert(
    terms.tolerance >= 0n && terms.tolerance < terms.amount,
    'the tolerance is less than the amount',
  )
  assert(terms.accept.length > 0, 'a payment accepts at least one asset')
  const head = { eventId: mint(at), type: 'created' as const, at }
  const payment: Payment = {
    ...{ id: paymentId, merchantId, livemode, transactionId, createdAt: at, terms, facts: noFacts },
    ...{ sequence: 1, status: 'awaiting', flags: [], finality: 'none', received: 0n, pending: 0n },
    ...{ detectedAt: null, settledAt: null, reason: null, toldSuccess: false, head },
  }
  const judgement = judge(payment, policy)
  const event: PaymentEvent = {
    ...{ id: head.eventId, type: head.type, at },
    data: dataOf(payment, { judgement, previous: null, type: 'created' }),
    evidence: { facts: [opening], policy: policy.version },
  }
  return { events: [event], payment }
}

/**
 * The events that the observations of one step cause, in order, and the payment after them. Pure.
 * The observations of one group (`groupsIn`) are merged and judged together, once, however many
 * there are. Events for undone blocks come before events for new blocks, and each decision of a
 * person is judged by itself. Observations that add nothing yield no events and leave the payment
 * unchanged, so that the payment is always the fold of its events.
 */
export function decide(
  payment: Payment,
  observations: readonly Observation[],
  context: Context,
): Decision {
  const events: PaymentEvent[] = []
  let current = payment
  for (const together of groupsIn(observations)) {
    const decision = decideTogether(current, together, context)
    events.push(...decision.events)
    current = decision.payment
  }
  return { events, payment: current }
}

function decideTogether(
  payment: Payment,
  seen: readonly Observation[],
  context: Context,
): Decision {
  const nothing = { events: [], payment }
  const observations = seen
    .filter((one) => isWelcome(payment, one))
    .map((one) => (one.kind === 'resolved' ? complete(payment, one) : one))
  const { facts, kept } = mergeAll(payment.facts, observations, payment.terms)
  if (kept.length === 0) return nothing
  const before = judgementOf(payment, context.policy)
  const after = judge({ ...payment, facts }, context.policy)
  // Only a change of a transaction or a person takes a success back. A shorter branch above its
  // block does not, nor do rules that have become stricter since.
  if (payment.status === 'succeeded' && after.status !== 'succeeded' && kept.some(isByRead)) {
    const deeds = observations.filter((one) => !isByRead(one))
    return deeds.length === 0 ? nothing : decideTogether(payment, deeds, context)
  }
  const planned = plannedEvents({ payment, kept, facts }, before, after)
  if (planned.length === 0) return nothing
  const decision = makeEvents({ ...payment, facts }, planned, {
    context,
    judgement: after,
    evidence: { facts: kept, policy: context.policy.version },
  })
  judgements.set(decision.payment, { policy: context.policy, judgement: after })
  return decision
}

/** The events that a change causes, in order. */
function plannedEvents(
  change: Change,
  before: Judgement,
  after: Judgement,
): readonly PlannedEvent[] {
  const { payment } = change
  const path = wayTo(payment, after)
  const edges = path.map((to, i) => edgeEvent(path[i - 1] ?? payment.status, to, { change, after }))
  const planned = withReplacements(edges, change, { before, after })
  if (planned.length === 0) {
    const progress = progressEvent(change, before, after)
    if (progress !== null) planned.push({ type: progress, status: payment.status })
  }
  const becameFinal = after.finality === 'final' && payment.finality !== 'final'
  if (becameFinal && after.status === 'succeeded')
    planned.push({ type: 'finalized', status: 'succeeded' })
  return planned
}

/**
 * The statuses to pass. Money that needs more than one block passes `confirming`, even when one
 * step brings all blocks; not if success was emitted before, or if a person decided.
 */
function wayTo({ status, toldSuccess }: Payment, after: Judgement): readonly Status[] {
  const path = pathTo(status, after.status, after.through)
  assert(path !== null, `a way leads from ${status} to ${after.status}`)
  const isLeap = path[0] === 'succeeded' && edges[status].confirming !== null
  const isDeep = after.decisive?.requiredConfirmations !== 1
  const isByDepth = !toldSuccess && after.through === null && isDeep
  return isLeap && isByDepth && status !== 'confirming' ? ['confirming', ...path] : path
}

/**
 * Whether an observation applies. A decision of a person does only if there is something to
 * withdraw or to resolve, and the same decision only once.
 */
function isWelcome(payment: Payment, observation: Observation): boolean {
  if (observation.kind === 'withdrawn') return isCancellable(payment)
  if (observation.kind !== 'resolved') return true
  const { at, actor, action, reason } = observation
  const isKnown = (payment.facts.resolutions ?? []).some(
    (known) =>
      known.at === at &&
      known.actor === actor &&
      known.action === action &&
      known.reason === reason,
  )
  return !isKnown && isResolvable(payment, action)
}

/** Whether the merchant may still withdraw the request: no money was seen, and it is not closed. */
export const isCancellable = (payment: Payment): boolean =>
  edges[payment.status].cancelled === 'cancelled' && payment.received + payment.pending === 0n

/** The type and status of an event that is still to be made. */
export interface PlannedEvent {
  readonly type: EventType
  readonly status: Status
  /** Only for the type `replaced`. */
  readonly replacement?: TransactionReplacement
}

function edgeEvent(
  from: Status,
  to: Status,
  by: { change: Change; after: Judgement },
): PlannedEvent {
  const type = edges[from][to]
  assert(type !== null, `an edge leads from ${from} to ${to}`)
  const retraction = isUndoing(by.change) ? null : retractionOf(by)
  return {
    type: retraction !== null && isEdge(from, retraction, to) ? retraction : type,
    status: to,
  }
}

/**
 * The event type for money that stops counting without a reorg of its block; null for other
 * changes.
 */
function retractionOf({ change, after }: { change: Change; after: Judgement }): EventType | null {
  if (change.facts.resolutions !== change.payment.facts.resolutions) return 'resolved'
  return after.transfers.some(({ stage }) => stage === 'denied') ? 'updated' : null
}

interface Change {
  readonly payment: Payment
  /** The observations that added something. */
  readonly kept: readonly Observation[]
  /** The facts after the change. */
  readonly facts: Facts
}

const isUndoing = ({ kept }: Change): boolean => kept.some(({ kind }) => kind === 'reorged')

/**
 * The event type when the status stays: progress, a lost block, or changed amounts and flags. Every
 * fact about a transaction causes an event, also a mere change of its view: an observation without
 * an event is not stored, so it could not decide later. A head that only grew is read again anyway:
 * null.
 */
function progressEvent(change: Change, before: Judgement, after: Judgement): EventType | null {
  const { payment, facts } = change
  const learned = hasLearned(change)
  if (facts.resolutions !== payment.facts.resolutions) return 'resolved'
  if (isUndoing(change)) return 'reorged'
  // Once the decisive transfer is deep enough, more blocks are no progress.
  const isDeep = before.decisive?.deep === true && after.decisive?.deep === true
  const counted = !isDeep && before.decisive?.confirmations !== after.decisive?.confirmations
  if (payment.status === 'confirming' && counted) return 'confirming'
  const flagged = payment.flags.join() !== after.flags.join()
  const safer = payment.finality !== after.finality && after.finality === 'safe'
  // A settled part is an event too: it stays settled, whatever happens to the rest.
  const settled = settledIn(before) !== settledIn(after)
  const buried = finalAmongChains(before) !== finalAmongChains(after)
  return learned || flagged || safer || settled || buried ? 'updated' : null
}

const hasLearned = ({ payment, facts }: Change): boolean =>
  facts.transactions !== payment.facts.transactions

/**
 * Every replacement causes an event. If the replacement takes the payment back, the `replaced`
 * event is the edge itself, else it comes first. If the same facts are a reorg, the reorg comes
 * first.
 */
function withReplacements(
  edges: readonly PlannedEvent[],
  change: Change,
  { before, after }: { before: Judgement; after: Judgement },
): PlannedEvent[] {
  const { payment, facts } = change
  const type = 'replaced'
  const replacements = hasLearned(change) ? replacementsIn(facts, before, after) : []
  const at = (status: Status): PlannedEvent[] =>
    replacements.map((replacement) => ({ type, status, replacement }))
  const [first, ...others] = edges
  if (replacements.length === 0) return [...edges]
  if (isUndoing(change)) return [...edges, ...at(after.status)]
  const isTheWay = first !== undefined && isEdge(payment.status, type, first.status)
  return isTheWay ? [...at(first.status), ...others] : [...at(payment.status), ...edges]
}

const settledIn = ({ transfers }: Judgement): number =>
  transfers.filter((transfer) => transfer.settled).length

/**
 * How many parts of a payment on several chains are final. On one chain the head that makes the
 * last part final covers all parts; on several, each chain's head must be stored when it does.
 */
function finalAmongChains({ transfers }: Judgement): number {
  const counted = transfers.filter(({ stage }) => isIncluded(stage))
  const isOnSeveral = counted.some(({ chain }) => chain !== counted[0]?.chain)
  return isOnSeveral ? counted.filter(({ stage }) => stage === 'final').length : 0
}

/**
 * Remembered judgements, so that an observation costs one judgement instead of two: a payment that
 * received hundreds of small transfers must not delay other payments.
 */
const judgements = memo<Payment, { policy: Policy; judgement: Judgement }>()

function judgementOf(payment: Payment, policy: Policy): Judgement {
  const known = judgements.get(payment)
  if (known?.policy === policy) return known.judgement
  const judgement = judge(payment, policy)
  judgements.set(payment, { policy, judgement })
  return judgement
}

/** What the new events have in common: context, judgement and evidence. */
export interface EventBasis {
  readonly context: Context
  readonly judgement: Judgement
  readonly evidence: Evidence
}

/** Makes the events, and the payment after them. */
export function makeEvents(
  payment: Payment,
  planned: readonly PlannedEvent[],
  basis: EventBasis,
): Decision {
  const { context, judgement, evidence } = basis
  const events: PaymentEvent[] = []
  let current = payment
  for (const { type, status, replacement } of planned) {
    const previous = current.status
    const id = context.mint(context.at)
    current = follow(current, { id, type, status, at: context.at }, judgement)
    const data = dataOf(current, { judgement, previous, type, replacement })
    events.push({ id, type, at: context.at, data, evidence })
  }
  return { events, payment: current }
}

/** The payment after one event. The only place where its status, sums and flags change. */
export function follow(
  payment: Payment,
  event: { id: string; type: EventType; status: Status; at: number },
  judgement: Judgement,
): Payment {
  const { status } = event
  const succeededNow = status === 'succeeded'
  return {
    ...payment,
    sequence: payment.sequence + 1,
    status,
    flags: judgement.flags,
    finality: judgement.finality,
    received: judgement.received,
    pending: judgement.pending,
    reason: status === judgement.status ? judgement.reason : (passingReasons[status] ?? null),
    detectedAt: firstSeenIn(payment.facts),
    settledAt: succeededNow ? (payment.settledAt ?? event.at) : null,
    toldSuccess: payment.toldSuccess || succeededNow,
    head: { eventId: event.id, type: event.type, at: event.at },
  }
}

/** Reasons for statuses that a payment only passes through within one decision. */
const passingReasons: Readonly<Partial<Record<Status, string>>> = {
  pending_expired: 'transaction_dropped',
  investigation_required: 'resolved_by_person',
}

/**
 * The first sighting of money; null before it. Neither an unseen claim nor a rival transaction is
 * money.
 */
function firstSeenIn({ transactions }: Facts): number | null {
  let first: number | null = null
  for (const transaction of transactions) {
    const { seenAt } = transaction
    if (movesMoney(transaction)) first = Math.min(first ?? seenAt, seenAt)
  }
  return first
}

function dataOf(
  payment: Payment,
  step: {
    judgement: Judgement
    previous: Status | null
    type: EventType
    replacement?: TransactionReplacement | undefined
  },
): EventData {
  const { decimals, amount } = payment.terms
  const { replacement } = step
  const decisive = replacement === undefined ? step.judgement.decisive : replacement.by
  const reason = replacement?.reason ?? payment.reason
  return {
    id: payment.id,
    sequence: payment.sequence,
    status: payment.status,
    previousStatus: step.previous,
    txHash: publicTxHash(decisive?.txHash ?? null),
    chain: decisive?.chain ?? null,
    chainId: decisive?.accept?.chainId ?? null,
    token: decisive?.accept?.asset ?? null,
    confirmations: decisive?.confirmations ?? 0,
    requiredConfirmations: decisive?.requiredConfirmations ?? null,
    expectedAmount: printAmount(amount, decimals),
    pendingAmount: printAmount(payment.pending, decimals),
    receivedAmount: printAmount(payment.received, decimals),
    flags: payment.flags,
    finality: payment.finality,
    detectedAt: toRfc3339OrNull(payment.detectedAt),
    settledAt: toRfc3339OrNull(payment.settledAt),
    ...(reason === null ? {} : { reason }),
    ...(replacement && { replacedTxHash: replacement.txHash }),
    ...(step.type === 'pending' ? { note: pendingNote } : {}),
  }
}
