import { assert } from '@settlewire/core/assert'
import { toRfc3339 } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment'
import type { Append, Batch, CursorMove, IdempotentResult } from '../ports.ts'
import { arrayOf } from './binary-array.ts'
import type { Statement } from './database.ts'
import type { Feed, Placed, Prepared, Share } from './prepare.ts'
import { stateText, type TransactionRow } from './projection.ts'

const parameterCount = 42

/** An array in one of PostgreSQL's two forms. */
type Column = Buffer | string

/** `settlewire_append` of 0005_append.sql. */
export const appendStatement: Statement = {
  name: 'append',
  text: `select feed, last_position from settlewire_append(${Array.from(
    { length: parameterCount },
    (_, index) => `$${index + 1}`,
  ).join(', ')})`,
}

/** Its values, in its order: a column of the batch each. */
export function appendValues(batch: Batch, { shares, placed, feeds }: Prepared): unknown[] {
  const values = [
    ...paymentColumns(shares),
    ...standingColumns(shares.filter(({ hasMoved }) => hasMoved.standing)),
    ...transactionColumns(
      shares.flatMap(({ findable, hasMoved }) =>
        hasMoved.transactions ? findable.transactions : [],
      ),
    ),
    ...feedColumns(feeds),
    ...eventColumns(placed),
    jsonOrNull(batch.appends.flatMap(addressesOf)),
    jsonOrNull((batch.cursors ?? []).map(cursorToJson)),
    jsonOrNull((batch.idempotency ?? []).map(answerToJson)),
  ]
  assert(values.length === parameterCount, 'settlewire_append gets every value')
  return values
}

const paymentColumns = (shares: readonly Share[]): Column[] => [
  arrayOf.text(shares.map(({ append }) => append.state.id)),
  arrayOf.hash(shares.map(({ baseSeal }) => baseSeal)),
  arrayOf.integer(shares.map(({ head }) => head.sequence)),
  arrayOf.text(shares.map(({ append }) => append.state.head.eventId)),
  arrayOf.hash(shares.map(({ head }) => head.seal)),
  arrayOf.long(shares.map(({ append }) => stateText(append.state))),
  arrayOf.boolean(shares.map(({ append }) => opens(append))),
]

const opens = ({ expectedSequence }: Append): boolean => expectedSequence === 0

function standingColumns(shares: readonly Share[]): Column[] {
  const column = <Cell>(cell: (payment: Payment) => Cell): Cell[] =>
    shares.map(({ append }) => cell(append.state))
  // What is fixed by the opening is sent with it and never again.
  const once = <Cell>(cell: (payment: Payment) => Cell): (Cell | null)[] =>
    shares.map(({ append }) => (opens(append) ? cell(append.state) : null))
  return [
    arrayOf.text(column(({ id }) => id)),
    arrayOf.text(column(({ status }) => status)),
    arrayOf.text(column(({ flags }) => `{${flags.join(',')}}`)),
    arrayOf.instant(shares.map(({ findable }) => findable.dueAt)),
    arrayOf.text(once(() => 'payment_intent')),
    arrayOf.text(once(({ merchantId }) => merchantId)),
    arrayOf.boolean(once(({ livemode }) => livemode)),
    arrayOf.instant(once(({ createdAt }) => createdAt)),
    arrayOf.text(once(({ terms }) => terms.reference)),
  ]
}

function transactionColumns(rows: readonly TransactionRow[]): Column[] {
  const column = <Cell>(cell: (row: TransactionRow) => Cell): Cell[] => rows.map(cell)
  const perBlock = (cell: (row: TransactionRow, block: string) => string): string[] =>
    rows.flatMap((row) => row.blocks.map((block) => cell(row, block)))
  return [
    arrayOf.text(column(({ txHash }) => txHash)),
    arrayOf.text(column(({ paymentId }) => paymentId)),
    arrayOf.text(column(({ chain }) => chain)),
    arrayOf.bigint(column(({ number }) => number)),
    arrayOf.boolean(column(({ paid }) => paid)),
    arrayOf.boolean(column(({ final }) => final)),
    arrayOf.text(perBlock((_, block) => block)),
    arrayOf.text(perBlock(({ paymentId }) => paymentId)),
    arrayOf.text(perBlock(({ chain }) => chain)),
  ]
}

const feedColumns = (feeds: readonly Feed[]): Column[] => [
  arrayOf.text(feeds.map(({ merchantId }) => merchantId)),
  arrayOf.boolean(feeds.map(({ livemode }) => livemode)),
  arrayOf.integer(feeds.map(({ count }) => count)),
]

function eventColumns(placed: readonly Placed[]): Column[] {
  const column = <Cell>(cell: (row: Placed) => Cell): Cell[] => placed.map(cell)
  return [
    arrayOf.integer(column(({ feed }) => feed.number)),
    arrayOf.integer(column(({ place }) => place)),
    arrayOf.text(column(({ event }) => event.subject.kind)),
    arrayOf.text(column(({ event }) => event.subject.id)),
    arrayOf.integer(column(({ event }) => event.sequence)),
    arrayOf.text(column(({ event }) => event.id)),
    arrayOf.text(column(({ event }) => event.type)),
    arrayOf.instant(column(({ event }) => event.at)),
    arrayOf.json(column(({ event }) => event.dataJson)),
    arrayOf.json(column(({ event }) => event.evidenceJson)),
    arrayOf.hash(column(({ seal }) => seal)),
  ]
}

const jsonOrNull = (rows: readonly object[]): string | null =>
  rows.length === 0 ? null : JSON.stringify(rows)

function addressesOf(append: Append): object[] {
  if (!opens(append)) return []
  const { state, depositIndex } = append
  const addresses = new Set(state.terms.accept.map(({ address }) => address))
  return [...addresses].map((address) => ({
    address,
    subject_id: state.id,
    merchant_id: state.merchantId,
    deposit_index: depositIndex ?? null,
  }))
}

const cursorToJson = ({ chain, fromView, head, reverted, applied }: CursorMove): object => ({
  chain,
  from_view: fromView,
  ...head,
  reverted,
  applied: applied.map(({ number, hash, parentHash, minedAt }) => ({
    number,
    hash,
    parent_hash: parentHash,
    mined_at: toRfc3339(minedAt),
  })),
})

const answerToJson = (answer: IdempotentResult): object => ({
  merchant_id: answer.merchantId,
  livemode: answer.livemode,
  key: answer.key,
  request_hash: answer.requestHash,
  status: answer.status,
  payment_id: answer.paymentId,
  sequence: answer.sequence,
  told: answer.told,
  created_at: toRfc3339(answer.at),
})
