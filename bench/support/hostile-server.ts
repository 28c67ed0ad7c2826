/** The real server with its default limits, and a payment to request. */
import { join } from 'node:path'
import { systemClock as clock } from '../../server/src/clock.ts'
import { readConfig } from '../../server/src/config.ts'
import { silentLog as log } from '../../server/src/log.ts'
import { start } from '../../server/src/main.ts'
import { openStore } from '../../server/src/store/open.ts'
import { addMerchant } from './bench-merchant.ts'
import { answerParent } from './child-program.ts'
import { FlippingPayment } from './flipping-payment.ts'

const config = readConfig(join(import.meta.dirname, '../..'))
const running = await start(config)
const store = openStore({ url: config.databaseUrl ?? '', clock, log })
const payment = new FlippingPayment()
let rssMax = 0

async function prepare(): Promise<{ url: string; id: string; key: string }> {
  const { merchantId, key } = await addMerchant(store, config.home)
  await store.events.append({ appends: [payment.opening(merchantId)] })
  for (let event = 0; event < 100; event++) {
    await store.events.append({ appends: [payment.next()] })
  }
  setInterval(() => {
    rssMax = Math.max(rssMax, process.memoryUsage.rss())
  }, 100).unref()
  return { url: running.url, id: payment.id, key }
}

/** The highest RSS in bytes since the last call. */
function memory(): number {
  const most = Math.max(rssMax, process.memoryUsage.rss())
  rssMax = 0
  return most
}

const answers = { prepare, memory }
export type HostileServer = typeof answers
answerParent(answers)
