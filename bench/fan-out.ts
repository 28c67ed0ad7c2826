/**
 * One payment with 10,000 watching clients: the server's CPU per event and client, compared with a
 * bare loop that writes the same bytes to as many bare sockets, in the same run, in turns, each in
 * its own process. Also the memory of an idle stream. The server is the real one, on a real
 * PostgreSQL. Run: `node bench/fan-out.ts [streams]`.
 */
import { execFileSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { startPostgres, temporaryHome } from '../test/support/postgres-server.ts'
import { type ChildProgram, startProgram } from './support/child-program.ts'
import type { FanOutBare } from './support/fan-out-bare.ts'
import type { FanOutReaders } from './support/fan-out-readers.ts'
import type { FanOutServer } from './support/fan-out-server.ts'
import { formatTable } from './support/table.ts'

const streams = Number(process.argv[2] ?? 10_000)
const events = 20
const rounds = 3
const warmUp = 500
const goal = { ratio: 1.35, idleKb: 20 }

const program = (name: string): string => join(import.meta.dirname, 'support', `fan-out-${name}.ts`)

/** The measurements of one side. */
interface Side {
  /** CPU microseconds per event and reader, one entry per round. */
  readonly cpu: number[]
  /** Milliseconds until the last reader had an event, one entry per event. */
  readonly lastMs: number[]
}

/** Runs one round: each event is published after all readers have received the one before. */
async function round(
  { cpu, lastMs }: Side,
  readers: ChildProgram<FanOutReaders>,
  side: { cpu: () => Promise<number>; publish: (event: number) => Promise<unknown> },
): Promise<void> {
  const before = await side.cpu()
  for (let event = 0; event < events; event++) {
    await readers.ask('expect', streams)
    const startedAt = performance.now()
    await side.publish(event)
    const seen = await readers.ask('all')
    lastMs.push(performance.now() - startedAt)
    if (seen !== streams) throw new Error(`${seen} of ${streams} events arrived`)
  }
  cpu.push(((await side.cpu()) - before) / (events * streams))
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

// `unlimited` becomes NaN, for which the comparison is false.
const filesMax = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }))
if (filesMax < streams + 200) {
  throw new Error(`${streams} streams need as many open files, but the hard limit is ${filesMax}`)
}
const [home, database] = await Promise.all([temporaryHome(), startPostgres()])
const server = startProgram<FanOutServer>(program('server'), {
  ...{ SETTLEWIRE_HOME: home, DATABASE_URL: database.url, SANDBOX: 'off', PORT: '0' },
  LOG_LEVEL: 'warn',
})
const bare = startProgram<FanOutBare>(program('bare'))
const readers = [0, 1].map(() => startProgram<FanOutReaders>(program('readers')))
try {
  const [ours, theirs] = readers
  if (ours === undefined || theirs === undefined)
    throw new Error('two reader processes are expected')
  const { url, path, key } = await server.ask('prepare')
  const request = `GET ${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${key}\r\n\r\n`
  const stream = { port: Number(new URL(url).port), request }
  const socket = { port: await bare.ask('listen'), request: null }

  // Warm-up: open and close a few connections on both sides first.
  for (const [crowd, where] of [
    [ours, stream],
    [theirs, socket],
  ] as const) {
    for (let i = 0; i < 2; i++) {
      await crowd.ask('open', { ...where, count: warmUp })
      await crowd.ask('close')
      await sleep(500)
    }
  }
  const [empty, emptyBare] = await Promise.all([server.ask('collected'), bare.ask('collected')])
  const openingAt = performance.now()
  await ours.ask('open', { ...stream, count: streams })
  const openingMs = performance.now() - openingAt
  await theirs.ask('open', { ...socket, count: streams })
  while ((await bare.ask('open')) < streams) await sleep(50)
  const [idle, idleBare] = await Promise.all([server.ask('resident'), bare.ask('resident')])
  const [least, leastBare] = await Promise.all([server.ask('collected'), bare.ask('collected')])

  const frames: string[] = []
  const [settlewire, loop]: [Side, Side] = [
    { cpu: [], lastMs: [] },
    { cpu: [], lastMs: [] },
  ]
  for (let i = 0; i < rounds; i++) {
    await round(settlewire, ours, {
      cpu: () => server.ask('cpu'),
      publish: async (event) => {
        frames[event] = await server.ask('publish')
      },
    })
    await round(loop, theirs, {
      cpu: () => bare.ask('cpu'),
      publish: (event) => bare.ask('publish', frames[event] ?? ''),
    })
  }

  const kb = (now: number, before: number): number => (now - before) / streams / 1024
  const ratio = median(settlewire.cpu) / median(loop.cpu)
  const idleKb = kb(idle, empty)
  console.log(
    formatTable(
      ['', 'CPU µs/event', 'last reader ms', 'KB/idle stream', 'after full GC'],
      [
        [
          ...['Settlewire, SSE', median(settlewire.cpu), median(settlewire.lastMs)],
          ...[idleKb, kb(least, empty)],
        ],
        [
          ...['bare loop', median(loop.cpu), median(loop.lastMs)],
          ...[kb(idleBare, emptyBare), kb(leastBare, emptyBare)],
        ],
      ],
    ),
  )
  const verdict = (isMet: boolean): string => (isMet ? 'met' : 'missed')
  console.log(
    `\n${streams} streams opened in ${(openingMs / 1000).toFixed(1)} s; ${rounds} × ${events} events of ${Buffer.from(frames[0] ?? '', 'base64').length} bytes.`,
  )
  console.log(
    `CPU ratio ${ratio.toFixed(2)} (goal ≤ ${goal.ratio}: ${verdict(ratio <= goal.ratio)}).`,
  )
  console.log(
    `Idle stream ${idleKb.toFixed(1)} KB (goal ≤ ${goal.idleKb}: ${verdict(idleKb <= goal.idleKb)}).`,
  )
} finally {
  await Promise.all(readers.map((one) => one.stop()))
  await Promise.all([server.stop(), bare.stop()])
  await database.stop()
  await rm(home, { recursive: true, force: true })
}
