import { printAmount } from './amount.ts'
import { assert } from './assert.ts'
import type { Decision, EventData, Evidence, Opening, PaymentEvent } from './event.ts'
import { merge, noFacts } from './facts.ts'
import { toRfc3339OrNull } from './instant.ts'
import { type Judgement, judge } from './judge.ts'
import type { Observation } from './observation.ts'
import type { Facts, Payment } from './payment.ts'
import type { Policy } from './policy.ts'
import { type Replacement, replacementIn } from './replacement.ts'
import { complete, isResolvable } from './resolve.ts'
import { type EventType, edges, isEdge, pathTo, type Status } from './status-model.ts'
import { movesMoney, publicTxHash } from './transaction.ts'
import { isIncluded } from './transfer.ts'

/** What a decision needs from outside. */
export interface Context {
  readonly policy: Policy
  /** When it is decided: the `createdAt` of the events. */
  readonly at: number
  /** A new event id. */
  readonly mint: (at: number) => string
}

/** A mempool signal says so itself, wherever it is read. */
const pendingNote = 'Seen in the mempool only. This is not a confirmation: do not fulfil on it.'

/** Opens a payment: its first event, sequence 1, status `awaiting`. */
export function open(paymentId: string, opening: Opening, context: Context): Decision {
  const { at, mint, policy } = context
  const { merchantId, livemode, transactionId, terms } = opening
  assert(terms.amount > 0n, 'a payment asks for more than nothing')
  assert(terms.tolerance >= 0n && terms.tolerance < terms.amount, 'tolerance leaves an amount')
  assert(terms.accept.length > 0, 'a payment can be paid in some way')
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
    evidence: { fact: opening, policy: policy.version },
  }
  return { events: [event], payment }
}

/**
 * What an observation makes true: the events it causes, in order, and the payment after them. Pure.
 * An observation that says nothing new yields no events and leaves the payment as it was, so that
 * the payment is always the fold of its events.
 */
export function decide(payment: Payment, seen: Observation, context: Context): Decision {
  if (!isWelcome(payment, seen)) return { events: [], payment }
  const observation = seen.kind === 'resolved' ? complete(payment, seen) : seen
  const facts = merge(payment.facts, observation, payment.terms)
  const before = standingOf(payment, context.policy)
  const after = judge({ ...payment, facts }, context.policy)
  // Only what became of a transaction takes a success back, or a person. A branch that is shorter
  // above its block does not, nor do rules that have grown stricter since.
  const isLost = payment.status === 'succeeded' && after.status !== 'succeeded'
  const isByRead = observation.kind === 'head' || observation.kind === 'clock'
  if (isLost && isByRead) return { events: [], payment }
  const path = pathTo(payment.status, after.status, after.through)
  assert(path !== null, `a way leads from ${payment.status} to ${after.status}`)

  const told: Told[] = path.map((to, i) => edgeEvent(path[i - 1] ?? payment.status, to))
  const change = { payment, observation, facts }
  tellReplacement(told, change, { before, after })
  if (told.length === 0) {
    const progress = progressEvent(change, before, after)
    if (progress !== null) told.push({ type: progress, status: payment.status })
  }
  const becameFinal = after.finality === 'final' && payment.finality !== 'final'
  if (becameFinal && after.status === 'succeeded')
    told.push({ type: 'finalized', status: 'succeeded' })
  if (told.length === 0) return { events: [], payment }

  return tell({ ...payment, facts }, told, {
    context,
    judgement: after,
    evidence: { fact: observation, policy: context.policy.version },
  })
}

/** Whether it may be said of the payment as it stands: there is something to withdraw or to resolve. */
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

/** Whether the merchant may still withdraw the request: no money was seen, and it is not over. */
export const isCancellable = (payment: Payment): boolean =>
  edges[payment.status].cancelled === 'cancelled' && payment.received + payment.pending === 0n

interface Told {
  readonly type: EventType
  readonly status: Status
  /** With `replaced` only. */
  readonly replacement?: Replacement
}

function edgeEvent(from: Status, to: Status): Told {
  const type = edges[from][to]
  assert(type !== null, `an edge leads from ${from} to ${to}`)
  return { type, status: to }
}

interface Change {
  readonly payment: Payment
  readonly observation: Observation
  /** After it. */
  readonly facts: Facts
}

/**
 * What to say when the status stays: progress, a block lost, or amounts and flags. Every fact about a
 * transaction is worth an event, also the view that ordered it: what is not told is not kept, and
 * what is not kept could not decide later. A head that grew is read again anyway.
 */
