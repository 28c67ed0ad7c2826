/**
 * The time until a starting process has loaded all open payments: 84,000 on one chain, of which
 * 20,000 have money in a block that is not final. Compared with a bare `select` of all the same
 * rows, which is the cost of database and wire alone. Run: `node bench/start.ts`.
 */
import { rm } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { Client } from 'pg'
import { systemClock } from '../server/src/clock.ts'
import { WatchIndex } from '../server/src/engine/watch/watch-index.ts'
import { silentLog } from '../server/src/log.ts'
import { startEmbedded } from '../server/src/store/embedded/embedded.ts'
import { migrate } from '../server/src/store/migrate.ts'
import { openStore } from '../server/src/store/open.ts'
import { policy } from '../test/support/payments.ts'
import { temporaryHome } from '../test/support/postgres-server.ts'
import { ScriptedPayment } from '../test/support/scripted-payments.ts'
import { formatTable } from './support/table.ts'

const openMax = Number(process.argv[2] ?? 84_000)
const movingMax = Math.round(openMax / 4.2)
const batchMax = 1_000
const rounds = 3
const goalMs = 5_000
const bornAt = Date.UTC(2026, 0, 1)

const home = await temporaryHome()
const server = await startEmbedded({ home, clock: systemClock, log: silentLog })
await migrate(server.url, { log: silentLog })
const store = openStore({ url: server.url, clock: systemClock, log: silentLog })
for (let made = 0; made < openMax; made += batchMax) {
  const count = Math.min(batchMax, openMax - made)
  const payments = Array.from(
    { length: count },
    (_, i) => new ScriptedPayment({ settled: 12, bornAt: bornAt + made + i }),
  )
  await store.events.append({ appends: payments.map((payment) => payment.opening()) })
  const moving = payments.slice(0, Math.max(0, Math.min(count, movingMax - made)))
  if (moving.length === 0) continue
  await store.events.append({ appends: moving.map((payment) => payment.step()) })
  await store.events.append({ appends: moving.map((payment) => payment.step()) })
}

const loads: number[] = []
const bare: number[] = []
for (let round = 0; round < rounds; round++) {
  const index = new WatchIndex([{ name: 'local', livemode: false }], policy)
  let startedAt = performance.now()
  await index.load(store.events)
  loads.push(performance.now() - startedAt)
  if (index.size !== openMax) throw new Error(`the index has ${index.size} payments`)
  const unsettled = index.chain('local')?.unsettled().length
  if (unsettled !== movingMax) throw new Error(`${unsettled} payments are unsettled`)
  const client = new Client({ connectionString: server.url })
  await client.connect()
  startedAt = performance.now()
  await client.query(
    'select s.id, e.evidence from subject s join event e on e.subject_id = s.id and e.sequence = 1',
  )
  await client.query(
    'select s.standing, t.part from subject_state s join transaction t on t.subject_id = s.subject_id where not t.final',
  )
  bare.push(performance.now() - startedAt)
  await client.end()
}
const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
console.log(`start: ${openMax} open payments, ${movingMax} of them with money that is not final`)
console.log(
  formatTable(
    ['', 'start', 'bare select'],
    [['ms', Math.round(middle(loads)), Math.round(middle(bare))]],
  ),
)
console.log(`\nGoal: at most ${goalMs} ms. ${middle(loads) <= goalMs ? 'Met' : 'Missed'}.`)
await store.close()
await server.stop()
await rm(home, { recursive: true, force: true })
