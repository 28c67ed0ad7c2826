import { replacedIn } from './contest.ts'
import type { ResolutionAction, Resolved } from './observation.ts'
import type { Payment, Transaction } from './payment.ts'
import { isLostSuccess, resolutionsInForce } from './resolution.ts'
import type { Status } from './status-model.ts'
import { canonicalInclusion, isPending, transactionName } from './transaction.ts'
import { transfersOf } from './transfer.ts'

/**
 * The money that a decision covers, without what was replaced or already set aside. `in_blocks`:
 * money in blocks, whether it counts or not. `beside`: money in blocks that does not count for the
 * payment, or that a source denies. Without money of these two scopes there is nothing to resolve.
 * The other three are always resolvable. `seen`: money in blocks or pending. `rest`: the money
 * still in blocks. `nothing`: the decision covers no money.
 */
type ResolutionScope = 'in_blocks' | 'beside' | 'seen' | 'rest' | 'nothing'

const always: ReadonlySet<ResolutionScope> = new Set(['seen', 'rest', 'nothing'])

type ResolutionRow = Readonly<Record<ResolutionAction, ResolutionScope | null>>

/** All money in blocks may be accepted or set aside, or the payment waits for the rest. */
const unpaid: ResolutionRow = {
  accept: 'in_blocks',
  wait: 'in_blocks',
  refund_noted: 'in_blocks',
  dismiss: 'in_blocks',
}

/** Money on its way continues; only money beside the payment, or denied, can be set aside. */
const moving: ResolutionRow = {
  accept: 'in_blocks',
  wait: 'in_blocks',
  refund_noted: 'beside',
  dismiss: 'beside',
}

/** The payment is over, but money that does not count may still be at its address. */
const over: ResolutionRow = {
  accept: null,
  wait: null,
  refund_noted: 'in_blocks',
  dismiss: 'in_blocks',
}

/** The decisions that a person may make, by status; null: this action is not allowed. */
export const resolvable: Readonly<Record<Status, ResolutionRow>> = {
  awaiting: unpaid,
  pending_detected: moving,
  pending_expired: { ...unpaid, wait: 'nothing' },
  confirming: moving,
  succeeded: { accept: 'nothing', wait: 'nothing', refund_noted: 'nothing', dismiss: 'nothing' },
  expired: unpaid,
  cancelled: over,
  failed: over,
  investigation_required: {
    accept: 'in_blocks',
    wait: 'nothing',
    refund_noted: 'seen',
    dismiss: 'seen',
  },
}

/** For a success whose money is lost: accept the loss, or give up the payment. */
const lostSuccess: ResolutionRow = {
  accept: 'rest',
  wait: 'nothing',
  refund_noted: 'rest',
  dismiss: 'rest',
}

/** Whether a person has something to decide here: by this action, or by any. */
export function isResolvable(payment: Payment, action?: ResolutionAction): boolean {
  const row = rowOf(payment)
  const actions = action === undefined ? (Object.keys(row) as ResolutionAction[]) : [action] // its own keys
  return actions.some((one) => {
    const subject = row[one]
    if (subject === null) return false
    return always.has(subject) || subjectsOf(payment, subject).length > 0
  })
}

/**
 * The decision, completed with the payment's present status and the transactions that it covers.
 */
export function complete(payment: Payment, resolved: Resolved): Resolved {
  const subject = rowOf(payment)[resolved.action]
  const { status, reason, received } = payment
  const of = subject === null ? [] : subjectsOf(payment, subject)
  return {
    ...{ ...resolved, received, on: { status, reason } },
    of: of.map(({ chain, txHash }) => ({ chain, txHash })),
  }
}

const rowOf = (payment: Payment): ResolutionRow =>
  isLostSuccess(payment) ? lostSuccess : resolvable[payment.status]

function subjectsOf(payment: Payment, subject: ResolutionScope): readonly Transaction[] {
  if (subject === 'nothing') return []
  const { transactions } = payment.facts
  const { setAside } = resolutionsInForce(payment.facts)
  const lost = replacedIn(transactions)
  const open = transactions.filter(
    (transaction) => !lost.has(transaction) && !setAside.has(transactionName(transaction)),
  )
  const inBlocks = open.filter(holdsMoney)
  if (subject === 'in_blocks' || subject === 'rest') return inBlocks
  if (subject === 'seen') return [...inBlocks, ...open.filter(bringsMoney)]
  const counted = new Set(
    transfersOf(payment, { version: '', chains: {} })
      .filter(({ ignored, deniedBy }) => ignored === null && deniedBy.length === 0)
      .map(transactionName),
  )
  return inBlocks.filter((transaction) => !counted.has(transactionName(transaction)))
}

function holdsMoney(transaction: Transaction): boolean {
  const inclusion = canonicalInclusion(transaction)
  return inclusion?.outcome === 'paid' && inclusion.transfers.some(({ amount }) => amount > 0n)
}

const bringsMoney = (transaction: Transaction): boolean =>
  canonicalInclusion(transaction) === null &&
  isPending(transaction) &&
  (transaction.hint?.amount ?? 0n) > 0n
