import type { Instant } from '../instant.ts'
import type { Facts, Payment, Stage, Terms, Transfer } from './payment.ts'
import type { Policy } from './policy.ts'
import { deadlineOf, type ResolutionsInForce, resolutionsInForce } from './resolution.ts'
import { type Finality, type Flag, flags, type Status } from './status-model.ts'
import { canonicalInclusion, deniedInclusion, transactionName } from './transaction.ts'
import { isExpected, isIncluded, isMereClaim, transfersOf } from './transfer.ts'

/** What the facts mean under a policy. */
export interface Judgement {
  readonly status: Status
  /** The status to pass through when no edge leads there directly. */
  readonly through: Status | null
  readonly flags: readonly Flag[]
  readonly finality: Finality
  readonly received: bigint
  readonly pending: bigint
  readonly reason: string | null
  /** All known transfers. */
  readonly transfers: readonly Transfer[]
  /** The transfer that delays the payment, or changed it last; null without any. */
  readonly decisive: Transfer | null
}

/** What is judged. Without a status it is judged as a payment that has not succeeded yet. */
export interface JudgedPayment {
  readonly terms: Terms
  readonly facts: Facts
  readonly toldSuccess: boolean
  readonly status?: Status
}

/**
 * The status model as a function. Of the history it needs only whether success was emitted and
 * still stands. Money decides before time, time decides only after every accepted chain was read
 * past it, and people decide what neither can.
 */
export function judge(payment: JudgedPayment, policy: Policy): Judgement {
  const transfers = transfersOf(payment, policy)
  const included = transfers.filter((transfer) => isIncluded(transfer.stage))
  const pending = transfers.filter((transfer) => isExpected(transfer.stage))
  const sums: Sums = {
    required: payment.terms.amount - payment.terms.tolerance,
    received: sum(included),
    pending: sum(pending),
    settled: sum(included.filter((transfer) => transfer.settled && isInTime(transfer, payment))),
    dropped: sum(transfers.filter((transfer) => transfer.stage === 'dropped')),
    denied: sum(transfers.filter((transfer) => transfer.stage === 'denied')),
  }
  const inForce = resolutionsInForce(payment.facts)
  const money = { included, pending, sums, transfers }
  const found = statusOf(payment, money, inForce)
  return {
    ...found,
    finality: finalityOf(included, enoughOf(sums, inForce)),
    flags: flagsOf({ ...payment, status: found.status }, money, policy),
    received: sums.received,
    pending: sums.pending,
    transfers,
    decisive: decisiveOf(money),
  }
}

interface Sums {
  readonly required: bigint
  /** In canonical blocks. */
  readonly received: bigint
  readonly pending: bigint
  /** The part of `received` that is certain under the policy and did not come after the watch. */
  readonly settled: bigint
  /** Was pending, and no provider knows it any more. */
  readonly dropped: bigint
  /** Was in blocks according to sources that now deny it. */
  readonly denied: bigint
}

interface Money {
  readonly included: readonly Transfer[]
  readonly pending: readonly Transfer[]
  readonly transfers: readonly Transfer[]
  readonly sums: Sums
}

const sum = (transfers: readonly Transfer[]): bigint =>
  transfers.reduce((total, transfer) => total + transfer.amount, 0n)

/** Money after the end of the watch reopens nothing: a person decides about it. */
const isInTime = (transfer: Transfer, { terms }: JudgedPayment): boolean =>
  firstKnownAt(transfer) <= terms.monitorUntil

type StatusVerdict = Pick<Judgement, 'status' | 'reason' | 'through'>

const verdict = (
  status: Status,
  reason: string | null = null,
  through: Status | null = null,
): StatusVerdict => ({ status, reason, through })

/** Whether observations are held because an internal fault prevented their judgement. */
export const isQuarantined = ({ facts }: { readonly facts: Facts }): boolean =>
  (facts.held ?? []).length > 0

/**
 * The judgement when judging fails: amounts and flags stay, and the status asks for investigation.
 */
export const unjudged = (payment: Pick<Payment, 'flags' | 'received' | 'pending'>): Judgement => ({
  ...unclear('internal_contradiction'),
  ...{ flags: payment.flags, received: payment.received, pending: payment.pending },
  ...{ finality: 'none', transfers: [], decisive: null },
})

const unclear = (reason: string): StatusVerdict => verdict('investigation_required', reason)

