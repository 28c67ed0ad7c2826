import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { blockAt, bornAt } from '../../../test/support/payments.ts'
import { headOf, ScriptedPayment } from '../../../test/support/scripted-payments.ts'
import { answer, merchantId, moveTo } from '../../../test/support/store-batches.ts'
import type { EventStoreUnderTest } from '../../../test/support/store-under-test.ts'
import { watchedIn } from '../../../test/support/watched-in.ts'
import type { Append, CursorMove, EventStore } from '../ports/history.ts'

const kind = paymentKind.name

/** The queries of every EventStore: feeds, lists, deadlines, and those about a chain. */
export function eventStoreQuestionsContract(
  name: string,
  start: () => Promise<EventStoreUnderTest>,
): void {
  describe(`the ${name} history, queried`, () => {
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

    describe('by merchant', () => {
      it('has a feed for each mode, without gaps, with the events of all payments', async () => {
        const test = new ScriptedPayment()
        const live = new ScriptedPayment({ livemode: true })
        const foreign = new ScriptedPayment({ merchantId: 'mer_other' })
        await append(test.opening(), live.opening(), foreign.opening())
        await append(live.step(), test.step(), foreign.step())
        await append(test.step())
        expect(await positions()).toEqual([1, 2, 3])
        expect(await positions(true)).toEqual([1, 2])
        const feed = await events.feed(merchantId, true, 1, 10)
        expect(feed.map(({ subject, livemode }) => [subject.id, livemode])).toEqual([
          [live.id, true],
        ])
        const foreigners = await events.feed('mer_other', false, 0, 10)
        expect(foreigners.map(({ position }) => position)).toEqual([1, 2])
        expect((await events.feed(merchantId, false, 1, 1)).map((e) => e.position)).toEqual([2])
      })

      it('lists payments, newest first, in pages', async () => {
        const payments = Array.from(
          { length: 7 },
          (_, index) => new ScriptedPayment({ bornAt: bornAt + index }),
        )
        await append(...payments.map((payment) => payment.opening()))
        await append(payments[3]?.step() ?? raise())
        await append(new ScriptedPayment({ merchantId: 'mer_other' }).opening())
        await append(new ScriptedPayment({ livemode: true }).opening())
        const newestFirst = payments.map(({ id }) => id).reverse()
        const listed: string[] = []
        let cursor: string | undefined
        for (let page = 0; page < 4; page++) {
          const query = { merchantId, livemode: false, limit: 3 }
          const found = await events.list(
            paymentKind,
            cursor === undefined ? query : { ...query, cursor },
          )
          listed.push(...found.found.map(({ id }) => id))
          if (found.next === null) break
          expect(found.next).toBe(listed.at(-1))
          cursor = found.next
        }
        expect(listed).toEqual(newestFirst)
        const all = await events.list(paymentKind, { merchantId, livemode: false, limit: 7 })
        expect(all.next).toBeNull()
        expect(all.found).toEqual(
          await events.load(paymentKind, newestFirst).then((loaded) => {
            const byId = new Map(loaded.map((payment) => [payment.id, payment]))
            return newestFirst.map((id) => byId.get(id))
          }),
        )
      })

      it('finds payments by status, reference, transaction, address, and by all together', async () => {
        const plain = new ScriptedPayment({ reference: 'order-1' })
        const seen = new ScriptedPayment({ reference: 'order-1' })
        const foreign = new ScriptedPayment({ merchantId: 'mer_other', reference: 'order-1' })
        await append(plain.opening(), seen.opening(), foreign.opening())
        await append(seen.step(), foreign.step())
        const ids = async (filter: object) => {
          const found = await events.list(paymentKind, {
            merchantId,
            livemode: false,
            limit: 10,
            ...filter,
          })
          return found.found.map(({ id }) => id).sort()
        }
        expect(await ids({ status: 'awaiting' })).toEqual([plain.id])
        expect(await ids({ status: 'succeeded' })).toEqual([])
        expect(await ids({ reference: 'order-1' })).toEqual([plain.id, seen.id].sort())
        expect(await ids({ txHash: [seen.txHash] })).toEqual([seen.id])
        expect(await ids({ txHash: ['unknown', seen.txHash] })).toEqual([seen.id])
        expect(await ids({ txHash: [seen.txHash.toUpperCase()] })).toEqual([])
        expect(await ids({ txHash: [foreign.txHash] })).toEqual([])
        expect(await ids({ address: [plain.address] })).toEqual([plain.id])
        expect(await ids({ address: [foreign.address] })).toEqual([])
        const names = { txHash: [seen.txHash], address: [seen.address] }
        const all = { status: 'pending_detected', reference: 'order-1', ...names }
        expect(await ids(all)).toEqual([seen.id])
        expect(await ids({ ...all, status: 'awaiting' })).toEqual([])
      })

      it('separates answers to an idempotency key by merchant and mode', async () => {
        const payment = new ScriptedPayment()
        await events.append({ appends: [payment.opening()], idempotency: [answer(payment)] })
        expect(await events.idempotent(merchantId, false, 'key-1')).toEqual(answer(payment))
        expect(await events.idempotent(merchantId, true, 'key-1')).toBeNull()
        expect(await events.idempotent('mer_other', false, 'key-1')).toBeNull()
        expect(await events.idempotent(merchantId, false, 'key-2')).toBeNull()
      })

      it('stores an answer that is not a payment', async () => {
        const payment = new ScriptedPayment()
        const told = { ...answer(payment), body: '{"known":"pending"}' }
        await events.append({ appends: [payment.opening()], idempotency: [told] })
        expect(await events.idempotent(merchantId, false, 'key-1')).toEqual(told)
      })

      it('deletes old answers, oldest first, up to a limit', async () => {
        const given = [5, 1, 4, 2, 3].map((n) => ({
          ...answer(new ScriptedPayment()),
          ...{ key: `key-${n}`, at: bornAt + n },
        }))
        await events.append({ appends: [], idempotency: given })
        const left = async () => {
          const all = given.map(({ key }) => events.idempotent(merchantId, false, key))
          return (await Promise.all(all)).flatMap((it) => it?.key ?? []).sort()
        }
        expect(await events.forgetAnswers(bornAt + 1, 10)).toBe(0)
        expect(await events.forgetAnswers(bornAt + 4, 2)).toBe(2)
        expect(await left()).toEqual(['key-3', 'key-4', 'key-5'])
        expect(await events.forgetAnswers(bornAt + 4, 2)).toBe(1)
        expect(await left()).toEqual(['key-4', 'key-5'])
        // The key can be used again.
        const [again] = given
        if (again === undefined) return raise()
        const reused = { ...again, key: 'key-1' }
        await events.append({ appends: [], idempotency: [reused] })
        expect(await events.idempotent(merchantId, false, 'key-1')).toEqual(reused)
      })
    })

    describe('by deadline', () => {
      it('returns due subjects, earliest first, and the next deadline', async () => {
        expect(await events.nextDue(kind)).toBeNull()
        const [late, early] = [
          new ScriptedPayment({ bornAt: bornAt + 60_000 }),
          new ScriptedPayment(),
        ]
        await append(late.opening(), early.opening())
        const expiresAt = early.payment.terms.expiresAt
        expect(await events.nextDue(kind)).toBe(expiresAt)
        expect(await events.due({ kind, now: expiresAt - 1, limit: 10 })).toEqual([])
        expect(await events.due({ kind, now: expiresAt, limit: 10 })).toEqual([
          { subjectId: early.id, dueAt: expiresAt },
        ])
        const both = await events.due({ kind, now: expiresAt + 60_000, limit: 10 })
        expect(both.map(({ subjectId }) => subjectId)).toEqual([early.id, late.id])
        expect(await events.due({ kind, now: expiresAt + 60_000, limit: 1 })).toHaveLength(1)
        const [first, second] = both
        expect(
          await events.due({ kind, now: expiresAt + 60_000, limit: 10, after: first }),
        ).toEqual([second])
        expect(await events.nextDue(kind, first)).toBe(second?.dueAt)
        expect(
          await events.due({ kind, now: expiresAt + 60_000, limit: 10, after: second }),
        ).toEqual([])
        expect(await events.nextDue(kind, second)).toBeNull()
      })

      it('moves the deadline with the payment', async () => {
        const payment = new ScriptedPayment()
        await append(payment.opening())
        expect(await events.nextDue(kind)).toBe(payment.payment.terms.expiresAt)
        await append(payment.step())
        // The payment is pending, so its next deadline is the time-out of the transaction.
        expect(await events.nextDue(kind)).toBe(bornAt + 4 * 3_600_000)
        await append(payment.step())
        expect(await events.nextDue(kind)).toBe(payment.payment.terms.monitorUntil)
      })

      it('watches a payment until its release, and again after a later append', async () => {
        const payments = [new ScriptedPayment(), new ScriptedPayment(), new ScriptedPayment()]
        payments.sort((a, b) => (a.id < b.id ? -1 : 1))
        const [first, second, third] = payments
        if (!first || !second || !third) return raise()
        await append(...payments.map((payment) => payment.opening()))
        expect(await watchedIn(events)).toEqual(
          [first, second, third].map(({ id, payment }) => ({
            paymentId: id,
            livemode: false,
            accept: payment.terms.accept.map(({ chain, address, token }) => ({
              ...{ chain, address, token },
            })),
          })),
        )
        const watched = async () => (await watchedIn(events)).map((w) => w.paymentId)
        const ended = [first.id, second.id, 'pi_unknown'].map((paymentId) => ({
          ...{ paymentId, sequence: 1 },
        }))
        expect([...(await events.release(ended))].sort()).toEqual([first.id, second.id])
        expect(await watched()).toEqual([third.id])
        // A second release returns the same ids, because their sequences have not changed.
        expect(await events.release(ended)).toHaveLength(2)
        // An append that was read before the release and committed after it.
        await append(first.step())
        expect(await watched()).toEqual([first.id, third.id].sort())
        const due = await events.due({ kind, now: bornAt * 2, limit: 10 })
        expect(due.map(({ subjectId }) => subjectId).sort()).toEqual([first.id, third.id].sort())
      })

      it('does not release a payment that has moved on since it was judged', async () => {
        const payment = new ScriptedPayment()
        await append(payment.opening())
        await append(payment.step())
        expect(await events.release([{ paymentId: payment.id, sequence: 1 }])).toEqual([])
        expect((await watchedIn(events)).map((w) => w.paymentId)).toEqual([payment.id])
        expect(await events.release([{ paymentId: payment.id, sequence: 2 }])).toEqual([payment.id])
        expect(await watchedIn(events)).toEqual([])
      })
    })

    describe('by chain', () => {
      it('starts a chain once, at a block, and refuses another genesis', async () => {
        expect(await events.position('local')).toBeNull()
        const begun = await events.begin('local', '0xgenesis', blockAt(10))
        expect(begun).toEqual({
          genesisHash: '0xgenesis',
          head: { view: 0, head: 10, safe: null, finalized: null },
          recent: [blockAt(10)],
        })
        expect(await store.node().begin('local', '0xgenesis', blockAt(99))).toEqual(begun)
        await expect(events.begin('local', '0xother', blockAt(10))).rejects.toMatchObject({
          code: 'chain_mismatch',
        })
      })

      it('moves the cursor in the transaction that stores the effects', async () => {
        const payment = new ScriptedPayment()
        await append(payment.opening())
        await events.begin('local', '0xgenesis', blockAt(10))
        await events.begin('other', '0xgenesis', blockAt(7))
        await events.append({
          appends: [payment.step()],
          cursors: [
            { ...moveTo(11, 0), head: { view: 1, head: 11, safe: 9, finalized: 8 } },
            { ...moveTo(8, 0), chain: 'other' },
          ],
        })
        expect(await events.position('local')).toEqual({
          genesisHash: '0xgenesis',
          head: { view: 1, head: 11, safe: 9, finalized: 8 },
          recent: [blockAt(11), blockAt(10)],
        })
        expect((await events.position('other'))?.recent[0]).toEqual(blockAt(8))
        expect(await events.heads([payment.id])).toEqual(new Map([[payment.id, 2]]))
      })

      it('reverts blocks and continues on the new branch', async () => {
        await events.begin('local', '0xgenesis', blockAt(10))
        const applied = [blockAt(11), blockAt(12)]
        await events.append({ appends: [], cursors: [{ ...moveTo(12, 0), applied }] })
        const branch = [blockAt(11, 'b'), blockAt(12, 'b'), blockAt(13, 'b')]
        const move: CursorMove = {
          ...moveTo(13, 1),
          reverted: applied.map(({ hash }) => hash),
          applied: branch,
        }
        await events.append({ appends: [], cursors: [move] })
        expect((await events.position('local'))?.recent).toEqual([blockAt(10), ...branch].reverse())
      })

      it('moves the head without a block, and keeps blocks down to the finalized one', async () => {
        await events.begin('local', '0xgenesis', blockAt(10))
        const applied = Array.from({ length: 1_000 }, (_, index) => blockAt(11 + index))
        const finalized = 500
        const head = { view: 1, head: 1_010, safe: null, finalized }
        await events.append({ appends: [], cursors: [{ ...moveTo(1_010, 0), head, applied }] })
        const still = { ...moveTo(1_010, 1), head: { ...head, view: 2 }, applied: [] }
        await events.append({ appends: [], cursors: [still] })
        const found = await events.position('local')
        expect(found?.head.view).toBe(2)
        const numbers = found?.recent.map(({ number }) => number) ?? []
        expect(numbers[0]).toBe(1_010)
        expect(numbers.at(-1)).toBe(finalized)
        expect(numbers).toHaveLength(511)
      })

      it('returns payments whose transactions are not final, through a reorg to finality', async () => {
        const payment = new ScriptedPayment()
        const unsettled = () => events.unsettled('local')
        await append(payment.opening())
        expect(await unsettled()).toEqual([])
        await append(payment.step())
        expect(await unsettled()).toEqual([payment.id])
        await append(payment.step())
        await append(payment.observe(payment.reorged(2, true)))
        expect(await unsettled()).toEqual([payment.id])
        const again = blockAt(payment.block.number + 1, 'b')
        await append(payment.observe(payment.included(3, again)))
        await append(payment.observe(headOf(again.number + 2, 4)))
        expect(payment.payment.status).toBe('succeeded')
        expect(await unsettled()).toEqual([payment.id])
        expect(await events.unsettled('other')).toEqual([])
        await append(payment.observe(headOf(again.number + 20, 5, again.number)))
        expect(await unsettled()).toEqual([])
      })

      it('leaves out payments whose watch has ended, until a later append', async () => {
        const payment = new ScriptedPayment()
        await append(payment.opening())
        await append(payment.step())
        expect(await events.release([{ paymentId: payment.id, sequence: 2 }])).toEqual([payment.id])
        expect(await events.unsettled('local')).toEqual([])
        await append(payment.step())
        expect(await events.unsettled('local')).toEqual([payment.id])
      })

      it('returns a final payment again while a second transaction is not final', async () => {
        const payment = new ScriptedPayment()
        await append(payment.whole())
        expect(payment.payment.finality).toBe('final')
        expect(await events.unsettled('local')).toEqual([])
        const txHash = `0x${'cd'.repeat(32)}`
        const [transfer] = payment.included(1).transfers
        if (transfer === undefined) return raise()
        const second = {
          ...payment.included(9, blockAt(40)),
          txHash,
          transfers: [{ ...transfer, txHash }],
        }
        await append(payment.observe(second))
        expect(await events.unsettled('local')).toEqual([payment.id])
      })

      it('returns watched payments with money in a block, also if all of it is final', async () => {
        const [final, pending, open] = [
          new ScriptedPayment(),
          new ScriptedPayment(),
          new ScriptedPayment(),
        ]
        const paid = () => events.paid('local')
        await append(final.whole(), pending.opening(), open.opening())
        await append(pending.step())
        expect(final.payment.finality).toBe('final')
        expect([await paid(), await events.paid('other')]).toEqual([[final.id], []])
        await append(pending.step())
        expect(await paid()).toEqual([final.id, pending.id].sort())
        await append(pending.observe(pending.reorged(2, true)))
        expect(await paid()).toEqual([final.id])
        const { sequence } = final.payment
        expect(await events.release([{ paymentId: final.id, sequence }])).toHaveLength(1)
        expect(await paid()).toEqual([])
      })

      it('returns payments with a transaction in a block, also in a reverted block', async () => {
        const payment = new ScriptedPayment()
        await append(payment.opening())
        await append(payment.step())
        await append(payment.step())
        const again = blockAt(11, 'b')
        expect(await events.inBlocks('local', [payment.block.hash])).toEqual([payment.id])
        await append(payment.observe(payment.reorged(2, true)))
        await append(payment.observe(payment.included(3, again)))
        const both = [payment.block.hash, again.hash, '0xunknown']
        expect(await events.inBlocks('local', both)).toEqual([payment.id])
        expect(await events.inBlocks('local', [again.hash])).toEqual([payment.id])
        expect(await events.inBlocks('local', ['0xunknown'])).toEqual([])
        expect(await events.inBlocks('local', [])).toEqual([])
        expect(await events.inBlocks('other', both)).toEqual([])
      })
    })
  })
}

function raise(): never {
  throw new Error('the test is wrong')
}
