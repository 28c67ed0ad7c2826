import { fold } from '@settlewire/core/payment/fold'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { encodeData, wireType } from '@settlewire/core/wire/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FeedChecker, storedSealProblems } from '../../../test/support/feed-checker.ts'
import { pastOf } from '../../../test/support/past.ts'
import { blockAt, bornAt } from '../../../test/support/payments.ts'
import {
  appendOf,
  ScriptedPayment,
  scriptPolicyOf,
} from '../../../test/support/scripted-payments.ts'
import { answer, merchantId, moveTo } from '../../../test/support/store-batches.ts'
import type { EventStoreUnderTest } from '../../../test/support/store-under-test.ts'
import { watchedIn } from '../../../test/support/watched-in.ts'
import type { Append, Batch, EventStore } from '../ports/history.ts'
import { eventStoreQuestionsContract } from './contract-questions.ts'
import { eventStoreWritersContract } from './contract-writers.ts'

/** The contract of EventStore: an adapter is complete when it passes all of these tests. */
export function eventStoreContract(name: string, start: () => Promise<EventStoreUnderTest>): void {
  eventStoreAppendContract(name, start)
  eventStoreQuestionsContract(name, start)
  eventStoreWritersContract(name, start)
}

function eventStoreAppendContract(name: string, start: () => Promise<EventStoreUnderTest>): void {
  describe(`the ${name} history`, () => {
    let store: EventStoreUnderTest
    let events: EventStore

    beforeEach(async () => {
      store = await start()
      events = store.node()
    })
    afterEach(() => store.close())

    const append = (...appends: Append[]) => events.append({ appends })
    const positions = async (livemode = false) =>
      (await events.feed(merchantId, livemode, 0, 1_000)).map(({ position }) => position)

    describe('of one payment', () => {
      it('returns the appended events byte for byte, sealed and in order', async () => {
        const payment = new ScriptedPayment()
        const answered = [...(await append(payment.opening()))]
        while (payment.goesOn) answered.push(...(await append(payment.step())))
        const read = await events.read(payment.id, 0, 100)
        for (const [index, stored] of read.entries()) {
          expect(stored).toEqual({ ...answered[index], committedAt: null })
        }
        const checker = new FeedChecker()
        for (const stored of read) checker.see(stored)
        expect(checker.problems).toEqual([])
        const decided = payment.events
        expect(read.map(({ dataJson }) => dataJson)).toEqual(
          decided.map(({ data }) => encodeData(data)),
        )
        expect(await pastOf(events, payment.id)).toEqual(decided)
        expect(read.map(({ type }) => type)).toEqual(decided.map(({ type }) => wireType(type)))
        expect(await storedSealProblems(events, [payment.id])).toEqual([])
        expect(answered.every(({ committedAt }) => committedAt !== null)).toBe(true)
      })

      it('returns appended events in the order of the batch, not of their ids', async () => {
        const payments = [new ScriptedPayment(), new ScriptedPayment(), new ScriptedPayment()]
        const reversed = payments.sort((a, b) => (a.id < b.id ? 1 : -1))
        const wholes = reversed.map((payment) => payment.whole())
        const stored = await append(...wholes)
        expect(stored.map(({ id }) => id)).toEqual(
          wholes.flatMap(({ events }) => events.map(({ id }) => id)),
        )
        expect(stored.map(({ position }) => position)).toEqual(stored.map((_, index) => index + 1))
      })

      it('reads events after a sequence, up to a limit', async () => {
        const payment = new ScriptedPayment()
        await append(payment.whole())
        const part = await events.read(payment.id, 2, 3)
        expect(part.map(({ sequence }) => sequence)).toEqual([3, 4, 5])
        expect(await events.read(payment.id, 6, 3)).toEqual([])
      })

      it('finds the last event, an event by id, and the head of a payment', async () => {
        const payment = new ScriptedPayment()
        const stored = await append(payment.whole())
        const last = await events.last(payment.id)
        expect(last).toEqual({ ...stored.at(-1), committedAt: null })
        expect(await events.find(stored[2]?.id ?? '')).toEqual({
          ...stored[2],
          committedAt: null,
        })
        expect(await events.heads([payment.id, 'pi_unknown'])).toEqual(new Map([[payment.id, 6]]))
      })

      it('gives the last position of each feed, and 0 for one without events', async () => {
        await append(new ScriptedPayment().whole())
        const live = { merchantId, livemode: true }
        const test = { merchantId, livemode: false }
        const unknown = { merchantId: 'mer_unknown', livemode: false }
        const heads = await events.feedHeads([live, unknown, test])
        const positionOf = (feed: typeof live) =>
          heads.find((one) => one.merchantId === feed.merchantId && one.livemode === feed.livemode)
            ?.position
        expect([live, test, unknown].map(positionOf)).toEqual([0, 6, 0])
      })

      it('returns null or nothing for unknown ids', async () => {
        expect(await events.last('pi_unknown')).toBeNull()
        expect(await events.find('evt_unknown')).toBeNull()
        expect(await events.read('pi_unknown', 0, 10)).toEqual([])
        expect(await events.load(paymentKind, ['pi_unknown'])).toEqual([])
        expect(await events.heads([])).toEqual(new Map())
        expect(await events.feedHeads([])).toEqual([])
        expect(await events.load(paymentKind, [])).toEqual([])
      })

      it('loads the payment as of its last event, equal to the fold of its events', async () => {
        const payment = new ScriptedPayment()
        await append(payment.opening())
        expect(await events.load(paymentKind, [payment.id])).toEqual([payment.payment])
        while (payment.goesOn) {
          await append(payment.step())
          const [loaded] = await store.node().load(paymentKind, [payment.id])
          expect(loaded).toEqual(payment.payment)
          expect(fold(await pastOf(events, payment.id), scriptPolicyOf)).toEqual(loaded)
        }
      })

      it('stores texts unchanged: quotes, braces, emoji, keys like internal ones', async () => {
        const reference = 'a "b" \\c {d}, null 🦊 \u2028 \t ü'
        const metadata = { $big: '7', '': 'empty', 'a"b': 'x\\y', __proto__x: 'z', ü: '\u0000' }
        const payment = new ScriptedPayment({ reference, metadata })
        await append(payment.opening())
        const [loaded] = await store.node().load(paymentKind, [payment.id])
        expect(loaded?.terms.reference).toBe(reference)
        expect(loaded?.terms.metadata).toEqual(metadata)
        expect(await pastOf(events, payment.id)).toEqual(payment.opening().decided)
        const reason = 'withdrawn\u0000 "because"'
        await append(payment.observe({ kind: 'withdrawn', source: 'merchant', at: bornAt, reason }))
        const last = (await pastOf(events, payment.id)).at(-1)
        expect(last?.evidence.facts[0]).toMatchObject({ reason })
        const found = await events.find(last?.id ?? '')
        expect(found?.dataJson).toContain('"status":"cancelled"')
        expect(await watchedIn(events)).toHaveLength(1)
      })
    })

    describe('refuses and writes nothing for', () => {
      const expectOnly = async (payment: ScriptedPayment, sequence: number) => {
        expect(await events.heads([payment.id])).toEqual(new Map([[payment.id, sequence]]))
        expect(await positions()).toEqual(Array.from({ length: sequence }, (_, i) => i + 1))
      }

      it('a payment that has moved on, including all other shares of the batch', async () => {
        const payment = new ScriptedPayment()
        const other = new ScriptedPayment()
        await append(payment.opening())
        const before = payment.payment
        await append(payment.step())
        const late = appendOf(before, payment.included(1))
        await expect(append(other.opening(), late)).rejects.toMatchObject({
          code: 'sequence_conflict',
        })
        await expectOnly(payment, 2)
        expect(await events.load(paymentKind, [other.id])).toEqual([])
      })

      it('a payment that has moved on, on a node that never read it', async () => {
        const payment = new ScriptedPayment()
        await append(payment.opening())
        const before = payment.payment
        await append(payment.step())
        const late = appendOf(before, payment.included(1))
        await expect(store.node().append({ appends: [late] })).rejects.toMatchObject({
          code: 'sequence_conflict',
        })
        await expectOnly(payment, 2)
      })

      it('a payment that another node has moved on', async () => {
        const payment = new ScriptedPayment()
        const here = store.node()
        await here.append({ appends: [payment.opening()] })
        const before = payment.payment
        await store.node().append({ appends: [payment.step()] })
        const late = appendOf(before, payment.included(1))
        await expect(here.append({ appends: [late] })).rejects.toMatchObject({
          code: 'sequence_conflict',
        })
        // The node has learned the new head and appends to it.
        const [truth] = await here.load(paymentKind, [payment.id])
        expect(truth?.sequence).toBe(2)
        await here.append({ appends: [payment.step()] })
        await expectOnly(payment, 3)
      })

      it('a second opening of a payment', async () => {
        const payment = new ScriptedPayment()
        await append(payment.opening())
        await expect(append(payment.opening())).rejects.toMatchObject({
          code: 'sequence_conflict',
        })
        await expectOnly(payment, 1)
      })

      it('a step of a payment that was never opened', async () => {
        const payment = new ScriptedPayment()
        payment.opening()
        await expect(append(payment.step())).rejects.toMatchObject({ code: 'sequence_conflict' })
        expect(await events.load(paymentKind, [payment.id])).toEqual([])
      })

      it('an address of another payment', async () => {
        const payment = new ScriptedPayment()
        const twin = new ScriptedPayment()
        const { accept } = payment.payment.terms
        const opening = twin.opening()
        const addresses = accept.map(({ address }) => address)
        await append(payment.opening())
        await expect(
          append({ ...opening, projection: { ...opening.projection, addresses } }),
        ).rejects.toThrow()
        await expectOnly(payment, 1)
        expect(await events.load(paymentKind, [twin.id])).toEqual([])
      })

      it('a cursor that has moved since the step was read', async () => {
        const payment = new ScriptedPayment()
        await append(payment.opening())
        await events.begin('local', '0xgenesis', blockAt(10))
        const batch: Batch = { appends: [payment.step()], cursors: [moveTo(11, 1)] }
        await expect(events.append(batch)).rejects.toMatchObject({ code: 'cursor_conflict' })
        await expectOnly(payment, 1)
        expect((await events.position('local'))?.head.view).toBe(0)
      })

      it('an idempotency key that is in use', async () => {
        const payment = new ScriptedPayment()
        const other = new ScriptedPayment()
        await events.append({ appends: [payment.opening()], idempotency: [answer(payment)] })
        const batch = { appends: [other.opening()], idempotency: [answer(other)] }
        await expect(events.append(batch)).rejects.toMatchObject({ code: 'idempotency_key_reused' })
        await expectOnly(payment, 1)
        expect(await events.idempotent(merchantId, false, 'key-1')).toEqual(answer(payment))
      })

      it('a batch that breaks the rules for batches', async () => {
        const payment = new ScriptedPayment()
        await append(payment.opening())
        const step = payment.step()
        const broken: Append[][] = [
          [step, step],
          [{ ...step, events: [] }],
          [{ ...step, expectedSequence: 2 }],
          [{ ...step, subject: { kind: 'payout', id: payment.id } }],
        ]
        for (const appends of broken) await expect(append(...appends)).rejects.toThrow('must hold')
        await expectOnly(payment, 1)
      })
    })
  })
}
