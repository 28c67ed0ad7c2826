/**
 * Events per second of a whole `settlewire audit` (seals, sequences, positions, heads and every row
 * compared with the fold), compared with a plain read and SHA-256 of the same bytes in the same
 * pages on the same connection. The history is made as in the append bench. The result is the
 * median of five rounds after one that warms up the code. Run: `node bench/audit.ts`.
 */
import { hash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { systemClock } from '../server/src/clock.ts'
import { silentLog } from '../server/src/log.ts'
import { audit } from '../server/src/store/audit/audit.ts'
import { DatabaseSource } from '../server/src/store/audit/database-source.ts'
import { startEmbedded } from '../server/src/store/embedded/embedded.ts'
import { migrate } from '../server/src/store/migrate.ts'
import { openStore } from '../server/src/store/open.ts'
import { temporaryHome } from '../test/support/postgres-server.ts'
import { ScriptedPayment, scriptPolicy } from '../test/support/scripted-payments.ts'
import { formatTable } from './support/table.ts'

const paymentsPerBatch = 50
const batches = 80
const rounds = 5
const goal = 50_000

async function fill(url: string, settled: number): Promise<number> {
  const store = openStore({ url, clock: systemClock, log: silentLog })
  await store.policies.keep(scriptPolicy(settled))
  let events = 0
  let bornAt = Date.UTC(2026, 0, 1)
  for (let batch = 0; batch < batches; batch++) {
    const payments = Array.from(
      { length: paymentsPerBatch },
      () => new ScriptedPayment({ settled, bornAt: ++bornAt }),
    )
    const appends = payments.map((payment) => payment.whole())
    events += (await store.events.append({ appends })).length
  }
  await store.close()
  return events
}

/** The minimum work of any audit: reads all events in its pages and hashes each. */
async function plainly(url: string): Promise<number> {
  const source = await DatabaseSource.open(url)
  let events = 0
  for await (const page of source.pages({})) {
    for await (const run of page.events()) {
      for (const { data, evidence } of run) hash('sha256', `${data}${evidence}`)
      events += run.length
    }
  }
  await source.close()
  return events
}

async function wholly(url: string): Promise<number> {
  const source = await DatabaseSource.open(url)
  const report = await audit({ source, scope: {}, builtIn: [] })
  await source.close()
  if (report.found > 0) throw new Error(`the audit found an error: ${report.findings[0]?.what}`)
  return report.events
}

async function rate(work: () => Promise<number>): Promise<number> {
  const startedAt = performance.now()
  return (await work()) / ((performance.now() - startedAt) / 1_000)
}

const home = await temporaryHome()
const server = await startEmbedded({ home, clock: systemClock, log: silentLog })
try {
  await migrate(server.url, { log: silentLog })
  const events = await fill(server.url, 12)
  await wholly(server.url)
  const found: { ours: number; plain: number }[] = []
  for (let round = 0; round < rounds; round++) {
    const plain = await rate(() => plainly(server.url))
    found.push({ plain, ours: await rate(() => wholly(server.url)) })
  }
  const [, , middle] = found.sort((a, b) => a.ours / a.plain - b.ours / b.plain)
  if (middle === undefined) throw new Error('no rounds to take the median of')
  const { ours, plain } = middle
  console.log(`audit: events/s over a history of ${events}`)
  console.log(
    formatTable(['', 'audit', 'read + sha256', 'ratio'], [['all', ours, plain, ours / plain]]),
  )
  console.log(`\nGoal: at least ${goal}. ${ours >= goal ? 'Met' : 'Missed'}.`)
} finally {
  await server.stop()
  await rm(home, { recursive: true, force: true })
}
