import { assert } from '@settlewire/core/assert'
import { nextDeadline } from '@settlewire/core/deadline'
import type { PaymentEvent } from '@settlewire/core/event'
import { type Instant, toRfc3339 } from '@settlewire/core/instant'
import type { Payment, Transaction } from '@settlewire/core/payment'
import { paymentToJson } from '@settlewire/core/payment-json'
import { canonicalInclusion } from '@settlewire/core/transfer'
import type { Append, Batch, CursorMove, IdempotentResult, StoredEvent } from '../ports.ts'
import { arrayOf } from './array-literal.ts'
import type { Statement } from './database.ts'
import { encodeEvidence, noHash, type Sealed, seal } from './hash-chain.ts'

/** An event of a batch, sealed, with its place among those of its feed in this batch. */
interface Placed {
  readonly append: Append
  readonly event: PaymentEvent
  readonly sealed: Sealed
  readonly feed: Feed
  /** From 1. */
  readonly place: number
}

interface Feed {
  readonly number: number
  readonly merchantId: string
  readonly livemode: boolean
  count: number
}

/** A batch, ready to be sent. */
export interface Prepared {
  readonly placed: readonly Placed[]
  readonly feeds: readonly Feed[]
}

const parameterCount = 38

/** `settlewire_append` of 0005_append.sql. */
export const appendStatement: Statement = {
  name: 'append',
  text: `select feed, last_position from settlewire_append(${Array.from(
    { length: parameterCount },
    (_, index) => `$${index + 1}`,
  ).join(', ')})`,
}

/** Seals every event to the one before it. `prevHashOf` knows the hash each payment is at. */
export function prepare(
  appends: readonly Append[],
  prevHashOf: (append: Append) => string,
): Prepared {
  const feeds = new Map<string, Feed>()
  const seen = new Set<string>()
  const encodeOnce = evidenceEncoder()
  const placed = appends.flatMap((append) => {
    check(append, seen)
    const feed = feedOf(append.state, feeds)
    let prevHash = append.expectedSequence === 0 ? noHash : prevHashOf(append)
    return append.events.map((event) => {
      const sealed = seal(event, prevHash, encodeOnce(event))
      prevHash = sealed.hash
      feed.count += 1
      return { append, event, sealed, feed, place: feed.count }
    })
  })
  return { placed, feeds: [...feeds.values()] }
}

/** The values of `appendStatement`, a column each. */
export function parametersOf(batch: Batch, { placed, feeds }: Prepared): unknown[] {
  const parameters = [
    ...paymentColumns(batch.appends, placed),
    ...transactionColumns(batch.appends),
    arrayOf.plain(feeds.map((feed) => feed.merchantId)),
    arrayOf.plain(feeds.map((feed) => feed.livemode)),
    arrayOf.plain(feeds.map((feed) => feed.count)),
    ...eventColumns(placed),
    jsonOrNull(batch.appends.flatMap(addressesOf)),
    jsonOrNull((batch.cursors ?? []).map(cursorToJson)),
    jsonOrNull((batch.idempotency ?? []).map(answerToJson)),
  ]
  assert(parameters.length === parameterCount, 'every parameter of settlewire_append is given')
  return parameters
}

/** What became of a batch: each event with its place, given where each feed now ends. */
export function storedEvents(
  { placed }: Prepared,
  lastPositions: ReadonlyMap<number, number>,
  committedAt: Instant,
): StoredEvent[] {
  return placed.map(({ append, event, sealed, feed, place }) => {
    const last = lastPositions.get(feed.number)
    assert(last !== undefined, 'every feed of the batch was moved')
    return {
      event,
      paymentId: append.state.id,
      merchantId: append.state.merchantId,
      livemode: append.state.livemode,
      position: last - feed.count + place,
      dataJson: sealed.dataJson,
      prevHash: sealed.prevHash,
      hash: sealed.hash,
      committedAt,
    }
  })
}

/** What the engine promises with a batch. Broken, the history would be wrong for ever. */
function check({ expectedSequence, events, state }: Append, seen: Set<string>): void {
  assert(!seen.has(state.id), 'a batch has one share per payment')
  seen.add(state.id)
  assert(events.length > 0, 'an append has events')
  for (const [index, { data }] of events.entries()) {
    assert(data.id === state.id, 'the events are of the payment')
    assert(data.sequence === expectedSequence + index + 1, 'sequences have no gap')
  }
  const last = events.at(-1)
  assert(state.sequence === expectedSequence + events.length, 'the state is that after the events')
  assert(state.head.eventId === last?.id, 'the head is the last event')
}

/** One observation moves many payments; its evidence is encoded once. */
function evidenceEncoder(): (event: PaymentEvent) => string {
  const known = new Map<unknown, { policy: string; json: string }>()
  return ({ evidence }) => {
    const before = known.get(evidence.fact)
    if (before !== undefined && before.policy === evidence.policy) return before.json
    const json = encodeEvidence(evidence)
    known.set(evidence.fact, { policy: evidence.policy, json })
    return json
  }
}

