import { expect, it } from 'vitest'
import { Reader } from '../../../../test/support/hub-world.ts'
import { ManualClock } from '../../../../test/support/manual-clock.ts'
import { ScriptedPayment } from '../../../../test/support/scripted-payments.ts'
import { storeUnderTest } from '../../../../test/support/store-under-test.ts'
import { MemoryBackplane } from '../../backplane/memory.ts'
import { silentLog } from '../../log.ts'
import { silentMetrics } from '../../metrics.ts'
import { Hub } from './hub.ts'
import { feedTopic, hintsOf, paymentTopic } from './topics.ts'

it('follows the feed of a merchant like a payment: by position, each event once', async () => {
  const database = await storeUnderTest()
  const store = database.node()
  const backplane = new MemoryBackplane(silentLog)
  const clock = new ManualClock()
  const hub = new Hub({ backplane, clock, log: silentLog, metrics: silentMetrics })
  const [one, two] = [new ScriptedPayment(), new ScriptedPayment()]
  const commit = async (...appends: Parameters<typeof store.append>[0]['appends'][number][]) => {
    for (const hint of hintsOf(await store.append({ appends }))) backplane.announce(hint)
  }
  await commit(one.opening(), two.opening())
  const { merchantId, livemode } = one.payment
  const [feed, payment] = [new Reader(), new Reader()]
  const stops = [
    hub.attach(feed, { topic: feedTopic({ merchantId, livemode }, store), after: 1 }),
    hub.attach(payment, { topic: paymentTopic(two.id, store), after: 0 }),
  ]
  // Both start with a read of the real history.
  await expect.poll(() => [feed.seen, payment.seen]).toEqual([[2], [1]])
  await commit(two.step())
  await commit(one.step())
  await expect
    .poll(() => [feed.seen, payment.seen])
    .toEqual([
      [2, 3, 4],
      [1, 2],
    ])
  expect(feed.frames.map(({ stored }) => stored.subject.id)).toEqual([two.id, two.id, one.id])
  for (const stop of stops) stop()
  expect(hub.size).toBe(0)
  await database.close()
})
