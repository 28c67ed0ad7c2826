/**
 * Durable events per second through `EventStore.append`, in batches of 50, compared with bare
 * multi-row inserts of the same events into an equivalent bare table: same server, same run, in
 * turns. The bare table has the columns and the unique keys of `event`, and nothing else: its side
 * makes no hashes, checks no conflicts, keeps no projection and assigns no positions. Both start
 * with the same events in memory and end when they are on disk. The result is the median of three
 * rounds. Run: `node bench/append.ts`.
 */
import { rm } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { toRfc3339 } from '@settlewire/core/instant'
import { evidenceToJson } from '@settlewire/core/payment/payment-json'
import { systemClock } from '../server/src/clock.ts'
import { silentLog } from '../server/src/log.ts'
import { Database } from '../server/src/store/database.ts'
import { startEmbedded } from '../server/src/store/embedded/embedded.ts'
import { migrate } from '../server/src/store/migrate.ts'
import { openStore } from '../server/src/store/open.ts'
import { execute, temporaryHome } from '../test/support/postgres-server.ts'
import { type Scripted, ScriptedPayment } from '../test/support/scripted-payments.ts'
import { formatTable } from './support/table.ts'

const eventsPerBatch = 50
const rounds = 3
const groupsPerRound = 8
const goal = 0.5
let bornAt = Date.UTC(2026, 0, 1)

type Work = readonly Scripted[][]

interface Case {
  readonly name: string
  readonly writers: number
  readonly merchants: number
  /** Blocks until a payment is settled: 12 is Ethereum's default policy, 3 that of the sandbox. */
  readonly blocks: number
}

const cases: readonly Case[] = [
  { name: '1 writer', writers: 1, merchants: 1, blocks: 12 },
  { name: '2 writers, 2 merchants', writers: 2, merchants: 2, blocks: 12 },
  { name: '8 writers, 8 merchants', writers: 8, merchants: 8, blocks: 12 },
  { name: '8 writers, 1 merchant', writers: 8, merchants: 1, blocks: 12 },
  { name: '8 writers, 3 blocks', writers: 8, merchants: 8, blocks: 3 },
]

/** The batches of each writer, in order: groups of 50 payments, one event of each per batch. */
function makeWork({ writers, merchants, blocks }: Case): Work[] {
  return Array.from({ length: writers }, (_, writer) =>
    Array.from({ length: groupsPerRound / writers }, () =>
      groupOfBatches(`mer_${writer % merchants}`, blocks),
    ).flat(),
  )
}

/** Events: created, detected, a confirmation with each block, succeeded, finalized. */
function groupOfBatches(merchantId: string, settled: number): Work {
  const payments = Array.from(
    { length: eventsPerBatch },
    // A millisecond apart, so that the ids sort by time as in production.
    () => new ScriptedPayment({ merchantId, settled, bornAt: ++bornAt }),
  )
  return Array.from({ length: settled + 3 }, (_, step) =>
    payments.map((payment) => (step === 0 ? payment.opening() : payment.step())),
  )
}

const eventsIn = (work: readonly Work[]): number =>
  work.flat(2).reduce((sum, { decided }) => sum + decided.length, 0)

/** Runs all writers concurrently, each with its batches in order; returns events per second. */
async function rate(
  work: readonly Work[],
  append: (appends: readonly Scripted[]) => Promise<unknown>,
): Promise<number> {
  const startedAt = performance.now()
  await Promise.all(
    work.map(async (batches) => {
      for (const batch of batches) await append(batch)
    }),
  )
  return eventsIn(work) / ((performance.now() - startedAt) / 1000)
}

const bareTable = `create table bare_event (
  merchant_id text, livemode boolean, position bigint, payment_id text, sequence integer, id text,
  kind text, type text, at timestamptz, data json, evidence json, seal bytea,
  recorded_at timestamptz not null default now(), primary key (payment_id, sequence), unique (id),
  unique (merchant_id, livemode, position))`

const bareColumns = [
  ...['merchant_id', 'livemode', 'position', 'payment_id', 'sequence', 'id', 'kind', 'type', 'at'],
  ...['data', 'evidence', 'seal'],
]

const bareRow = (row: number): string =>
  `(${bareColumns.map((_, column) => `$${row * bareColumns.length + column + 1}`).join(', ')})`

const bareInsert = {
  name: 'bare',
  text: `insert into bare_event (${bareColumns.join(', ')}) values ${Array.from(
    { length: eventsPerBatch },
    (_, row) => bareRow(row),
  ).join(', ')}`,
}

let barePosition = 0

const noSeal = Buffer.alloc(32)

/** The same events as rows with the least work: encoded once, without seals. */
const bareValues = (appends: readonly Scripted[]): unknown[] =>
  appends.flatMap(({ decided, state }) =>
    decided.flatMap((event) => [
      ...[state.merchantId, state.livemode, ++barePosition, state.id, event.data.sequence],
      ...[event.id, 'payment_intent', event.type, toRfc3339(event.at), JSON.stringify(event.data)],
      ...[JSON.stringify(evidenceToJson(event.evidence)), noSeal],
    ]),
  )

interface Result {
  readonly name: string
  readonly ours: number
  readonly bare: number
  readonly ratio: number
}

async function measure(url: string): Promise<Result[]> {
  const results: Result[] = []
  for (const one of cases) {
    const store = openStore({ url, clock: systemClock, log: silentLog })
    const database = new Database({ url, log: silentLog })
    const found: Omit<Result, 'name'>[] = []
    for (let round = 0; round < rounds; round++) {
      const work = makeWork(one)
      const bare = await rate(work, (appends) => database.query(bareInsert, bareValues(appends)))
      const ours = await rate(work, (appends) => store.events.append({ appends }))
      found.push({ ours, bare, ratio: ours / bare })
    }
    await store.close()
    await database.close()
    results.push({ name: one.name, ...medianBy(found, ({ ratio }) => ratio) })
  }
  return results
}

/** The median, so that one disturbed round does not affect the result. */
function medianBy<Item>(items: readonly Item[], by: (item: Item) => number): Item {
  const sorted = [...items].sort((a, b) => by(a) - by(b))
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (middle === undefined) throw new Error('no rounds to take the median of')
  return middle
}

const home = await temporaryHome()
const server = await startEmbedded({ home, clock: systemClock, log: silentLog })
try {
  await migrate(server.url, { log: silentLog })
  await execute(server.url, bareTable)
  await execute(server.url, 'grant all on bare_event to settlewire_app')
  const results = await measure(server.url)
  console.log(`append: durable events/s, ${eventsPerBatch} payments and events a transaction`)
  console.log(
    formatTable(
      ['', 'append', 'bare insert', 'ratio'],
      results.map(({ name, ours, bare, ratio }) => [name, ours, bare, ratio]),
    ),
  )
  // A process has one writer; further rows show what several processes get from one server.
  const met = results.filter(({ ratio }) => ratio >= goal).map(({ name }) => name)
  console.log(`\nGoal: at least ${goal}. Met by: ${met.join('; ') || 'none'}.`)
} finally {
  await server.stop()
  await rm(home, { recursive: true, force: true })
}
