import { assert } from '@settlewire/core/assert'
import { canonicalText, rememberedText } from '@settlewire/core/canonical-text'
import { nextDeadline } from '@settlewire/core/deadline'
import type { Opening } from '@settlewire/core/event'
import { evidenceOf } from '@settlewire/core/event-text'
import type { Instant } from '@settlewire/core/instant'
import type { Payment, Transaction } from '@settlewire/core/payment'
import { paymentFromJson } from '@settlewire/core/payment-json'
import { replacedIn } from '@settlewire/core/slot-group'
import { canonicalInclusion } from '@settlewire/core/transaction'
import type { Watched } from '../ports.ts'

/** What an opening fixes for ever: it is in the first event, and not stored again. */
type Fixed = 'id' | 'merchantId' | 'livemode' | 'transactionId' | 'createdAt' | 'terms'

/**
 * What moves, as `paymentToJson` has it. Bigints and keys from outside occur in few places; the rest is left to JSON's own
 * encoder, which is several times as fast. A transaction stays the same from one event to the next,
 * and so does its text.
 */
export function stateText(payment: Payment): string {
  const { transactions, heads, resolutions, ...seen } = payment.facts
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
  const decided = resolutions === undefined ? '' : `"resolutions":${canonicalText(resolutions)},`
  return (
    `${JSON.stringify(plain).slice(0, -1)},"received":${canonicalText(payment.received)},` +
    `"pending":${canonicalText(payment.pending)},"facts":${JSON.stringify(seen).slice(0, -1)},` +
    `"heads":${canonicalText(heads)},${decided}"transactions":[${transactions.map(rememberedText).join()}]}}`
  )
}

/** The first event of a payment, and what its last one left. */
export interface PaymentRow {
  readonly id: string
  readonly created_at: Instant
  readonly evidence: string
  readonly state: string
}

/** The payment that a row holds. Its texts are ours and were never outside. */
export function paymentOf({ id, created_at, evidence, state }: PaymentRow): Payment {
  const { merchantId, livemode, transactionId, terms } = openingOf(evidence)
  const fixed: Pick<Payment, Fixed> = {
    ...{ id, merchantId, livemode, transactionId, createdAt: created_at, terms },
  }
  const moving = paymentFromJson(JSON.parse(state)) as Omit<Payment, Fixed> // as `stateText` wrote it
  return { ...fixed, ...moving }
}

/** What is looked for on behalf of a payment: a part of its first event. */
export interface WatchedRow {
  readonly id: string
  readonly livemode: boolean
  readonly evidence: string
}

/**
 * A process reads those of all open payments when it starts: so the rest of the opening is not made
 * into what core works with, which takes several times as long as to parse it.
 */
export function watchedOf({ id, livemode, evidence }: WatchedRow): Watched {
  const [opening] = (JSON.parse(evidence) as OpeningText).facts // as `evidenceText` wrote it
  assert(opening?.kind === 'opened', 'the first event opens the payment')
  return {
    ...{ paymentId: id, livemode },
    accept: opening.terms.accept.map(({ chain, address, token }) => ({ chain, address, token })),
  }
}

interface OpeningText {
  readonly facts: readonly {
    readonly kind: string
    readonly terms: Pick<Watched, 'accept'>
  }[]
}

function openingOf(evidence: string): Opening {
  const [fact] = evidenceOf(evidence).facts
  assert(fact?.kind === 'opened', 'the first event opens the payment')
  return fact
}

/**
 * What a payment is found by, beside its id. Each half has a text that tells whether it changed:
 * while it stays the same, nothing of it has to be written.
 */
export interface Findable {
  readonly dueAt: Instant
  readonly standingText: string
  readonly transactions: readonly TransactionRow[]
  readonly transactionsText: string
}

export interface TransactionRow {
  readonly paymentId: string
  readonly chain: string
  readonly txHash: string
  /** Every block that was ever said to hold it. */
  readonly blocks: readonly string[]
  readonly number: number | null
  readonly paid: boolean
  readonly final: boolean
}

export function findableOf(payment: Payment): Findable {
  const dueAt = nextDeadline(payment)
  const known = payment.facts.transactions
  const lost: Lost = known.length > 1 ? replacedIn(known) : none
  const transactions = known.map((transaction) => rowOf(payment, transaction, lost))
  let transactionsText = ''
  for (const { txHash, blocks, number, paid, final } of transactions) {
    transactionsText += `${txHash} ${blocks.join()} ${number} ${paid} ${final},`
  }
  const standingText = `${payment.status} ${payment.flags.join()} ${dueAt}`
  return { dueAt, standingText, transactions, transactionsText }
}

/** The transactions that lost their slot, and to which others. */
type Lost = ReadonlyMap<Transaction, Transaction | null>
const none: Lost = new Map()

/**
 * Final: nothing is expected to change, because the chain itself has finalized the block that decides
 * it, its own or that of the one it lost its slot to, or, where the chain has no such word, the
 * payment is final by its policy. While the payment waits for more than depth, nothing of it is. A
 * final payment may have a second transaction that is not: that one is looked at with every step.
 */
function rowOf(payment: Payment, transaction: Transaction, lost: Lost): TransactionRow {
  const { chain, txHash, inclusions } = transaction
  const inclusion = canonicalInclusion(transaction)
  const number = inclusion?.block?.number ?? null
  const winner = lost.get(transaction) ?? null
  const decidedAt = number ?? (winner && canonicalInclusion(winner)?.block?.number) ?? null
  const finalized = payment.facts.heads[chain]?.finalized ?? null
  const isBuried =
    finalized === null
      ? payment.finality === 'final' && decidedAt !== null
      : decidedAt !== null && decidedAt <= finalized
  const waitsForMore = payment.status === 'confirming' || payment.reason === 'reorged_after_success'
  return {
    paymentId: payment.id,
    chain,
    txHash,
    blocks: Object.keys(inclusions),
    number,
    paid: inclusion?.outcome === 'paid',
    final: isBuried && !waitsForMore,
  }
}
