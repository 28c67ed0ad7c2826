/**
 * End-to-end latency: from a payer's `eth_sendTransaction` to the commit of "detected" in the
 * history, to its bytes on an SSE socket, to the checkout page's DOM. The real product in its own
 * process, a real PostgreSQL, a real anvil with 2 s blocks, a real Chromium.
 * Run: `node bench/latency.ts [payments]`, default 200.
 */
import { performance } from 'node:perf_hooks'
import { Client } from 'pg'
import type { JSHandle, Page } from 'playwright-core'
import { startAnvil } from '../test/support/anvil.ts'
import { launchBrowser } from '../test/support/browser.ts'
import { MerchantProgram } from '../test/support/e2e/merchant.ts'
import { Payer } from '../test/support/e2e/payer.ts'
import { startServer, temporaryHome } from '../test/support/e2e/server.ts'
import { startPostgres } from '../test/support/postgres-server.ts'
import { formatTable } from './support/table.ts'

const payments = Number(process.argv[2] ?? 200)
const goalMs = { p50: 50, p99: 200 }
const request = { amount: '1.00', currency: 'USDC', accept: ['USDC.local'] }

/** Times of one payment in milliseconds, all by this machine's clock. */
interface Sample {
  readonly sentAt: number
  readonly eventId: string
  readonly socketAt: number
  readonly domAt: number
}

const nowMs = (): number => performance.timeOrigin + performance.now()

/** Runs in the page: records when its root first shows a status other than "awaiting". */
function noteWhenSeen(): void {
  new MutationObserver(() => {
    const root = document.querySelector<HTMLElement>('[data-status]')
    const isSeen = root !== null && root.dataset.status !== 'awaiting'
    if (isSeen && !Reflect.has(window, 'seenAt')) {
      Reflect.set(window, 'seenAt', performance.timeOrigin + performance.now())
    }
  }).observe(document, { subtree: true, childList: true, attributes: true })
}

const numberOf = async (handle: JSHandle): Promise<number> => Number(await handle.jsonValue())

async function measure(page: Page, merchant: MerchantProgram, payer: Payer): Promise<Sample> {
  const intent = await merchant.create(request)
  await page.goto(intent.checkoutUrl ?? '')
  await page.waitForSelector('[data-status="awaiting"][data-connection="current"]')
  let socketAt = 0
  const opened = Promise.withResolvers<void>()
  const streamed = merchant.stream(intent.id, {
    onEvent: (seen) => {
      if (seen.at(-1)?.data.status !== 'awaiting') socketAt ||= nowMs()
      opened.resolve()
    },
    enough: (seen) => seen.at(-1)?.data.status !== 'awaiting',
  })
  await opened.promise
  const sentAt = nowMs()
  await payer.send(intent, 1_000_000n)
  const seen = await streamed
  const domAt = await page.waitForFunction(() => Reflect.get(window, 'seenAt')).then(numberOf)
  return { sentAt, socketAt, domAt, eventId: seen.at(-1)?.eventId ?? '' }
}

/** The commit time of each event's transaction, as PostgreSQL recorded it. */
async function commitTimes(url: string, ids: readonly string[]): Promise<Map<string, number>> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ id: string; at: string }>(
    `select id, extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000 as at
       from event where id = any($1)`,
    [ids],
  )
  await client.end()
  return new Map(rows.map(({ id, at }) => [id, Number(at)]))
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
}

function report(samples: readonly Sample[], committed: ReadonlyMap<string, number>): void {
  const commitOf = (sample: Sample): number => committed.get(sample.eventId) ?? Number.NaN
  const legs: [string, number[]][] = [
    ['broadcast → stored', samples.map((sample) => commitOf(sample) - sample.sentAt)],
    ['stored → SSE byte', samples.map((sample) => sample.socketAt - commitOf(sample))],
    ['SSE byte → DOM', samples.map((sample) => sample.domAt - sample.socketAt)],
    ['broadcast → DOM', samples.map((sample) => sample.domAt - sample.sentAt)],
  ]
  const rows = legs.map(([leg, ms]) => [
    leg,
    ...[0.5, 0.9, 0.99].map((q) => quantile(ms, q)),
    Math.max(...ms),
  ])
  console.log(formatTable(['leg', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms'], rows))
  const whole = legs.at(-1)?.[1] ?? []
  const [p50, p99] = [quantile(whole, 0.5), quantile(whole, 0.99)]
  const met = p50 <= goalMs.p50 && p99 <= goalMs.p99
  console.log(
    `\n${samples.length} payments. Goal: p50 ≤ ${goalMs.p50} ms, p99 ≤ ${goalMs.p99} ms: ${met ? 'met' : 'missed'}.`,
  )
}

const home = temporaryHome()
const [database, anvil] = await Promise.all([
  startPostgres({ track_commit_timestamp: 'on' }),
  startAnvil({ blockTime: 2, args: ['--slots-in-an-epoch', '4'] }),
])
const server = await startServer({
  home: home.path,
  env: { DATABASE_URL: database.url, SANDBOX_RPC_URL: anvil.wsUrl },
})
const browser = await launchBrowser()
try {
  const merchant = new MerchantProgram(server.url, server.sandbox)
  const payer = new Payer(server.sandbox)
  const page = await browser.newPage({ viewport: { width: 800, height: 900 } })
  await page.addInitScript(noteWhenSeen)
  const warmUp = 5
  const samples: Sample[] = []
  for (let i = 0; i < payments + warmUp; i++) samples.push(await measure(page, merchant, payer))
  const counted = samples.slice(warmUp)
  report(
    counted,
    await commitTimes(
      database.url,
      counted.map(({ eventId }) => eventId),
    ),
  )
} finally {
  await browser.close()
  await server.stop()
  await Promise.all([anvil.stop(), database.stop()])
  home.remove()
}
