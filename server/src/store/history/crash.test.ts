import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { failedWith } from '@settlewire/core/errors'
import { fold } from '@settlewire/core/payment/fold'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FeedChecker, storedSealProblems } from '../../../../test/support/feed-checker.ts'
import { pastOf } from '../../../../test/support/past.ts'
import { queryAs, startPostgres, type TestPostgres } from '../../../../test/support/postgres.ts'
import { temporaryHome } from '../../../../test/support/postgres-server.ts'
import {
  appendOf,
  headOf,
  ScriptedPayment,
  scriptPolicy,
  scriptPolicyOf,
} from '../../../../test/support/scripted-payments.ts'
import { systemClock } from '../../clock.ts'
import { failureOf, problemOf } from '../../http/problem.ts'
import { silentLog } from '../../log.ts'
import type { StoredEvent } from '../../ports/history.ts'
import { openStore, type Store } from '../open.ts'

const merchantId = 'mer_test'
const writers = 6

describe('a store whose PostgreSQL is killed during appends', () => {
  let postgres: TestPostgres
  let store: Store
  /** Event ids of batches that were acknowledged, and of batches whose outcome is unknown. */
  const acknowledged: string[][] = []
  const unknown: string[][] = []

  beforeEach(async () => {
    postgres = await startPostgres()
    store = openStore({ url: postgres.url, clock: systemClock, log: silentLog })
    acknowledged.length = 0
    unknown.length = 0
  })

  afterEach(async () => {
    await store.close()
    await postgres.stop()
  })

  /** Appends one batch after another until the store rejects with `store_unavailable`. */
  const writeUntilItFails = async (): Promise<void> => {
    for (;;) {
      const payments = Array.from({ length: 5 }, () => new ScriptedPayment({ merchantId }))
      for (let step = 0; step < 6; step++) {
        const appends = payments.map((p) => (step === 0 ? p.opening() : p.step()))
        const ids = appends.flatMap(({ events }) => events.map(({ id }) => id))
        try {
          await store.events.append({ appends })
          acknowledged.push(ids)
        } catch (error) {
          if (!failedWith(error, 'store_unavailable')) throw error
          unknown.push(ids)
          return
        }
      }
    }
  }

  const readFeed = async (): Promise<StoredEvent[]> => {
    const events: StoredEvent[] = []
    for (;;) {
      const page = await store.events.feed(merchantId, false, events.length, 500)
      if (page.length === 0) return events
      events.push(...page)
    }
  }

  it('keeps every acknowledged batch, and other batches whole or not at all', async () => {
    for (let round = 0; round < 3; round++) {
      const before = acknowledged.length
      const work = Promise.all(Array.from({ length: writers }, writeUntilItFails))
      while (acknowledged.length < before + 60) await systemClock.sleep(5)
      await postgres.kill9()
      await work
      await postgres.restart()

      const feed = await readFeed()
      const checker = new FeedChecker()
      for (const stored of feed) checker.see(stored)
      checker.expect(acknowledged.flat())
      expect(checker.problems).toEqual([])
      // A batch that was not acknowledged may be stored, but then as a whole.
      for (const batch of unknown) {
        const there = batch.filter((id) => checker.seen.has(id)).length
        expect([0, batch.length]).toContain(there)
      }
      expect(await storedSealProblems(store.events, checker.subjects)).toEqual([])
      await expectProjectionsToBeFolds(feed)
    }
    expect(unknown).toHaveLength(3 * writers)
  }, 120_000)

  /** Checks that every row that can be derived from the history equals that derivation. */
  const expectProjectionsToBeFolds = async (feed: readonly StoredEvent[]): Promise<void> => {
    const histories = Map.groupBy(feed, ({ subject }) => subject.id)
    const loaded = await store.events.load(paymentKind, [...histories.keys()])
    expect(loaded).toHaveLength(histories.size)
    for (const payment of loaded) {
      expect(fold(await pastOf(store.events, payment.id), scriptPolicyOf)).toEqual(payment)
    }
    const standing = await queryAs<{ id: string; status: string }>(
      postgres.url,
      'select id, status from subject',
    )
    const statuses = new Map(loaded.map(({ id, status }) => [id, status]))
    expect(new Map(standing.map(({ id, status }) => [id, status]))).toEqual(statuses)
  }

  it('resolves a retry after a lost answer: the batch is stored exactly once', async () => {
    const payment = new ScriptedPayment({ merchantId, settled: 99 })
    await store.events.append({ appends: [payment.opening()] })
    await store.events.append({ appends: [payment.step()] })
    await store.events.append({ appends: [payment.step()] })
    let { payment: state }: { payment: Payment } = payment
    let view = 1
    for (let round = 0; round < 3; round++) {
      // Killed between request and answer: whether the batch was committed is unknown.
      const killed = systemClock.sleep(round * 3).then(() => postgres.kill9())
      let outcome: 'acknowledged' | 'unknown' = 'acknowledged'
      let share = appendOf(state, headOf(10 + ++view, view), scriptPolicy(99))
      while (outcome === 'acknowledged') {
        try {
          await store.events.append({ appends: [share] })
          state = share.state
          share = appendOf(state, headOf(10 + ++view, view), scriptPolicy(99))
        } catch (error) {
          if (!failedWith(error, 'store_unavailable')) throw error
          outcome = 'unknown'
        }
      }
      await killed
      await postgres.restart()
      await store.events.append({ appends: [share] }).catch((error: unknown) => {
        if (!failedWith(error, 'sequence_conflict')) throw error
      })
      const [truth] = await store.events.load(paymentKind, [payment.id])
      // Either the retry stored it or the first attempt had: exactly once in both cases.
      expect(truth).toEqual(share.state)
      state = share.state
    }
    const read = await store.events.read(payment.id, 0, 1_000)
    expect(read.map(({ sequence }) => sequence)).toEqual(read.map((_, i) => i + 1))
    expect(read.at(-1)?.id).toBe(state.head.eventId)
  }, 60_000)

  it('reports sequence_conflict for a retry of a batch whose answer was lost', async () => {
    const proxy = await cuttingProxy(postgres.url)
    const far = openStore({ url: proxy.url, clock: systemClock, log: silentLog })
    const payment = new ScriptedPayment({ merchantId })
    await far.events.append({ appends: [payment.opening()] })
    const step = payment.step()
    proxy.cutAnswers = true
    const doubt: unknown = await far.events.append({ appends: [step] }).catch((error) => error)
    // The error must not claim that nothing was changed, because it was.
    expect(problemOf(failureOf(doubt), 'req_1')).toMatchObject({
      code: 'store_unavailable',
      detail: expect.stringContaining(
        'may have been made all the same. Repeat the request with the same Idemp',
      ),
    })
    proxy.cutAnswers = false
    await expect(far.events.append({ appends: [step] })).rejects.toMatchObject({
      code: 'sequence_conflict',
    })
    expect(await far.events.load(paymentKind, [payment.id])).toEqual([step.state])
    await far.close()
    await proxy.close()
  })

  it('rejects with store_unavailable while the server is down, and works again after', async () => {
    expect(await store.events.load(paymentKind, ['pi_none'])).toEqual([])
    await postgres.kill9()
    expect(await store.proveWrites()).toBe('unreachable')
    await expect(store.events.load(paymentKind, ['pi_none'])).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    await postgres.restart()
    expect(await store.proveWrites()).toBeNull()
  })
})

/** A proxy between store and server: forwards everything, or disconnects when an answer arrives. */
async function cuttingProxy(url: string) {
  const directory = await temporaryHome()
  const target = join(new URL(url).searchParams.get('host') ?? '', socketName)
  const proxy = { url: '', cutAnswers: false, close: async () => undefined as unknown }
  const server = createServer((near) => {
    const far = connect(target)
    const cut = (): void => {
      near.destroy()
      far.destroy()
    }
    near.on('data', (bytes) => far.write(bytes))
    far.on('data', (bytes) => (proxy.cutAnswers ? cut() : near.write(bytes)))
    for (const socket of [near, far]) socket.on('error', cut).on('close', cut)
  })
  server.listen(join(directory, socketName))
  await once(server, 'listening')
  const here = new URL(url)
  here.searchParams.set('host', directory)
  proxy.url = here.href
  proxy.close = async () => {
    server.close()
    await rm(directory, { recursive: true, force: true })
  }
  return proxy
}

const socketName = '.s.PGSQL.5432'
