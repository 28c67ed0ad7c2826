import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FeedChecker, storedSealProblems } from '../../../test/support/feed-checker.ts'
import {
  appendOf,
  headOf,
  ScriptedPayment,
  scriptPolicy,
} from '../../../test/support/scripted-payments.ts'
import type { EventStoreUnderTest } from '../../../test/support/store-under-test.ts'
import { systemClock } from '../clock.ts'
import type { Append, EventStore } from '../ports/history.ts'

const writers = 16
const merchants = ['mer_a', 'mer_b', 'mer_c', 'mer_d']

/** What every EventStore must guarantee under concurrent writers and readers. */
export function eventStoreWritersContract(
  name: string,
  start: () => Promise<EventStoreUnderTest>,
): void {
  describe(`the ${name} history under ${writers} writers`, () => {
    let store: EventStoreUnderTest
    beforeEach(async () => {
      store = await start()
    })
    afterEach(() => store.close())

    it('shows every event to every reader once and in order, during the writes', async () => {
      const nodes = Array.from({ length: 4 }, () => store.node())
      const acknowledged: string[] = []
      const write = async (writer: number): Promise<void> => {
        const events = nodeOf(nodes, writer)
        for (let group = 0; group < 4; group++) {
          const payments = Array.from({ length: 1 + ((writer + group) % 12) }, (_, index) => {
            const merchantId = merchants[(writer + index) % merchants.length] ?? ''
            return new ScriptedPayment({ merchantId })
          })
          for (let step = 0; step < 6; step++) {
            const appends = payments.map((payment) =>
              step === 0 ? payment.opening() : payment.step(),
            )
            const stored = await events.append({ appends })
            acknowledged.push(...stored.map(({ id }) => id))
          }
        }
      }
      const checkers = await readAlong(
        merchants.map((merchantId, index) => feedOf(nodeOf(nodes, index), merchantId)),
        Promise.all(Array.from({ length: writers }, (_, writer) => write(writer))),
      )
      expect(checkers.flatMap(({ problems }) => problems)).toEqual([])
      const seen = checkers.flatMap((checker) => [...checker.seen])
      expect(seen.sort()).toEqual(acknowledged.sort())
      expect(seen.length).toBeGreaterThan(2_000)
      expect(
        await storedSealProblems(
          nodeOf(nodes, 0),
          checkers.flatMap(({ subjects }) => [...subjects]),
        ),
      ).toEqual([])
    })

    it('lets exactly one writer win each sequence of a payment', async () => {
      const payment = new ScriptedPayment()
      await store.node().append({ appends: [payment.opening()] })
      const nodes = Array.from({ length: 4 }, () => store.node())
      for (const step of [payment.step(), payment.step(), payment.step()]) {
        const results = await Promise.allSettled(
          Array.from({ length: writers }, (_, writer) =>
            nodeOf(nodes, writer).append({ appends: [step] }),
          ),
        )
        const lost = results.filter((result) => result.status === 'rejected')
        expect(lost).toHaveLength(writers - 1)
        for (const { reason } of lost) expect(reason).toMatchObject({ code: 'sequence_conflict' })
      }
      const read = await store.node().read(payment.id, 0, 100)
      expect(read.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
    })

    it('never deadlocks two writers, in any order of their batches', async () => {
      const payments = Array.from(
        { length: 12 },
        (_, index) => new ScriptedPayment({ merchantId: merchants[index % 4] ?? '', settled: 999 }),
      )
      const nodes = Array.from({ length: 4 }, () => store.node())
      const ids = payments.map(({ id }) => id)
      await nodeOf(nodes, 0).append({ appends: payments.map((payment) => payment.opening()) })
      await nodeOf(nodes, 0).append({ appends: payments.map((payment) => payment.step()) })
      await nodeOf(nodes, 0).append({ appends: payments.map((payment) => payment.step()) })
      let view = 1
      const race = async (writer: number): Promise<number> => {
        const events = nodeOf(nodes, writer)
        let wins = 0
        for (let tries = 0; tries < 12; tries++) {
          const loaded = await events.load(paymentKind, shuffled(ids).slice(0, 6))
          const at = ++view
          const appends: Append[] = loaded.map((payment) =>
            appendOf(payment, headOf(10 + at, at), scriptPolicy(999)),
          )
          try {
            await events.append({ appends: shuffled(appends) })
            wins += 1
          } catch (error) {
            expect(error).toMatchObject({ code: 'sequence_conflict' })
          }
          if (tries % 4 !== writer % 4) continue
          const ended = loaded.slice(0, 3).map(({ id, sequence }) => ({ paymentId: id, sequence }))
          await events.release(shuffled(ended))
        }
        return wins
      }
      const wins = await Promise.all(Array.from({ length: writers }, (_, writer) => race(writer)))
      expect(wins.reduce((sum, won) => sum + won, 0)).toBeGreaterThan(writers)
    })
  })
}

const nodeOf = (nodes: readonly EventStore[], index: number): EventStore => {
  const node = nodes[index % nodes.length]
  if (node === undefined) throw new Error('the list of nodes is empty')
  return node
}

const shuffled = <Item>(items: readonly Item[]): Item[] =>
  items
    .map((item) => ({ item, at: systemClock.chance() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)

/** Reads a feed after a position, as a follower does. */
export type ReadFeed = (after: number) => ReturnType<EventStore['feed']>

export const feedOf =
  (events: Pick<EventStore, 'feed'>, merchantId: string): ReadFeed =>
  (after) =>
    events.feed(merchantId, false, after, 50)

/** Reads feeds while `work` is running, and then to their end. */
export async function readAlong(
  feeds: readonly ReadFeed[],
  work: Promise<unknown>,
): Promise<FeedChecker[]> {
  let over = false
  const done = work.finally(() => {
    over = true
  })
  const followed = feeds.map(async (read) => {
    const checker = new FeedChecker()
    for (;;) {
      const isLast = over
      const page = await read(checker.position)
      for (const stored of page) checker.see(stored)
      if (page.length === 0 && isLast) return checker
      if (page.length === 0) await systemClock.sleep(1)
    }
  })
  await done
  return Promise.all(followed)
}
