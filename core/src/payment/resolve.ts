import { replacedIn } from './contest.ts'
import type { ResolutionAction, Resolved } from './observation.ts'
import type { Payment, Transaction } from './payment.ts'
import { isLostSuccess, standingOf } from './resolution.ts'
import type { Status } from './status-model.ts'
import { canonicalInclusion, isPending, nameOf } from './transaction.ts'
import { transfersOf } from './transfer.ts'

/**
 * What a decision speaks of: money `in_blocks`, whether it counts or not; money in blocks that lies
 * `beside` the payment and does not count, or that a source denies. Without such money there is nothing to resolve. There
 * always is where it speaks of all that was `seen`, of the `rest` that still is in blocks, or of
 * `nothing`, because it is only noted.
 */
type Subject = 'in_blocks' | 'beside' | 'seen' | 'rest' | 'nothing'

const always: ReadonlySet<Subject> = new Set(['seen', 'rest', 'nothing'])

type Row = Readonly<Record<ResolutionAction, Subject | null>>

/** Whatever is there may be accepted, waited for or set aside. */
const unpaid: Row = {
  accept: 'in_blocks',
  wait: 'in_blocks',
  refund_noted: 'in_blocks',
  dismiss: 'in_blocks',
}

/** What is on its way goes on; only what lies beside it, or is denied, can be set aside. */
const moving: Row = {
  accept: 'in_blocks',
  wait: 'in_blocks',
  refund_noted: 'beside',
  dismiss: 'beside',
}

/** It is over, and money that does not count may lie there all the same. */
const over: Row = { accept: null, wait: null, refund_noted: 'in_blocks', dismiss: 'in_blocks' }

/** What a person may decide, by status; null: there is nothing to resolve in that way. */
export const resolvable: Readonly<Record<Status, Row>> = {
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

/** The money of a success is lost: the loss is accepted, or the payment given up. */
const lostSuccess: Row = { accept: 'rest', wait: 'nothing', refund_noted: 'rest', dismiss: 'rest' }

/** Whether a person has something to decide here: in this way, or in any. */
export function isResolvable(payment: Payment, action?: ResolutionAction): boolean {
  const row = rowOf(payment)
  const actions = action === undefined ? (Object.keys(row) as ResolutionAction[]) : [action] // its own keys
  return actions.some((one) => {
    const subject = row[one]
    if (subject === null) return false
    return always.has(subject) || subjectsOf(payment, subject).length > 0
  })
}

/** The decision with what it speaks of written down, as the payment stands now. */
export function complete(payment: Payment, resolved: Resolved): Resolved {
  const subject = rowOf(payment)[resolved.action]
  const { status, reason, received } = payment
  const of = subject === null ? [] : subjectsOf(payment, subject)
  return {
    ...{ ...resolved, received, on: { status, reason } },
    of: of.map(({ chain, txHash }) => ({ chain, txHash })),
  }
}

const rowOf = (payment: Payment): Row =>
  isLostSuccess(payment) ? lostSuccess : resolvable[payment.status]

function subjectsOf(payment: Payment, subject: Subject): readonly Transaction[] {
  if (subject === 'nothing') return []
  const { transactions } = payment.facts
  const { setAside } = standingOf(payment.facts)
  const lost = replacedIn(transactions)
  const open = transactions.filter(
    (transaction) => !lost.has(transaction) && !setAside.has(nameOf(transaction)),
  )
  const inBlocks = open.filter(holdsMoney)
  if (subject === 'in_blocks' || subject === 'rest') return inBlocks
  if (subject === 'seen') return [...inBlocks, ...open.filter(bringsMoney)]
  const counted = new Set(
    transfersOf(payment, { version: '', chains: {} })
      .filter(({ ignored, deniedBy }) => ignored === null && deniedBy.length === 0)
      .map(nameOf),
  )
  return inBlocks.filter((transaction) => !counted.has(nameOf(transaction)))
}

function holdsMoney(transaction: Transaction): boolean {
  const inclusion = canonicalInclusion(transaction)
  return inclusion?.outcome === 'paid' && inclusion.transfers.some(({ amount }) => amount > 0n)
}

const bringsMoney = (transaction: Transaction): boolean =>
  canonicalInclusion(transaction) === null &&
  isPending(transaction) &&
  (transaction.hint?.amount ?? 0n) > 0n
