/** The real server (its configuration, history, hub and HTTP) with one payment to watch. */
import { join } from 'node:path'
import { MemoryBackplane } from '../../server/src/backplane/memory.ts'
import { systemClock as clock } from '../../server/src/clock.ts'
import { readConfig } from '../../server/src/config.ts'
import { Frame } from '../../server/src/engine/topic/hub-frame.ts'
import { hintsOf } from '../../server/src/engine/topic/topics.ts'
import { silentLog as log } from '../../server/src/log.ts'
import { start } from '../../server/src/main.ts'
import { openStore } from '../../server/src/store/open.ts'
import { addMerchant } from './bench-merchant.ts'
import { answerParent } from './child-program.ts'
import { FlippingPayment } from './flipping-payment.ts'
import { collectedBytes, cpuMicros, residentBytes } from './process-usage.ts'

const config = readConfig(join(import.meta.dirname, '../..'))
const backplane = new MemoryBackplane(log)
const running = await start(config, { backplane: () => backplane })
const store = openStore({ url: config.databaseUrl ?? '', clock, log })
const payment = new FlippingPayment()

async function prepare(): Promise<{ url: string; path: string; key: string }> {
  const { merchantId, key } = await addMerchant(store, config.home)
  await store.events.append({ appends: [payment.opening(merchantId)] })
  return { url: running.url, path: `/v1/payment-intents/${payment.id}/stream`, key }
}

/** Commits and announces one event as a writer does. Returns its frame. */
async function publish(): Promise<string> {
  const events = await store.events.append({ appends: [payment.next()] })
  const [stored] = events
  if (stored === undefined) throw new Error('the append returned no event')
  for (const hint of hintsOf(events)) backplane.announce(hint)
  return new Frame(stored, stored.sequence, clock.now()).sse.toString('base64')
}

const answers = {
  prepare,
  publish,
  cpu: cpuMicros,
  resident: residentBytes,
  collected: collectedBytes,
}
export type FanOutServer = typeof answers
answerParent(answers)