function progressEvent(change: Change, before: Judgement, after: Judgement): EventType | null {
  const { payment, observation, facts } = change
  const learned = hasLearned(change)
  if (facts.resolutions !== payment.facts.resolutions) return 'resolved'
  if (learned && observation.kind === 'reorged') return 'reorged'
  const counted = before.decisive?.confirmations !== after.decisive?.confirmations
  if (payment.status === 'confirming' && counted) return 'confirming'
  const flagged = payment.flags.join() !== after.flags.join()
  const safer = payment.finality !== after.finality && after.finality === 'safe'
  // A part that settles is worth saying too: it stays, whatever becomes of the rest.
  const settled = settledIn(before) !== settledIn(after)
  const buried = finalAmongChains(before) !== finalAmongChains(after)
  return learned || flagged || safer || settled || buried ? 'updated' : null
}

const hasLearned = ({ payment, facts }: Change): boolean =>
  facts.transactions !== payment.facts.transactions

/**
 * A replacement is always told: by the edge itself where it takes the payment back, beside it where
 * it does not. Where the same fact is a reorg, that is told first.
 */
function tellReplacement(
  told: Told[],
  change: Change,
  { before, after }: { before: Judgement; after: Judgement },
): void {
  const { payment, observation, facts } = change
  const replacement = hasLearned(change) ? replacementIn(facts, before, after) : null
  if (replacement === null) return
  const type = 'replaced'
  const [first] = told
  if (observation.kind === 'reorged') told.push({ type, status: after.status, replacement })
  else if (first !== undefined && isEdge(payment.status, type, first.status))
    told[0] = { type, status: first.status, replacement }
  else told.unshift({ type, status: payment.status, replacement })
}

const settledIn = ({ transfers }: Judgement): number =>
  transfers.filter((transfer) => transfer.settled).length

/**
 * Of a payment that was paid on several chains, the parts that are final. On one chain the head that
 * makes the last part final speaks for all; here each chain's own head must be kept when it does.
 */
function finalAmongChains({ transfers }: Judgement): number {
  const counted = transfers.filter(({ stage }) => isIncluded(stage))
  const isOnSeveral = counted.some(({ chain }) => chain !== counted[0]?.chain)
  return isOnSeveral ? counted.filter(({ stage }) => stage === 'final').length : 0
}

/**
 * Judgements of payments as they were left, so that an observation costs one and not two: a payment
 * that somebody sprinkles with hundreds of transfers must not hold up the others.
 */
const standings = new WeakMap<Payment, { policy: Policy; judgement: Judgement }>()

function standingOf(payment: Payment, policy: Policy): Judgement {
  const known = standings.get(payment)
  if (known?.policy === policy) return known.judgement
  const judgement = judge(payment, policy)
  standings.set(payment, { policy, judgement })
  return judgement
}

interface Telling {
  readonly context: Context
  readonly judgement: Judgement
  readonly evidence: Evidence
}

function tell(payment: Payment, told: readonly Told[], telling: Telling): Decision {
  const { context, judgement, evidence } = telling
  const events: PaymentEvent[] = []
  let current = payment
  for (const { type, status, replacement } of told) {
    const previous = current.status
    const id = context.mint(context.at)
    current = follow(current, { id, type, status, at: context.at }, judgement)
    const data = dataOf(current, { judgement, previous, type, replacement })
    events.push({ id, type, at: context.at, data, evidence })
  }
  standings.set(current, { policy: context.policy, judgement })
  return { events, payment: current }
}

/** The payment after one event. The only place where its standing changes. */
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

/** Why a status is told that is left in the same breath. */
const passingReasons: Readonly<Partial<Record<Status, string>>> = {
  pending_expired: 'transaction_dropped',
  investigation_required: 'resolved_by_person',
}

/** A claim that no node confirms is no money, and neither is a transaction that only stands in the way. */
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
  told: {
    judgement: Judgement
    previous: Status | null
    type: EventType
    replacement?: Replacement | undefined
  },
): EventData {
  const { decimals, amount } = payment.terms
  const { replacement } = told
  const decisive = replacement === undefined ? told.judgement.decisive : replacement.by
  const reason = replacement?.reason ?? payment.reason
  return {
    id: payment.id,
    sequence: payment.sequence,
    status: payment.status,
    previousStatus: told.previous,
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
    ...(told.type === 'pending' ? { note: pendingNote } : {}),
  }
}
