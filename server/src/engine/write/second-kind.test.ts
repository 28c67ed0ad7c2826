import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { sealProblems } from '../../../../test/support/feed-checker.ts'
import { policy } from '../../../../test/support/payments.ts'
import {
  ask,
  move,
  type Payout,
  type PayoutMove,
  payoutKind,
} from '../../../../test/support/payout-kind.ts'
import { queryAs } from '../../../../test/support/postgres.ts'
import { ScriptedPayment } from '../../../../test/support/scripted-payments.ts'
import { storeUnderTest } from '../../../../test/support/store-under-test.ts'
import { watchedIn } from '../../../../test/support/watched-in.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { silentMetrics } from '../../metrics.ts'
import type { EventStore, StoredEvent } from '../../ports/history.ts'
import { hintsOfForeign } from '../topic/topics.ts'
import { News } from '../watch/news.ts'
import { WatchIndex } from '../watch/watch-index.ts'
import type { KindWriter } from './kind-writer.ts'
import { Writer } from './writer.ts'

const merchantId = 'mer_test'

let database: Awaited<ReturnType<typeof storeUnderTest>>
let store: EventStore
let writer: Writer
let payouts: KindWriter<Payout, PayoutMove>
const announced: StoredEvent[] = []

beforeAll(async () => {
  database = await storeUnderTest()
  store = database.node()
  writer = new Writer({ store, clock: systemClock, log: silentLog, metrics: silentMetrics })
  payouts = writer.of(payoutKind)
  writer.onCommit((events) => announced.push(...events))
})
afterAll(async () => {
  await writer.close()
  await database.close()
})

let count = 0
const request = () => ({
  ...{ id: `po_${++count}`, merchantId, livemode: false },
  ...{ createdAt: Date.UTC(2026, 0, 1), to: '0xthem', amount: 10n ** 24n },
})

const asked = (): Promise<Payout> =>
  payouts.submit({
    ids: [],
    decide: () => {
      const decision = ask(request())
      return { decisions: [decision], answer: decision.after }
    },
  })

const sent = (id: string, txHash: string): Promise<Payout> =>
  payouts.submit({
    ids: [id],
    decide: (known) => {
      const payout = known.get(id)
      if (payout === null) throw new Error('unknown payout')
      const decision = move(payout, 'sent', txHash)
      return { decisions: [decision], answer: decision.after }
    },
  })

