import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { pastOf } from '../../../../test/support/past.ts'
import { ScriptedPayment } from '../../../../test/support/scripted-payments.ts'
import { storeUnderTest } from '../../../../test/support/store-under-test.ts'
import { MemoryBackplane } from '../../backplane/memory.ts'
import { systemClock } from '../../clock.ts'
import { showFeed } from '../../http/contract/show.ts'
import { silentLog } from '../../log.ts'
import { silentMetrics } from '../../metrics.ts'
import { type Frame, Hub } from './hub.ts'
import { paymentTopic } from './topics.ts'

let database: Awaited<ReturnType<typeof storeUnderTest>>
beforeAll(async () => {
  database = await storeUnderTest()
})
afterAll(() => database.close())

/** Counts how often evidence is parsed during some work. */
async function evidenceParsed(work: () => Promise<unknown>): Promise<number> {
  const parse = vi.spyOn(JSON, 'parse')
  await work()
  const count = parse.mock.calls.filter(([text]) => String(text).startsWith('{"facts"')).length
  parse.mockRestore()
  return count
}

it('gives events to streams, lists and feeds without parsing their evidence', async () => {
  const payment = new ScriptedPayment()
  const store = database.node()
  const stored = await database.node().append({ appends: [payment.whole()] })
  const frames: Frame[] = []
  const parsed = await evidenceParsed(async () => {
    const backplane = new MemoryBackplane(silentLog)
    const shared = { backplane, clock: systemClock, log: silentLog }
    const hub = new Hub({ ...shared, metrics: silentMetrics })
    const push = (frame: Frame): boolean => frames.push(frame) > 0
    const start = { topic: paymentTopic(payment.id, store), after: 0 }
    const stop = hub.attach({ position: 0, push, lost: () => undefined }, start)
    await hub.look(start.topic.key, stored.length)
    for (const { sse, standing } of frames) expect([sse.length > 0, standing]).toBeTruthy()
    showFeed(await store.feed(payment.payment.merchantId, false, 0, 100), false)
    await store.find(stored[2]?.id ?? '')
    await store.last(payment.id)
    stop()
    await backplane.close()
  })
  expect(frames.map(({ stored }) => stored)).toEqual(
    stored.map((event) => ({ ...event, committedAt: null })),
  )
  expect(JSON.stringify(frames.map((frame) => frame.stored))).not.toContain('rpc:one')
  expect(parsed).toBe(0)

  // Folding parses evidence, so the counter works.
  expect(await evidenceParsed(() => pastOf(store, payment.id))).toBeGreaterThan(0)
})