function statusOf(
  payment: JudgedPayment,
  money: Money,
  inForce: ResolutionsInForce,
): StatusVerdict {
  const { facts, toldSuccess } = payment
  const { required, received, pending, settled, denied } = money.sums
  if (isQuarantined(payment)) return unclear('internal_contradiction')
  if (stillAccepted(facts, received + denied, inForce)) {
    return verdict('succeeded', null, 'investigation_required')
  }
  if (toldSuccess) {
    if (inForce.writtenOff)
      return received > 0n ? unclear('paid_after_failure') : verdict('failed', 'written_off')
    if (settled >= required) return verdict('succeeded')
    return unclear(denied > 0n ? 'denied_after_success' : 'reorged_after_success')
  }
  if (facts.withdrawn !== null) {
    return received + pending > 0n
      ? unclear('paid_after_cancel')
      : verdict('cancelled', facts.withdrawn.reason)
  }
  if (settled >= required) return verdict('succeeded')
  const inTime = (transfers: readonly Transfer[]): bigint =>
    sum(transfers.filter((transfer) => isInTime(transfer, payment)))
  const [receivedInTime, pendingInTime] = [inTime(money.included), inTime(money.pending)]
  if (receivedInTime >= required)
    return isStuck(payment, money) ? unclear('sources_disagree') : verdict('confirming')
  if (receivedInTime + pendingInTime >= required) return verdict('pending_detected')
  if (received + pending > receivedInTime + pendingInTime) return unclear('paid_after_watch')
  return unpaid(payment, money, inForce)
}

/**
 * Whether an instant has passed, and every accepted chain was read past it: an unread block may
 * hold money that came in time.
 */
const isPast = ({ facts: { clock } }: JudgedPayment, instant: Instant): boolean =>
  clock !== null && clock.at > instant && clock.scannedThrough > instant

/**
 * Whether the watch has ended and more blocks do not help: so much of the amount is denied, or is
 * deep enough but shown by too few sources, that a person has to decide.
 */
function isStuck(payment: JudgedPayment, { included, sums }: Money): boolean {
  if (!isPast(payment, payment.terms.monitorUntil)) return false
  const moving = included.filter(
    (transfer) =>
      isInTime(transfer, payment) && (transfer.settled || !(transfer.disputed || transfer.deep)),
  )
  return sum(moving) < sums.required
}

/** The verdict when too little has arrived or is pending. */
function unpaid(
  payment: JudgedPayment,
  { sums, transfers }: Money,
  inForce: ResolutionsInForce,
): StatusVerdict {
  const { required, received, pending, dropped } = sums
  const wouldDo = dropped > 0n && received + pending + dropped >= required
  if (isPast(payment, deadlineOf(payment)))
    return verdict('expired', null, wouldDo ? 'pending_expired' : null)
  // After `wait`, dropped transactions no longer cause `pending_expired`.
  if (inForce.waitsSince !== null)
    return verdict('awaiting', lostReason(transfers), 'investigation_required')
  return wouldDo
    ? verdict('pending_expired', 'transaction_dropped')
    : verdict('awaiting', lostReason(transfers))
}

/**
 * Whether a person accepted the money in blocks, and all of it is still there. The person has
 * decided which provider is right: a later denial does not undo the acceptance, a reorg does.
 */
function stillAccepted(facts: Facts, received: bigint, { accepted }: ResolutionsInForce): boolean {
  if (accepted === null || received < accepted.received) return false
  const { of = [] } = accepted
  if (of.length === 0) return true
  const countedNames = new Set(
    facts.transactions
      .filter((transaction) => {
        const isPaid = canonicalInclusion(transaction)?.outcome === 'paid'
        return isPaid || deniedInclusion(transaction) !== null
      })
      .map(transactionName),
  )
  return of.every((name) => countedNames.has(transactionName(name)))
}

/** The amount that the payment needs: the requested amount, or less if a person accepted less. */
const enoughOf = ({ required }: Sums, { accepted }: ResolutionsInForce): bigint =>
  accepted !== null && accepted.received < required ? accepted.received : required

/** Why money that was seen no longer counts, by the last stage of its transaction. */
const lostReasons: Readonly<Partial<Record<Stage, string>>> = {
  reverted: 'transaction_reverted',
  reorged: 'transaction_reorged',
  denied: 'transaction_denied',
  replaced: 'replaced_elsewhere',
  dropped: 'transaction_dropped',
}

/**
 * Null if the last money still counts or no money came, or if another transfer may pay in its
 * place.
 */
function lostReason(transfers: readonly Transfer[]): string | null {
  const seen = transfers.filter((one) => !isMereClaim(one) && one.stage !== 'ignored')
  const last = seen.at(-1)?.stage
  if (last === undefined) return null
  // Its replacement may be among the other transfers, and pay.
  const isReplaced =
    last === 'replaced' && seen.some(({ stage }) => lostReasons[stage] === undefined)
  return isReplaced ? null : (lostReasons[last] ?? null)
}

/**
 * The payment is as final as the transfers that cover it, and never more final than settled ones.
 */
