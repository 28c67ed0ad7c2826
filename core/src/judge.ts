import type { Facts, Terms, Transfer } from './payment.ts'
import type { Policy } from './policy.ts'
import { type Finality, type Flag, flags, type Status } from './status-model.ts'
import { isIncluded, transfersOf } from './transfer.ts'

/** What the facts mean under a policy. */
export interface Judgement {
  readonly status: Status
  readonly flags: readonly Flag[]
  readonly finality: Finality
  readonly received: bigint
  readonly pending: bigint
  readonly reason: string | null
  /** All movements known, and of these the one that holds the payment back, or moved it last. */
  readonly transfers: readonly Transfer[]
  readonly decisive: Transfer | null
}

/**
 * The status model as a function: no history but whether success was ever told. Money decides
 * before time, and time decides only where every accepted chain was read past it.
 */
export function judge(
  payment: { terms: Terms; facts: Facts; toldSuccess: boolean },
  policy: Policy,
): Judgement {
  const transfers = transfersOf(payment, policy)
  const included = transfers.filter((transfer) => isIncluded(transfer.stage))
  const inMempool = transfers.filter((transfer) => transfer.stage === 'mempool')
  const sums: Sums = {
    required: payment.terms.amount - payment.terms.tolerance,
    received: sum(included),
    pending: sum(inMempool),
    settled: sum(included.filter((transfer) => transfer.settled)),
  }
  const { status, reason } = statusOf(payment, sums, transfers)
  const money = { included, inMempool, sums, transfers }
  return {
    status,
    reason,
    finality: finalityOf(included, sums.required),
    flags: flagsOf({ ...payment, status }, money, policy),
    received: sums.received,
    pending: sums.pending,
    transfers,
    decisive: decisiveOf(money),
  }
}

interface Sums {
  readonly required: bigint
  readonly received: bigint
  readonly pending: bigint
  readonly settled: bigint
}

const sum = (transfers: readonly Transfer[]): bigint =>
  transfers.reduce((total, transfer) => total + transfer.amount, 0n)

function statusOf(
  { terms, facts, toldSuccess }: { terms: Terms; facts: Facts; toldSuccess: boolean },
  { required, received, pending, settled }: Sums,
  transfers: readonly Transfer[],
): { status: Status; reason: string | null } {
  if (facts.withdrawn !== null) {
    return received + pending > 0n
      ? { status: 'investigation_required', reason: 'paid_after_cancel' }
      : { status: 'cancelled', reason: facts.withdrawn.reason }
  }
  if (settled >= required) return { status: 'succeeded', reason: null }
  if (toldSuccess) return { status: 'investigation_required', reason: 'reorged_after_success' }
  if (received >= required) return { status: 'confirming', reason: null }
  if (received + pending >= required) return { status: 'pending_detected', reason: null }
  const { clock } = facts
  const over = clock !== null && clock.at > terms.expiresAt
  // Never blind: a payment made in time may stand in a block that was not read yet.
  if (over && clock.scannedThrough > terms.expiresAt) return { status: 'expired', reason: null }
  return { status: 'awaiting', reason: lostReason(transfers) }
}

/** Why money that was seen is not there any more, if that is so. */
function lostReason(transfers: readonly Transfer[]): string | null {
  const last = transfers.at(-1)?.stage
  if (last === 'reverted') return 'transaction_reverted'
  return last === 'reorged' ? 'transaction_reorged' : null
}

/** The payment is as final as the transfers that cover it. */
function finalityOf(included: readonly Transfer[], required: bigint): Finality {
  const final = included.filter((transfer) => transfer.stage === 'final')
  if (sum(final) >= required) return 'final'
  const safe = included.filter((transfer) => transfer.stage !== 'included')
  return sum(safe) >= required ? 'safe' : 'none'
}

/**
 * Of the transfers that cover the amount, first come first counted, the one furthest behind: what
 * comes on top neither holds the payment back nor stands for it. Until blocks cover it, what is
 * pending; else what was seen last.
 */
function decisiveOf({ included, inMempool, transfers, sums }: Money): Transfer | null {
  const covering = coverOf(included, sums.required)
  const pending = covering === null ? inMempool.at(-1) : undefined
  if (pending !== undefined) return pending
  const behind = [...(covering ?? included)].sort((a, b) => a.confirmations - b.confirmations)[0]
  return behind ?? transfers.filter((transfer) => transfer.stage !== 'ignored').at(-1) ?? null
}

/** The first transfers that make up the amount, settled ones before others; null when all do not. */
function coverOf(included: readonly Transfer[], required: bigint): readonly Transfer[] | null {
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

interface Money {
  readonly included: readonly Transfer[]
  readonly inMempool: readonly Transfer[]
  readonly transfers: readonly Transfer[]
  readonly sums: Sums
}

function flagsOf(
  payment: { terms: Terms; facts: Facts; status: Status },
  { included, inMempool, transfers, sums }: Money,
  policy: Policy,
): readonly Flag[] {
  const { terms, facts } = payment
  const live = [...included, ...inMempool]
  const total = sums.received + sums.pending
  const raised: Partial<Record<Flag, boolean>> = {
    underpaid: total > 0n && total < sums.required,
    // What is only pending may never come, or come under another hash: it is no second payment yet.
    overpaid: sums.received > terms.amount + terms.tolerance,
    late: live.some((transfer) => firstKnownAt(transfer) > terms.expiresAt),
    multiple_transfers: included.length > 1,
    duplicate_payment: paidAgain(included, sums.required),
    wrong_token: transfers.some((transfer) => transfer.accept === null),
    reorg_seen: facts.transactions.some((transaction) =>
      Object.values(transaction.inclusions).some((inclusion) => !inclusion.canonical),
    ),
    single_source:
      payment.status === 'succeeded' &&
      included.some((transfer) => transfer.sources.length < quorumOf(policy, transfer.chain)),
  }
  return flags.filter((flag) => raised[flag] === true)
}

const quorumOf = (policy: Policy, chain: string): number => policy.chains[chain]?.quorum ?? 1

/** When it is known to have existed: an outage of ours never makes a payer late. */
const firstKnownAt = ({ seenAt, block }: Transfer): number =>
  block === null ? seenAt : Math.min(seenAt, block.minedAt)

/** Whether the amount was covered before the last transfer came. */
function paidAgain(included: readonly Transfer[], required: bigint): boolean {
  const inOrder = [...included].sort((a, b) => firstKnownAt(a) - firstKnownAt(b))
  return inOrder.length > 1 && sum(inOrder.slice(0, -1)) >= required
}