function feedOf({ merchantId, livemode }: Payment, feeds: Map<string, Feed>): Feed {
  const key = `${livemode} ${merchantId}`
  const known = feeds.get(key)
  if (known !== undefined) return known
  const feed = { number: feeds.size + 1, merchantId, livemode, count: 0 }
  feeds.set(key, feed)
  return feed
}

function paymentColumns(appends: readonly Append[], placed: readonly Placed[]): unknown[] {
  const first = new Map<Append, string>()
  const last = new Map<Append, string>()
  for (const { append, sealed } of placed) {
    if (!first.has(append)) first.set(append, sealed.prevHash)
    last.set(append, sealed.hash)
  }
  const column = <Cell>(cell: (append: Append) => Cell): Cell[] => appends.map(cell)
  return [
    arrayOf.plain(column(({ state }) => state.id)),
    arrayOf.plain(column(({ expectedSequence }) => expectedSequence)),
    arrayOf.hash(column((append) => first.get(append) ?? noHash)),
    arrayOf.plain(column(({ state }) => state.merchantId)),
    arrayOf.plain(column(({ state }) => state.livemode)),
    arrayOf.plain(column(({ state }) => toRfc3339(state.createdAt))),
    arrayOf.text(column(({ state }) => state.terms.reference)),
    arrayOf.plain(column(({ state }) => state.status)),
    arrayOf.text(column(({ state }) => arrayOf.plain(state.flags))),
    arrayOf.plain(column(({ state }) => state.sequence)),
    arrayOf.plain(column(({ state }) => state.head.eventId)),
    arrayOf.hash(column((append) => last.get(append) ?? noHash)),
    arrayOf.plain(column(({ state }) => toRfc3339(nextDeadline(state)))),
    arrayOf.json(column(({ state }) => JSON.stringify(paymentToJson(state)))),
  ]
}

function transactionColumns(appends: readonly Append[]): unknown[] {
  const rows = appends.flatMap(({ state }) =>
    state.facts.transactions.map((transaction) => transactionRow(state, transaction)),
  )
  return [
    arrayOf.plain(rows.map((row) => row.paymentId)),
    arrayOf.text(rows.map((row) => row.chain)),
    arrayOf.text(rows.map((row) => row.txHash)),
    arrayOf.text(rows.map((row) => arrayOf.text(row.blocks))),
    arrayOf.plain(rows.map((row) => row.number)),
    arrayOf.plain(rows.map((row) => row.paid)),
    arrayOf.plain(rows.map((row) => row.final)),
  ]
}

/**
 * Final: nothing is expected to change, because the payment is final by its policy or the chain
 * itself has finalized the block. Anything else is looked at again with every step of the chain.
 */
function transactionRow(payment: Payment, transaction: Transaction) {
  const { chain, txHash, inclusions } = transaction
  const inclusion = canonicalInclusion(transaction)
  const number = inclusion?.block?.number ?? null
  const finalized = payment.facts.heads[chain]?.finalized ?? null
  return {
    paymentId: payment.id,
    chain,
    txHash,
    blocks: Object.keys(inclusions).sort(),
    number,
    paid: inclusion?.outcome === 'paid',
    final: payment.finality === 'final' || isBuried(number, finalized),
  }
}

const isBuried = (number: number | null, finalized: number | null): boolean =>
  number !== null && finalized !== null && number <= finalized

function eventColumns(placed: readonly Placed[]): unknown[] {
  const column = <Cell>(cell: (row: Placed) => Cell): Cell[] => placed.map(cell)
  return [
    arrayOf.plain(column(({ feed }) => feed.number)),
    arrayOf.plain(column(({ place }) => place)),
    arrayOf.plain(column(({ append }) => append.state.id)),
    arrayOf.plain(column(({ event }) => event.data.sequence)),
    arrayOf.plain(column(({ event }) => event.id)),
    arrayOf.plain(column(({ event }) => event.type)),
    arrayOf.plain(column(({ event }) => toRfc3339(event.at))),
    arrayOf.json(column(({ sealed }) => sealed.dataJson)),
    arrayOf.json(column(({ sealed }) => sealed.evidenceJson)),
    arrayOf.hash(column(({ sealed }) => sealed.prevHash)),
    arrayOf.hash(column(({ sealed }) => sealed.hash)),
  ]
}

const jsonOrNull = (rows: readonly object[]): string | null =>
  rows.length === 0 ? null : JSON.stringify(rows)

function addressesOf({ expectedSequence, state, depositIndex }: Append): object[] {
  if (expectedSequence !== 0) return []
  const addresses = new Set(state.terms.accept.map(({ address }) => address))
  return [...addresses].map((address) => ({
    address,
    payment_id: state.id,
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
  created_at: toRfc3339(answer.at),
})