function finalityOf(included: readonly Transfer[], required: bigint): Finality {
  const settled = included.filter((transfer) => transfer.settled)
  if (settled.length === 0) return 'none'
  const final = settled.filter((transfer) => transfer.stage === 'final')
  if (sum(final) >= required) return 'final'
  const safe = settled.filter((transfer) => transfer.stage !== 'included')
  return sum(safe) >= required ? 'safe' : 'none'
}

/**
 * Of the transfers that cover the amount (`coverOf`), the one furthest behind; transfers that still
 * wait for blocks come first. Money beyond the amount neither delays the payment nor stands for it.
 * Until blocks cover the amount: the last pending transfer, else the one in a block that is
 * furthest behind, else the last seen.
 */
function decisiveOf({ included, pending, transfers, sums }: Money): Transfer | null {
  const covering = coverOf(included, sums.required)
  const expected = covering === null ? pending.at(-1) : undefined
  if (expected !== undefined) return expected
  const behind = [...(covering ?? included)].sort(
    (a, b) => Number(a.deep) - Number(b.deep) || a.confirmations - b.confirmations,
  )[0]
  return behind ?? transfers.filter((transfer) => transfer.stage !== 'ignored').at(-1) ?? null
}

/**
 * The transfers that make up the amount: settled ones first, then by the time at which they were
 * first known. Null if all together do not make it up.
 */
export function coverOf(
  included: readonly Transfer[],
  required: bigint,
): readonly Transfer[] | null {
  const inOrder = [...included].sort(
    (a, b) => Number(b.settled) - Number(a.settled) || firstKnownAt(a) - firstKnownAt(b),
  )
  let covered = 0n
  for (const [i, transfer] of inOrder.entries()) {
    covered += transfer.amount
    if (covered >= required) return inOrder.slice(0, i + 1)
  }
  return null
}

function flagsOf(
  payment: { terms: Terms; facts: Facts; status: Status },
  { included, pending, transfers, sums }: Money,
  policy: Policy,
): readonly Flag[] {
  const { terms, facts } = payment
  const live = [...included, ...pending]
  const total = sums.received + sums.pending
  const deadline = deadlineOf(payment)
  const ignored = new Set(transfers.map((transfer) => transfer.ignored))
  const raised: Record<Flag, boolean> = {
    underpaid: total > 0n && total < sums.required,
    // Pending money may never come, or come under another hash, so it is no second payment yet.
    overpaid: sums.received > terms.amount + terms.tolerance,
    late: live.some((transfer) => firstKnownAt(transfer) > deadline),
    multiple_transfers: included.length > 1,
    duplicate_payment: paidAgain(included, sums.required),
    wrong_token: ignored.has('wrong_token'),
    wrong_chain: ignored.has('wrong_chain'),
    dust: ignored.has('dust'),
    fee_on_transfer: lostOnTheWay(facts, included),
    reorg_seen: facts.transactions.some((transaction) =>
      Object.values(transaction.inclusions).some((inclusion) => !inclusion.canonical),
    ),
    replaced_seen: transfers.some((transfer) => transfer.stage === 'replaced'),
    single_source:
      payment.status === 'succeeded' &&
      included.some((transfer) => transfer.sources.length < quorumOf(policy, transfer.chain)),
    sources_disagree: live.some(
      (transfer) => facts.heads[transfer.chain]?.disagree === true || transfer.disputed,
    ),
    manually_marked: (facts.resolutions ?? []).length > 0,
  }
  return flags.filter((flag) => raised[flag])
}

const quorumOf = (policy: Policy, chain: string): number => policy.chains[chain]?.quorum ?? 1

/** When it is known to have existed: an outage on our side never makes a payment late. */
const firstKnownAt = ({ seenAt, block }: Transfer): number =>
  block === null ? seenAt : Math.min(seenAt, block.minedAt)

/** Whether the amount was covered before the last transfer came. */
function paidAgain(included: readonly Transfer[], required: bigint): boolean {
  const inOrder = [...included].sort((a, b) => firstKnownAt(a) - firstKnownAt(b))
  return inOrder.length > 1 && sum(inOrder.slice(0, -1)) >= required
}

/** Whether a counted transaction delivered less than its calldata asked the token to move. */
function lostOnTheWay({ transactions }: Facts, included: readonly Transfer[]): boolean {
  const counted = new Set(included.map(transactionName))
  return transactions.some((transaction) => {
    const { hint } = transaction
    if (hint === null || !counted.has(transactionName(transaction))) return false
    const arrived = (canonicalInclusion(transaction)?.transfers ?? [])
      .filter(({ token, to }) => token === hint.token && to === hint.to)
      .reduce((total, { amount }) => total + amount, 0n)
    return arrived > 0n && arrived < hint.amount
  })
}
