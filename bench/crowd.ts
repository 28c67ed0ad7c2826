/**
 * Blocks that affect very many payments, or one payment very often: 4,000 transfers to one payment,
 * and 20,000 unsettled payments while the head moves. Prints for how long the event loop was
 * blocked at most, the longest garbage collection, the duration of the step, and its ratio to a
 * bare insert of as many rows as the step added events. One process, a real PostgreSQL. Run: `node
 * bench/crowd.ts [payments]`.
 */
import { rm } from 'node:fs/promises'
import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks'
import { argv } from 'node:process'
import type { SeenTransfer } from '@settlewire/core/payment/observation'
import { systemClock } from '../server/src/clock.ts'
import { silentLog } from '../server/src/log.ts'
import { Database } from '../server/src/store/database.ts'
import { startEmbedded } from '../server/src/store/embedded/embedded.ts'
import { migrate } from '../server/src/store/migrate.ts'
import { execute, temporaryHome } from '../test/support/postgres-server.ts'
import { bareMs, bareTable } from './support/bare-insert.ts'
import { type FollowWorld, openPayments, openWorld } from './support/follow-world.ts'
import { blockOf, strangerOf, token } from './support/memory-node.ts'
import { formatTable } from './support/table.ts'

const crowd = Number(argv[2] ?? 20_000)
const transfersToOne = 4_000
const paidPerBlock = 200
const goalMs = 50

interface Result {
  readonly name: string
  readonly heldUpMs: number
  readonly collectionMs: number
  readonly tookMs: number
  readonly rows: number
  readonly bareMs: number
}

class Bench {
  readonly #world: FollowWorld
  readonly #database: Database
  #number = 0
  #transactions = 0
  #events = 0

  constructor(world: FollowWorld, database: Database) {
    this.#world = world
    this.#database = database
    world.writer.onCommit(({ events }) => {
      this.#events += events.length
    })
  }

  /** Applies a block with one transfer of `units` to each of these addresses. */
  async step(to: readonly string[], units: bigint, finalized = 0): Promise<void> {
    const head = ++this.#number
    const { ref } = blockOf(head, [], 0n).header
    const transfers = to.map((address, part): SeenTransfer => {
      const txHash = `0x${(++this.#transactions).toString(16).padStart(64, '0')}`
      return { txHash, part, token, from: strangerOf(1), to: address, amount: units }
    })
    await this.#world.watcher.step('one', {
      ...{ source: 'rpc:bench', at: Date.now(), reverted: [], pendingAgain: new Set<string>() },
      applied: [{ block: ref, transfers, movedNothing: [] }],
      head: { view: head, head, safe: finalized, finalized },
    })
  }

  async measure(name: string, run: () => Promise<unknown>): Promise<Result> {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    const collectionsMs = [0]
    const collections = new PerformanceObserver((list) => {
      collectionsMs.push(...list.getEntries().map(({ duration }) => duration))
    })
    collections.observe({ type: 'gc' })
    const before = this.#events
    delay.enable()
    // The delay monitor does not measure the turn of the event loop in which it starts.
    await systemClock.sleep(5)
    const startedAt = performance.now()
    await run()
    const tookMs = performance.now() - startedAt
    await systemClock.sleep(5)
    delay.disable()
    collections.disconnect()
    const rows = this.#events - before
    const bare = await bareMs(this.#database, Math.max(1, Math.min(rows, 5_000)))
    const perRow = bare / Math.max(1, Math.min(rows, 5_000))
    return {
      ...{ name, heldUpMs: delay.max / 1e6, collectionMs: Math.max(...collectionsMs) },
      ...{ tookMs, rows, bareMs: perRow * Math.max(1, rows) },
    }
  }

  get head(): number {
    return this.#number
  }
}

async function run(url: string): Promise<readonly Result[]> {
  await execute(url, bareTable)
  await execute(url, 'grant all on bare_event to settlewire_app')
  const world = await openWorld(url)
  const database = new Database({ url, log: silentLog })
  const bench = new Bench(world, database)
  const [one = '', ...others] = await openPayments(world, crowd + 1)
  const results: Result[] = []
  const measure = async (name: string, step: () => Promise<unknown>): Promise<void> => {
    results.push(await bench.measure(name, step))
  }
  // First all payments are paid, which warms up the code and lets the heap grow to its size.
  for (let at = 0; at < others.length; at += paidPerBlock) {
    await bench.step(others.slice(at, at + paidPerBlock), 1_000_000n)
  }
  await bench.step([], 0n)
  const toOne = Array.from({ length: transfersToOne }, () => one)
  await measure(`${transfersToOne} transfers to one payment`, () => bench.step(toOne, 20_000n))
  await measure('the same payment, one block later', () => bench.step([], 0n))
  await measure(`${crowd} unsettled, the head moves`, () => bench.step([], 0n))
  await measure('the head makes all of them final', () => bench.step([], 0n, bench.head))
  const id = world.index.chain('one')?.payee(one) ?? ''
  await measure('later read of the payment with many transfers', () =>
    world.payments.get(scopeOf, id),
  )
  await world.all.close()
  world.watcher.close()
  await database.close()
  await world.store.close()
  return results
}

const scopeOf = { merchantId: 'mer_bench', livemode: false }

const home = await temporaryHome()
const server = await startEmbedded({ home, clock: systemClock, log: silentLog })
try {
  await migrate(server.url, { log: silentLog })
  const results = await run(server.url)
  console.log(`crowd: ${crowd} unsettled payments, ${transfersToOne} transfers to one payment`)
  console.log(
    formatTable(
      ['ms', 'loop blocked', 'longest collection', 'took', 'events', 'bare insert', 'ratio'],
      results.map(({ name, heldUpMs, collectionMs, tookMs, rows, bareMs: bare }) => [
        ...[name, heldUpMs, collectionMs, tookMs, rows, rows === 0 ? '' : bare],
        rows === 0 ? '' : tookMs / bare,
      ]),
    ),
  )
  const late = results.filter(({ heldUpMs }) => heldUpMs > goalMs).map(({ name }) => name)
  console.log(
    `\nGoal: loop blocked for at most ${goalMs} ms. Missed by: ${late.join('; ') || 'none'}.`,
  )
} finally {
  await server.stop()
  await rm(home, { recursive: true, force: true })
}
