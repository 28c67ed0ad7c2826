/**
 * Durable events per second through `EventStore.append`, in batches of 50, beside bare multi-row
 * inserts of the same events into an equivalent bare table: same server, same run, taken in turns.
 * The bare table has the same columns and one primary key; it has no projection, no conflict check,
 * no feed, no hashes to compute. Run: `node bench/append.ts`.
 */
import { rm } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { systemClock } from '../server/src/clock.ts'
import { silentLog } from '../server/src/log.ts'
import type { Append, Batch } from '../server/src/ports.ts'
import { parametersOf, prepare } from '../server/src/store/append.ts'
import { Database } from '../server/src/store/database.ts'
import { startEmbedded } from '../server/src/store/embedded.ts'
import { migrate } from '../server/src/store/migrate.ts'
import { openStore } from '../server/src/store/open.ts'
import { execute, temporaryHome } from '../test/support/postgres-server.ts'
import { ScriptedPayment } from '../test/support/scripted-payments.ts'
import { formatTable } from './support/table.ts'

const eventsPerBatch = 50
const stepsPerPayment = 6
const rounds = 3
const groupsPerRound = 24
const goal = 0.5

interface Case {
  readonly name: string
  readonly writers: number
  readonly merchants: number
}

const cases: readonly Case[] = [
  { name: '1 writer', writers: 1, merchants: 1 },
  { name: '2 writers, 2 merchants', writers: 2, merchants: 2 },
  { name: '4 writers, 4 merchants', writers: 4, merchants: 4 },
  { name: '8 writers, 8 merchants', writers: 8, merchants: 8 },
  { name: '8 writers, 1 merchant', writers: 8, merchants: 1 },
]

/** For each writer its batches, in order: groups of 50 payments, one event of each per batch. */
function makeWork({ writers, merchants }: Case): Batch[][] {
  return Array.from({ length: writers }, (_, writer) =>
    Array.from({ length: Math.ceil(groupsPerRound / writers) }, () =>
      groupOfBatches(`mer_${writer % merchants}`),
    ).flat(),
  )
}

function groupOfBatches(merchantId: string): Batch[] {
  const payments = Array.from({ length: eventsPerBatch }, () => new ScriptedPayment({ merchantId }))
  return Array.from({ length: stepsPerPayment }, (_, step) => ({
    appends: payments.map((payment): Append => (step === 0 ? payment.opening() : payment.step())),
  }))
}

const eventsIn = (work: readonly Batch[][]): number =>
  work.flat().reduce((sum, { appends }) => sum + appends.flatMap(({ events }) => events).length, 0)

/** Runs every writer's batches one after the other, writers side by side; events per second. */
async function rate(work: Batch[][], append: (batch: Batch) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await Promise.all(
    work.map(async (batches) => {
      for (const batch of batches) await append(batch)
    }),
  )
  return eventsIn(work) / ((performance.now() - startedAt) / 1000)
}

const bareColumns =
  'merchant_id, livemode, position, payment_id, sequence, id, type, at, data, evidence, prev_hash, hash'

const bareTable = `create table bare_event (
  merchant_id text, livemode boolean, position bigint, payment_id text, sequence integer, id text,
  type text, at timestamptz, data json, evidence json, prev_hash bytea, hash bytea,
  recorded_at timestamptz not null default now(), primary key (payment_id, sequence))`

const bareInsert = {
  name: 'bare',
  text: `insert into bare_event (${bareColumns})
    select 'mer_0', false, place, payment_id, sequence, id, type, at, data, evidence, prev_hash, hash
    from unnest($1::integer[], $2::text[], $3::integer[], $4::text[], $5::text[],
        $6::timestamptz[], $7::json[], $8::json[], $9::bytea[], $10::bytea[])
      as e (place, payment_id, sequence, id, type, at, data, evidence, prev_hash, hash)`,
}

/** The event columns of a batch, encoded beforehand: the bare side pays for sending them only. */
function bareParameters(batch: Batch): unknown[] {
  const prepared = prepare(batch.appends, () => '00'.repeat(32))
  const parameters = parametersOf(batch, prepared)
  return parameters.slice(-13, -3)
}

async function measure(url: string): Promise<{ name: string; ours: number; bare: number }[]> {
  const results: { name: string; ours: number; bare: number }[] = []
  for (const one of cases) {
    const store = openStore({ url, clock: systemClock, log: silentLog })
    const database = new Database({ url, log: silentLog })
    const sums = { ours: 0, bare: 0 }
    for (let round = 0; round < rounds; round++) {
      const work = makeWork(one)
      const encoded = new Map(work.flat().map((batch) => [batch, bareParameters(batch)]))
      sums.bare += await rate(work, (batch) => database.query(bareInsert, encoded.get(batch) ?? []))
      sums.ours += await rate(work, (batch) => store.events.append(batch))
    }
    await store.close()
    await database.close()
    results.push({ name: one.name, ours: sums.ours / rounds, bare: sums.bare / rounds })
  }
  return results
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
      results.map(({ name, ours, bare }) => [name, ours, bare, ours / bare]),
    ),
  )
  console.log(`goal: ratio of at least ${goal}`)
} finally {
  await server.stop()
  await rm(home, { recursive: true, force: true })
}