describe('a second kind of subject', () => {
  it('is written, loaded, listed and folded like payments', async () => {
    const { id } = await asked()
    const after = await sent(id, '0xa')
    expect(after).toMatchObject({ status: 'sent', txHash: '0xa', amount: 10n ** 24n })
    expect(await store.load(payoutKind, [id])).toEqual([after])
    const history = await store.history(id, 0, 10)
    expect(history.map(({ type, subject }) => [type, subject.kind])).toEqual([
      ['payout.asked', 'payout'],
      ['payout.sent', 'payout'],
    ])
    expect(sealProblems(history)).toEqual([])
    expect(payoutKind.apply(null, history, () => ({ version: '', chains: {} }))).toEqual(after)
    const { found } = await store.list(payoutKind, { merchantId, livemode: false, limit: 10 })
    expect(found).toEqual([after])
    expect(announced.map((event) => event.id)).toEqual(history.map((event) => event.id))
  })

  it('has rows of its transactions that a ledger can sum', async () => {
    const { id } = await asked()
    await sent(id, '0xb')
    const rows = await queryAs(
      database.url,
      `select chain, tx_hash, to_address, amount::text, counts from transfer where subject_id = '${id}'`,
    )
    expect(rows).toEqual([
      {
        chain: 'local',
        tx_hash: '0xb',
        to_address: '0xthem',
        amount: '1000000000000000000000000',
        counts: true,
      },
    ])
  })

  it('shares the feed of its merchant and a transaction of the database with payments', async () => {
    const payments = writer.of(paymentKind)
    const { length } = await store.feed(merchantId, false, 0, 1_000)
    const payment = new ScriptedPayment()
    const decision = { events: payment.events, payment: payment.payment }
    const before = announced.length
    await Promise.all([
      asked(),
      payments.submit({ ids: [], decide: () => ({ decisions: [decision], answer: null }) }),
      asked(),
    ])
    const feed = await store.feed(merchantId, false, length, 1_000)
    expect(feed.map(({ position }) => position)).toEqual([length + 1, length + 2, length + 3])
    expect(feed.map(({ subject }) => subject.kind).sort()).toEqual([
      ...['payment_intent', 'payout', 'payout'],
    ])
    const xids = await queryAs(
      database.url,
      `select distinct xmin::text from event where position > ${length}`,
    )
    expect([xids.length, announced.length - before]).toEqual([1, 3])
  })

  it('is not loaded, listed, watched or due as a payment, but has deadlines of its own kind', async () => {
    const { id } = await asked()
    expect(await store.load(paymentKind, [id])).toEqual([])
    const { found } = await store.list(paymentKind, { merchantId, livemode: false, limit: 10 })
    expect(found.map((payment) => payment.id)).not.toContain(id)
    const far = Date.UTC(2100, 0, 1)
    const dueOf = async (kind: string) =>
      (await store.due({ kind, now: far, limit: 100 })).map(({ subjectId }) => subjectId)
    expect(await dueOf('payment_intent')).not.toContain(id)
    expect(await dueOf('payout')).toContain(id)
    expect(await store.nextDue('payout')).toBe(request().createdAt + 86_400_000)
    expect((await watchedIn(store)).map(({ paymentId }) => paymentId)).not.toContain(id)
    expect(await store.inBlocks('local', ['0x7'])).toEqual([])
  })

  it('decides again when another process has changed it', async () => {
    const { id } = await asked()
    const other = new Writer({
      ...{ store: database.node(), clock: systemClock, log: silentLog, metrics: silentMetrics },
    })
    const theirs = other.of(payoutKind)
    await theirs.submit({
      ids: [id],
      decide: (known) => ({
        decisions: [move(known.get(id) ?? raise(), 'given_up', null)],
        answer: null,
      }),
    })
    expect(await sent(id, '0xc')).toMatchObject({ sequence: 3, status: 'sent' })
    await other.close()
  })

  it('is announced, and read again, by a process that did not change it', async () => {
    const [here, there] = [process(), process()]
    await here.news.start()
    const { id } = await there.payouts.submit({ ids: [], decide: () => opening(request()) })
    await here.news.read()
    await here.payouts.reload([id])
    await there.payouts.submit({ ids: [id], decide: (known) => sending(known.get(id), '0xd') })
    const loads = here.loads()
    await here.news.read()
    expect(here.heard).toEqual([
      [`subject:payout:${id}`, 1],
      [`feed:${merchantId}:test`, expect.any(Number)],
      [`subject:payout:${id}`, 2],
      [`feed:${merchantId}:test`, expect.any(Number)],
    ])
    // The cached state of the first event is gone: the command decides on the second event at once.
    const after = await here.payouts.submit({
      ids: [id],
      decide: (known) => ({ decisions: [], answer: known.get(id) }),
    })
    expect(after).toMatchObject({ sequence: 2, txHash: '0xd' })
    expect(here.loads()).toBe(loads + 1)
    for (const one of [here, there]) await one.close()
  })

  it('is not reported as news to the process that committed it', async () => {
    const here = process()
    await here.news.start()
    const { id } = await here.payouts.submit({ ids: [], decide: () => opening(request()) })
    await here.payouts.submit({ ids: [id], decide: (known) => sending(known.get(id), '0xe') })
    await here.news.read()
    expect(here.heard).toEqual([])
    await here.close()
  })
})

const opening = (asked: ReturnType<typeof request>) => {
  const decision = ask(asked)
  return { decisions: [decision], answer: decision.after }
}

const sending = (payout: Payout | null, txHash: string) => {
  const decision = move(payout ?? raise(), 'sent', txHash)
  return { decisions: [decision], answer: decision.after }
}

/** A process of its own on the same database, reduced to writing and to reading others' events. */
function process() {
  const own = database.open().events
  const load = vi.spyOn(own, 'load')
  const all = new Writer({
    ...{ store: own, clock: systemClock, log: silentLog, metrics: silentMetrics },
  })
  const payments = all.of(paymentKind)
  const index = new WatchIndex([], policy)
  const news = new News({ store: own, all, writer: payments, index })
  const heard: (readonly [string, number])[] = []
  news.onNews(({ subjects }) => {
    for (const { topic, position } of subjects.flatMap(hintsOfForeign))
      heard.push([topic, position])
  })
  return {
    ...{ news, heard, payouts: all.of(payoutKind) },
    loads: () => load.mock.calls.length,
    close: async () => {
      news.close()
      await all.close()
    },
  }
}

const raise = (): never => {
  throw new Error('unknown payout')
}
