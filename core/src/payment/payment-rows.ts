import { assert } from '../assert.ts'
import { canonicalText, rememberedText } from '../history/canonical-text.ts'
import type {
  InclusionRow,
  Projection,
  StoredState,
  TransactionRow,
  TransferRow,
} from '../history/subject-kind.ts'
import { memo } from '../memo.ts'
import { replacedIn } from './contest.ts'
import { nextDeadline } from './deadline.ts'
import type { PaymentOpening } from './event.ts'
import { evidenceOf } from './event-text.ts'
import type { Payment, Transaction } from './payment.ts'
import { paymentFromJson } from './payment-json.ts'
import type { Policy } from './policy.ts'
import { isLostSuccess } from './resolution.ts'
import { canonicalInclusion, isDenied, transactionName } from './transaction.ts'
import { isIncluded, transfersOf } from './transfer.ts'

/** Fields that the opening fixes: they are in the first event, and not stored again. */
type Fixed = 'id' | 'merchantId' | 'livemode' | 'transactionId' | 'createdAt' | 'terms'

/** Everything that is stored of a payment beside its events. */
export function projectionOf(payment: Payment): Projection {
  const { terms, createdAt, status, flags } = payment
  const known = payment.facts.transactions
  const lost: Lost = known.length > 1 ? replacedIn(known) : none
  const transfers = transferRows(payment)
  return {
    ...{ standing: standingText(payment), createdAt, reference: terms.reference, status, flags },
    dueAt: nextDeadline(payment),
    addresses: [...new Set(terms.accept.map(({ address }) => address))],
    transactions: known.map((transaction) => ({
      ...placeOf(payment, transaction, lost),
      part: rememberedText(transaction),
      inclusions: inclusionRows(transaction),
      transfers: transfers.get(transactionName(transaction)) ?? [],
    })),
  }
}

/**
 * The changing fields, as `paymentToJson` writes them, without the transactions. Bigints and
 * foreign keys occur in few places; JSON's own encoder writes the rest, because it is several times
 * as fast.
 */
function standingText(payment: Payment): string {
  const { transactions: _, heads, resolutions, ...seen } = payment.facts
  const plain: Omit<Payment, Fixed | 'facts' | 'received' | 'pending'> = {
    sequence: payment.sequence,
    status: payment.status,
    flags: payment.flags,
    finality: payment.finality,
    detectedAt: payment.detectedAt,
    settledAt: payment.settledAt,
    reason: payment.reason,
    toldSuccess: payment.toldSuccess,
    head: payment.head,
  }
  const decided = resolutions === undefined ? '' : `,"resolutions":${canonicalText(resolutions)}`
  return (
    `${JSON.stringify(plain).slice(0, -1)},"received":${canonicalText(payment.received)},` +
    `"pending":${canonicalText(payment.pending)},"facts":${canonicalText(seen).slice(0, -1)},` +
    `"heads":${canonicalText(heads)}${decided}}}`
  )
}

/** Restores a stored payment. The texts never left the server, so they are trusted. */
export function paymentOf({ id, createdAt, opening, standing, parts }: StoredState): Payment {
  const { merchantId, livemode, transactionId, terms } = openingOf(opening)
  const fixed: Pick<Payment, Fixed> = { id, merchantId, livemode, transactionId, createdAt, terms }
  const text = `${standing.slice(0, -2)},"transactions":${parts}}}`
  const moving = paymentFromJson(JSON.parse(text)) as Omit<Payment, Fixed> // as `projectionOf` wrote it
  return { ...fixed, ...moving }
}

/** The opening of a payment, from the evidence of its first event. */
export function openingOf(evidence: string): PaymentOpening {
  const [fact] = evidenceOf(evidence).facts
  assert(fact?.kind === 'opened', 'the first event opens the payment')
  return fact
}

/** The transactions that lost their contest, with the winners. */
type Lost = ReadonlyMap<Transaction, Transaction | null>
const none: Lost = new Map()

type TransactionPlace = Omit<TransactionRow, 'part' | 'inclusions' | 'transfers'>

/**
 * `final` means that no change is expected: the chain has finalized the deciding block, which is
 * the transaction's own or that of the winner of its contest. Where the chain has no tags, the
 * payment must be final by its policy. No transaction is final while the payment waits for more
 * than depth. A final payment may have a second transaction that is not final: every step looks at
 * that one.
 */
function placeOf(payment: Payment, transaction: Transaction, lost: Lost): TransactionPlace {
  const { chain, txHash } = transaction
  const inclusion = canonicalInclusion(transaction)
  const number = inclusion?.block?.number ?? null
  const winner = lost.get(transaction) ?? null
  const decidedAt = number ?? (winner && canonicalInclusion(winner)?.block?.number) ?? null
  const finalized = payment.facts.heads[chain]?.finalized ?? null
  const isBuried =
    finalized === null
      ? payment.finality === 'final' && decidedAt !== null
      : decidedAt !== null && decidedAt <= finalized
  const { status, reason } = payment
  const waitsForMore =
    status === 'confirming' || reason === 'sources_disagree' || isLostSuccess(payment)
  return {
    chain,
    txHash,
    number,
    paid: inclusion?.outcome === 'paid',
    final: isBuried && !waitsForMore && !isDenied(transaction),
  }
}

const inclusions = memo<Transaction, readonly InclusionRow[]>()
const byBlock = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : 1

/** A transaction stays the same object until a fact about it changes, so its rows are cached. */
function inclusionRows(transaction: Transaction): readonly InclusionRow[] {
  const known = inclusions.get(transaction)
  if (known !== undefined) return known
  // Sorted, so that equal facts give equal rows in whatever order they were merged.
  const rows = Object.entries(transaction.inclusions)
    .sort(byBlock)
    .map(
      ([blockHash, { block, canonical, outcome }]): InclusionRow => ({
        ...{ blockHash, blockNumber: block?.number ?? null, canonical, outcome },
      }),
    )
  inclusions.set(transaction, rows)
  return rows
}

/** The rows leave depth out, so that they do not depend on a policy. */
const noPolicy: Policy = { version: '', chains: {} }

interface Moved {
  readonly resolutions: Payment['facts']['resolutions']
  readonly rows: ReadonlyMap<string, readonly TransferRow[]>
}
const moved = memo<readonly Transaction[], Moved>()

/** Rows by transaction, cached: they stay the same while only heads move. */
function transferRows({ terms, facts }: Payment): Moved['rows'] {
  const { transactions, resolutions } = facts
  const known = moved.get(transactions)
  if (known !== undefined && known.resolutions === resolutions) return known.rows
  const rows = new Map<string, TransferRow[]>()
  for (const transfer of transfersOf({ terms, facts }, noPolicy)) {
    const { part, token, from, to, units, block, stage } = transfer
    const list = rows.get(transactionName(transfer)) ?? []
    rows.set(transactionName(transfer), list)
    list.push({
      ...{ place: String(part), token, from, to, amount: units },
      ...{ blockNumber: block?.number ?? null, stage, counts: isIncluded(stage) },
    })
  }
  moved.set(transactions, { resolutions, rows })
  return rows
}
