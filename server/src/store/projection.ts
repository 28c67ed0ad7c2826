import { nextDeadline } from '@settlewire/core/deadline'
import type { Instant } from '@settlewire/core/instant'
import type { Payment, Transaction } from '@settlewire/core/payment'
import { paymentFromJson } from '@settlewire/core/payment-json'
import { canonicalInclusion } from '@settlewire/core/transfer'
import { canonicalText, rememberedText } from './canonical-text.ts'

/** What an opening fixes for ever. */
type Fixed = 'id' | 'merchantId' | 'livemode' | 'transactionId' | 'createdAt' | 'terms'

/**
 * A payment is stored as two texts of `paymentToJson`: what was fixed when it was opened, written
 * once, and what moves, written with every event.
 */
export function openingText(payment: Payment): string {
  const { id, merchantId, livemode, transactionId, createdAt, terms } = payment
  const opening: Pick<Payment, Fixed> = {
    ...{ id, merchantId, livemode, transactionId, createdAt, terms },
  }
  return canonicalText(opening)
}

/**
 * What moves. Bigints and keys from outside occur in few places; the rest is left to JSON's own
 * encoder, which is several times as fast. A transaction stays the same from one event to the next,
 * and so does its text.
 */
export function stateText(payment: Payment): string {
  const { transactions, heads, clock, withdrawn } = payment.facts
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
  const seen: Omit<Payment['facts'], 'transactions' | 'heads'> = { clock, withdrawn }
  return (
    `${JSON.stringify(plain).slice(0, -1)},"received":${canonicalText(payment.received)},` +
    `"pending":${canonicalText(payment.pending)},"facts":${JSON.stringify(seen).slice(0, -1)},` +
    `"heads":${canonicalText(heads)},"transactions":[${transactions.map(rememberedText).join()}]}}`
  )
}

/** The payment that the two texts hold. They are ours and were never outside. */
export function paymentOf(row: { readonly opening: string; readonly state: string }): Payment {
  const opening: unknown = JSON.parse(row.opening)
  const state: unknown = JSON.parse(row.state)
  return paymentFromJson(Object.assign({}, opening, state))
}

/** The ways to pay, which hold no bigint: at a start those of every open payment are read. */
export const acceptOf = (row: { readonly opening: string }): Payment['terms']['accept'] =>
  (JSON.parse(row.opening) as Pick<Payment, 'terms'>).terms.accept // as `openingText` wrote it

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
  const transactions = payment.facts.transactions.map((transaction) => rowOf(payment, transaction))
  let transactionsText = ''
  for (const { txHash, blocks, number, paid, final } of transactions) {
    transactionsText += `${txHash} ${blocks.join()} ${number} ${paid} ${final},`
  }
  const standingText = `${payment.status} ${payment.flags.join()} ${dueAt}`
  return { dueAt, standingText, transactions, transactionsText }
}

/**
 * Final: nothing is expected to change, because the chain itself has finalized the block, or, where
 * it has no such word, the payment is final by its policy. A final payment may have a second
 * transaction that is not: that one is looked at again with every step of the chain.
 */
function rowOf(payment: Payment, transaction: Transaction): TransactionRow {
  const { chain, txHash, inclusions } = transaction
  const inclusion = canonicalInclusion(transaction)
  const number = inclusion?.block?.number ?? null
  const finalized = payment.facts.heads[chain]?.finalized ?? null
  const isBuried = number !== null && finalized !== null && number <= finalized
  return {
    paymentId: payment.id,
    chain,
    txHash,
    blocks: Object.keys(inclusions),
    number,
    paid: inclusion?.outcome === 'paid',
    final: finalized === null ? payment.finality === 'final' && number !== null : isBuried,
  }
}
