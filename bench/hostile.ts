/**
 * Hostile clients, three kinds together and then each kind alone, against the real server with its
 * default limits. Meanwhile `/healthz` is requested twenty times a second on new connections.
 * Prints its latency, the memory, and the number of connections that the server cut, by reason.
 * Run: `node bench/hostile.ts [share] [together]`: a share of 0.1 runs a tenth of the clients, and
 * `together` leaves out the kinds alone.
 */
import { rm } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { startPostgres, temporaryHome } from '../test/support/postgres-server.ts'
import { startProgram } from './support/child-program.ts'
import type { HostileClients } from './support/hostile-clients.ts'
import type { HostileServer } from './support/hostile-server.ts'
import { formatTable } from './support/table.ts'

const share = Number(process.argv[2] ?? 1)
const isShort = process.argv[3] === 'together'
const many = (count: number): number => Math.max(1, Math.round(count * share))
const goal = { healthMs: 100, rssMb: 1_024 }
/** Longer than cutting any client takes: 20 s to write, plus 1 s for each 16 KB that waits. */
const lastsMs = 40_000
const probeEveryMs = 50

const program = (name: string): string => join(import.meta.dirname, 'support', `${name}.ts`)

const [home, database] = await Promise.all([temporaryHome(), startPostgres()])
const server = startProgram<HostileServer>(program('hostile-server'), {
  ...{ SETTLEWIRE_HOME: home, DATABASE_URL: database.url, SANDBOX: 'off', PORT: '0' },
  LOG_LEVEL: 'error',
})

type Attack = Parameters<HostileClients['attack']>[0]
const { url, id, key } = await server.ask('prepare')
const port = Number(new URL(url).port)
const authorization = `Bearer ${key}`
const head = (line: string): string =>
  `${line} HTTP/1.1\r\nHost: bench\r\nAuthorization: ${authorization}\r\n`
const ask = (path: string): string => `${head(`GET ${path}`)}\r\n`
const create = (body: string): string =>
  `${head('POST /v1/payment-intents')}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const payment = `/v1/payment-intents/${id}`

/** The path of the checkout page of the payment, and of a script that the page loads. */
async function pagePaths(): Promise<[page: string, asset: string]> {
  const answer = await fetch(`${url}${payment}`, { headers: { authorization } })
  const { checkoutUrl } = (await answer.json()) as PaymentIntent // the wire contract
  const page = await (await fetch(checkoutUrl ?? '')).text()
  const [asset] = /\/assets\/[^"]+\.js/.exec(page) ?? []
  if (asset === undefined) throw new Error('the checkout page loads no script')
  return [new URL(checkoutUrl ?? '').pathname, asset]
}

const routes = [
  ...['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs/', '/nowhere', '/pay/x/y'],
  ...['/docs/guides/protocol', '/v1/chains', '/v1/events?limit=100'],
  ...['/v1/payment-intents?limit=100', payment, `${payment}/events?limit=100`],
  ...[`${payment}/policy`, `${payment}/stream`, ...(await pagePaths())],
].map(ask)
// The merchant of the bench has no xpub, so the valid request is refused only after its checks.
const posts = [create(JSON.stringify({ amount: '1.00', currency: 'USDC' })), create('')]
const none = { port, requests: [''], times: 1, reads: true, drip: '', returns: false }

const attacks: Readonly<Record<string, Attack>> = {
  'slowloris, 1,000': {
    ...{ ...none, count: many(1_000), returns: true },
    requests: ['GET / HTTP/1.1\r\nHost: x\r\n'],
    drip: 'X: y\r\n',
  },
  'silent, 10,000': { ...none, count: many(10_000) },
  'never reading, 1,000': {
    ...{ ...none, count: many(1_000), requests: [...routes, ...posts], times: 100, reads: false },
  },
  'pipelining, 500': {
    ...{ ...none, count: many(500), requests: [ask('/metrics')], times: 200, returns: true },
    // It keeps sending: a client whose answers have all been read is cut by no rule.
    drip: ask('/metrics').repeat(200),
  },
  'streams of one client, 5,000': {
    ...{ ...none, count: many(5_000), requests: [ask(`${payment}/stream`)] },
  },
}
const together = ['silent, 10,000', 'never reading, 1,000', 'pipelining, 500']

/** Latency of `/healthz` on a new connection; infinite unless it answers with 200. */
function probe(): Promise<number> {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    const failed = (): void => resolve(Number.POSITIVE_INFINITY)
    const request = get({ port, host: '127.0.0.1', path: '/healthz', agent: false }, (answer) => {
      answer.resume()
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(performance.now() - startedAt)
        else failed()
      })
    })
    request.on('error', failed).setTimeout(10_000, () => request.destroy())
  })
}

const metricsOf = async (): Promise<Map<string, number>> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  const lines = text.matchAll(
    /^settlewire_(?:connections_cut|requests_refused)_total\{.*"(.*)"\} (\d+)/gm,
  )
  return new Map([...lines].map(([, name = '', value]) => [name, Number(value)]))
}

const at = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN

async function play(name: string, names: readonly string[]): Promise<(string | number)[]> {
  const before = await metricsOf()
  await server.ask('memory')
  const crowds = names.map(() => startProgram<HostileClients>(program('hostile-clients')))
  const probes: Promise<number>[] = []
  const probing = setInterval(() => probes.push(probe()), probeEveryMs)
  try {
    const attacked = crowds.map((crowd, index) => {
      const attack = attacks[names[index] ?? '']
      if (attack === undefined) throw new Error(`unknown attack ${names[index]}`)
      return crowd.ask('attack', attack)
    })
    await Promise.all(attacked)
    await sleep(lastsMs)
    clearInterval(probing)
    const times = (await Promise.all(probes)).sort((a, b) => a - b)
    const rss = (await server.ask('memory')) / 1024 / 1024
    const after = await metricsOf()
    const grown = [...after]
      .map(([why, count]) => [why, count - (before.get(why) ?? 0)] as const)
      .filter(([, count]) => count > 0)
    const tallies = await Promise.all(crowds.map((crowd) => crowd.ask('tally')))
    const connected = tallies.reduce((sum, tally) => sum + tally.connected, 0)
    const p99 = at(times, 0.99)
    const isMet = p99 <= goal.healthMs && rss <= goal.rssMb
    console.log(`${name}: ${grown.map(([why, count]) => `${count} ${why}`).join(', ')}`)
    return [name, connected, at(times, 0.5), p99, at(times, 1), rss, isMet ? 'met' : 'missed']
  } finally {
    clearInterval(probing)
    for (const crowd of crowds) await crowd.ask('stop').catch(() => undefined)
    await Promise.all(crowds.map((crowd) => crowd.stop()))
    await sleep(1_000)
  }
}

try {
  const rows: (string | number)[][] = []
  // The largest attack comes first, so that it meets a server with cold caches and pools.
  rows.push(await play('silent, never reading and pipelining together', together))
  if (!isShort) for (const name of Object.keys(attacks)) rows.push(await play(name, [name]))
  console.log(
    `\n${formatTable(['', 'connected', 'health p50 ms', 'p99', 'max', 'RSS MB', 'goal'], rows)}`,
  )
  console.log(
    `\nGoal: health p99 ≤ ${goal.healthMs} ms and RSS ≤ ${goal.rssMb} MB. Without the limits 10,300 silent connections stopped the service, 175 KB of requests with unread answers took 1.6 GB, and pipelined /metrics kept health waiting for 15 s.`,
  )
} finally {
  await server.stop()
  await database.stop()
  await rm(home, { recursive: true, force: true })
}
