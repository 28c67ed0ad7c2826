/**
 * Blocks of 2,000 transfers while 100,000 addresses on five chains are watched. Measures the
 * milliseconds to parse and match a block with the follower's own reader on answers in memory,
 * compared with only `JSON.parse` of the same texts; to commit a block in which 50 payments are
 * paid, compared with a bare insert of as many rows and with plain statements that write the same
 * rows; and the cost of creating and cancelling 200 payments a second meanwhile. One process, a real
 * PostgreSQL. Run: `node bench/follow.ts`.
 */
import { rm } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { systemClock } from '../server/src/clock.ts'
import { silentLog } from '../server/src/log.ts'
import { Database } from '../server/src/store/database.ts'
import { startEmbedded } from '../server/src/store/embedded/embedded.ts'
import { migrate } from '../server/src/store/migrate.ts'
import { execute, temporaryHome } from '../test/support/postgres-server.ts'
import { bareMs, bareTable } from './support/bare-insert.ts'
import { BenchFollower, transfersPerBlock } from './support/bench-follower.ts'
import {
  chains,
  type FollowWorld,
  fill,
  openPayments,
  openWorld,
  request,
  scope,
  watchedCount,
} from './support/follow-world.ts'
import { sameRowsMs } from './support/same-rows.ts'
import { formatTable } from './support/table.ts'

const hits = 50
const rounds = 24
/** The first rounds warm up the code and are left out of the results. */
const coldRounds = 8
const goalsMs = { match: 5, commit: 20 }
const perSecond = 200
const busySeconds = 4

const percentile = (values: readonly number[], part: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}

/** Creates and cancels payments while blocks with hits are followed. */
async function busy(world: FollowWorld, follower: BenchFollower) {
  const createMs: number[] = []
  const closeMs: number[] = []
  const paid = await openPayments(world, hits * busySeconds * 2)
  // Made in advance, because making blocks takes longer than following them.
  const blocks = Array.from({ length: busySeconds * 2 }, (_, i) =>
    follower.make(paid.slice(i * hits, (i + 1) * hits)),
  )
  const commits = follower.commitMs.length
  const one = async (): Promise<void> => {
    const startedAt = performance.now()
    const { payment } = await world.payments.create(scope, request, null)
    const createdAt = performance.now()
    createMs.push(createdAt - startedAt)
    await world.payments.cancel(scope, { paymentId: payment.id, reason: 'bench' }, null)
    closeMs.push(performance.now() - createdAt)
  }
  const startedAt = performance.now()
  const running: Promise<void>[] = []
  const following = (async () => {
    for (const [i, block] of blocks.entries()) {
      await systemClock.sleep(Math.max(0, startedAt + i * 500 - performance.now()))
      await follower.follow(block)
    }
  })()
  for (let i = 0; i < perSecond * busySeconds; i++) {
    await systemClock.sleep(Math.max(0, startedAt + (i * 1_000) / perSecond - performance.now()))
    running.push(one())
  }
  await Promise.all([following, ...running])
  const seconds = (performance.now() - startedAt) / 1_000
  const rate = createMs.length / seconds
  return { createMs, closeMs, rate, commitMs: follower.commitMs.slice(commits) }
}

async function run(url: string): Promise<void> {
  await execute(url, bareTable)
  await execute(url, 'grant all on bare_event to settlewire_app')
  const world = await openWorld(url)
  const database = new Database({ url, log: silentLog })
  const { microseconds, bytes } = fill(world)
  const follower = new BenchFollower(world)
  const bare: number[] = []
  for (let round = 0; round < rounds; round++) {
    const paid = await openPayments(world, hits)
    await follower.follow(follower.make(paid))
    bare.push(await bareMs(database, hits))
    await follower.quiet()
  }
  const same = await sameRowsMs(url, hits)
  const warm = <T>(values: readonly T[]): readonly T[] => values.slice(coldRounds)
  const [match, parse, commit, plain] = [
    follower.matchMs,
    follower.parseMs,
    follower.commitMs,
    bare,
  ]
    .map(warm)
    .map((values) => [percentile(values, 0.5), percentile(values, 0.99)])
  const many = await busy(world, follower)
  const row = (name: string, values: readonly number[] = [], goal: number | string = '') => [
    ...[name, values[0] ?? 0, values[1] ?? 0, goal],
  ]
  const spread = (values: readonly number[]) => [percentile(values, 0.5), percentile(values, 0.99)]
  console.log(
    `follow: blocks of ${transfersPerBlock} transfers, ${watchedCount} addresses on ${chains.length} chains`,
  )
  console.log(
    formatTable(
      ['ms', 'p50', 'p99', 'goal p50'],
      [
        row('parse and match a block', match, goalsMs.match),
        row('· JSON.parse of its texts', parse),
        row(`commit, ${hits} payments paid`, commit, goalsMs.commit),
        row(`· bare insert of ${hits} rows`, plain),
        row('· the same rows by plain statements', spread(same)),
        row(`commit, the same ${hits} one block later`, spread(follower.quietMs)),
        row(`create, ${Math.round(many.rate)}/s meanwhile`, spread(many.createMs)),
        row('cancel, meanwhile', spread(many.closeMs)),
        row(`commit, ${hits} paid, meanwhile`, spread(many.commitMs)),
      ],
    ),
  )
  console.log(
    `\nAn address costs ${microseconds.toFixed(2)} µs to add and ${Math.round(bytes)} bytes to keep.`,
  )
  await world.all.close()
  world.watcher.close()
  await database.close()
  await world.store.close()
}

const home = await temporaryHome()
const server = await startEmbedded({ home, clock: systemClock, log: silentLog })
try {
  await migrate(server.url, { log: silentLog })
  await run(server.url)
} finally {
  await server.stop()
  await rm(home, { recursive: true, force: true })
}
