import { assert } from '@settlewire/core/assert'
import type { Projection, TransactionRow, TransferRow } from '@settlewire/core/history/subject-kind'
import { toRfc3339 } from '@settlewire/core/instant'
import type {
  Append,
  Batch,
  CursorMove,
  IdempotentResult,
  Unfinished,
} from '../../ports/history.ts'
import { arrayOf } from '../binary-array.ts'
import type { Statement } from '../database.ts'
import type { Changed } from './changed-rows.ts'
import type { BatchFeed, Placed, Prepared, Share } from './prepare.ts'

const parameterCount = 57

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

/** The parameters of `appendStatement` in order: one value for each column of the batch. */
export function appendValues(batch: Batch, { shares, placed, feeds }: Prepared): unknown[] {
  const owned = shares.flatMap(ownedOf)
  const values = [
    ...subjectColumns(shares),
    ...standingColumns(shares.filter(({ hasMoved }) => hasMoved)),
    ...transactionColumns(owned),
    ...inclusionColumns(owned),
    ...transferColumns(owned),
    ...feedColumns(feeds),
    ...eventColumns(placed),
    jsonOrNull(batch.appends.flatMap(addressesOf)),
    jsonOrNull((batch.cursors ?? []).map(cursorToJson)),
    jsonOrNull((batch.idempotency ?? []).map(answerToJson)),
    jsonOrNull(batch.fences ?? []),
  ]
  assert(values.length === parameterCount, 'settlewire_append gets every value')
  return values
}

const subjectColumns = (shares: readonly Share[]): Column[] => [
  arrayOf.text(shares.map(({ append }) => append.subject.id)),
  arrayOf.hash(shares.map(({ baseSeal }) => baseSeal)),
  arrayOf.integer(shares.map(({ head }) => head.sequence)),
  arrayOf.hash(shares.map(({ head }) => head.seal)),
  arrayOf.long(shares.map(({ append }) => append.projection.standing)),
  arrayOf.boolean(shares.map(({ append }) => opens(append))),
]

const opens = ({ expectedSequence }: Append): boolean => expectedSequence === 0

function standingColumns(shares: readonly Share[]): Column[] {
  const column = <Cell>(cell: (projection: Projection) => Cell): Cell[] =>
    shares.map(({ append }) => cell(append.projection))
  // Values that the opening fixes are sent with the opening only.
  const once = <Cell>(cell: (append: Append) => Cell): (Cell | null)[] =>
    shares.map(({ append }) => (opens(append) ? cell(append) : null))
  return [
    arrayOf.text(shares.map(({ append }) => append.subject.id)),
    arrayOf.text(column(({ status }) => status)),
    arrayOf.text(column(({ flags }) => `{${flags.join(',')}}`)),
    arrayOf.instant(column(({ dueAt }) => dueAt)),
    arrayOf.text(once(({ subject }) => subject.kind)),
    arrayOf.text(once(({ merchantId }) => merchantId)),
    arrayOf.boolean(once(({ livemode }) => livemode)),
    arrayOf.instant(once(({ projection }) => projection.createdAt)),
    arrayOf.text(once(({ projection }) => projection.reference)),
  ]
}

/** A transaction to be written, with the subject that it belongs to. */
interface Owned extends Changed {
  readonly subjectId: string
}

const ownedOf = ({ append, transactions }: Share): Owned[] =>
  transactions.map((changed) => ({ subjectId: append.subject.id, ...changed }))

function transactionColumns(owned: readonly Owned[]): Column[] {
  const column = <Cell>(cell: (row: TransactionRow) => Cell): Cell[] =>
    owned.map(({ row }) => cell(row))
  return [
    arrayOf.text(owned.map(({ subjectId }) => subjectId)),
    arrayOf.text(column(({ chain }) => chain)),
    arrayOf.text(column(({ txHash }) => txHash)),
    arrayOf.bigint(column(({ number }) => number)),
    arrayOf.boolean(column(({ paid }) => paid)),
    arrayOf.boolean(column(({ final }) => final)),
    arrayOf.long(column(({ part }) => part)),
    arrayOf.integer(owned.map(({ transfersLeft }) => transfersLeft)),
    arrayOf.boolean(owned.map(({ isNew }) => isNew)),
  ]
}

/** The rows of all transactions, each with the place of its transaction, from 1. */
const rowsOf = <Row>(
  owned: readonly Owned[],
  rows: (one: Owned) => readonly Row[],
): { readonly tx: number; readonly n: number; readonly row: Row }[] =>
  owned.flatMap((one, index) => rows(one).map((row, n) => ({ tx: index + 1, n, row })))

function inclusionColumns(owned: readonly Owned[]): Column[] {
  const rows = rowsOf(owned, ({ inclusions }) => inclusions)
  return [
    arrayOf.integer(rows.map(({ tx }) => tx)),
    arrayOf.text(rows.map(({ row }) => row.blockHash)),
    arrayOf.bigint(rows.map(({ row }) => row.blockNumber)),
    arrayOf.boolean(rows.map(({ row }) => row.canonical)),
    arrayOf.text(rows.map(({ row }) => row.outcome)),
  ]
}

function transferColumns(owned: readonly Owned[]): Column[] {
  const rows = rowsOf(owned, ({ transfers }) => transfers)
  const column = <Cell>(cell: (row: TransferRow) => Cell): Cell[] =>
    rows.map(({ row }) => cell(row))
  return [
    arrayOf.integer(rows.map(({ tx }) => tx)),
    arrayOf.integer(rows.map(({ n }) => n)),
    arrayOf.text(column(({ place }) => place)),
    arrayOf.text(column(({ token }) => token)),
    arrayOf.text(column(({ from }) => from)),
    arrayOf.text(column(({ to }) => to)),
    arrayOf.text(column(({ amount }) => String(amount))),
    arrayOf.bigint(column(({ blockNumber }) => blockNumber)),
    arrayOf.text(column(({ stage }) => stage)),
    arrayOf.boolean(column(({ counts }) => counts)),
  ]
}

const feedColumns = (feeds: readonly BatchFeed[]): Column[] => [
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
  const { subject, merchantId, projection, depositIndex } = append
  return projection.addresses.map((address) => ({
    address,
    subject_id: subject.id,
    merchant_id: merchantId,
    deposit_index: depositIndex ?? null,
  }))
}

const cursorToJson = (move: CursorMove): object => ({
  chain: move.chain,
  from_view: move.fromView,
  from_open: move.fromOpen ?? false,
  ...move.head,
  reverted: move.reverted,
  applied: move.applied.map(({ number, hash, parentHash, minedAt }) => ({
    number,
    hash,
    parent_hash: parentHash,
    mined_at: toRfc3339(minedAt),
  })),
  ...(move.unfinished !== undefined && unfinishedToJson(move.unfinished)),
})

/** The blocks are stored and returned as they are: no statement reads inside them. */
function unfinishedToJson(unfinished: Unfinished | null): object {
  if (unfinished === null) return { is_open: false, unfinished: null }
  const { isOpen, ...left } = unfinished
  return { is_open: isOpen, unfinished: left }
}

const answerToJson = (answer: IdempotentResult): object => ({
  merchant_id: answer.merchantId,
  livemode: answer.livemode,
  key: answer.key,
  request_hash: answer.requestHash,
  status: answer.status,
  payment_id: answer.paymentId,
  sequence: answer.sequence,
  told: answer.body,
  created_at: toRfc3339(answer.at),
})
