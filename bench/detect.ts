/**
 * The cost of a pending transaction. A node sends whole transactions as fast as they are read, over
 * a real socket, to one process that watches 100,000 addresses and is paid now and then. Compared
 * with only `ws` and `JSON.parse` on the same messages, in the same run, in turns, each in its own
 * process. The result is the median of seven rounds. Run: `node bench/detect.ts [messages]`.
 */
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { type ChildProgram, startProgram } from './support/child-program.ts'
import type { DetectIngest } from './support/detect-ingest.ts'
import type { DetectParse } from './support/detect-parse.ts'
import type { DetectPool } from './support/detect-pool.ts'
import { hitEvery } from './support/pool-messages.ts'
import { formatTable } from './support/table.ts'

const messages = Number(process.argv[2] ?? 30_000)
const watched = 100_000
const rounds = 7
const warmUps = 3
const goal = 1.4

/** The measurements of one side, one entry per round. */
interface Side {
  readonly cpuMicros: number[]
  readonly perSecond: number[]
}

type Listener = ChildProgram<Pick<DetectParse, 'expect' | 'all' | 'cpu'>>

async function round(
  side: Side,
  pool: ChildProgram<DetectPool>,
  { name, listener, expected }: { name: string; listener: Listener; expected: number },
): Promise<void> {
  await listener.ask('expect', expected)
  const [before, startedAt] = [await listener.ask('cpu'), performance.now()]
  await Promise.all([pool.ask('send', name), listener.ask('all')])
  side.perSecond.push(messages / ((performance.now() - startedAt) / 1000))
  side.cpuMicros.push(((await listener.ask('cpu')) - before) / messages)
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

if (messages % hitEvery !== 0)
  throw new Error(`the number of messages must be a multiple of 1,000: ${messages}`)
const program = (name: string): string => join(import.meta.dirname, 'support', `detect-${name}.ts`)
const pool = startProgram<DetectPool>(program('pool'))
const ingest = startProgram<DetectIngest>(program('ingest'))
const parse = startProgram<DetectParse>(program('parse'))
try {
  const { port, bytes } = await pool.ask('prepare', { count: messages, watched })
  await Promise.all([ingest.ask('open', { port, watched }), parse.ask('open', { port })])
  const sides = { ours: newSide(), bare: newSide() }
  // Warm-up rounds, whose results are dropped.
  for (let at = 1 - warmUps; at <= rounds; at++) {
    const [ours, bare] = at <= 0 ? [newSide(), newSide()] : [sides.ours, sides.bare]
    const hits = messages / hitEvery
    await round(ours, pool, { name: 'ingest', listener: ingest, expected: hits })
    await round(bare, pool, { name: 'parse', listener: parse, expected: messages })
  }
  const ratio = median(sides.ours.cpuMicros) / median(sides.bare.cpuMicros)
  const row = (name: string, { cpuMicros, perSecond }: Side) => [
    ...[name, median(cpuMicros), median(perSecond)],
  ]
  console.log(
    formatTable(
      ['', 'CPU µs/message', 'messages/s'],
      [row('Settlewire', sides.ours), row('ws + JSON.parse', sides.bare)],
    ),
  )
  console.log(
    `\n${rounds} × ${messages} messages of ${Math.round(bytes)} bytes on average, ${await ingest.ask('hits')} of them to one of ${watched} watched addresses.`,
  )
  console.log(
    `CPU ratio ${ratio.toFixed(2)} (goal ≤ ${goal}: ${ratio <= goal ? 'met' : 'missed'}).`,
  )
} finally {
  await Promise.all([pool, ingest, parse].map((one) => one.stop()))
}

function newSide(): Side {
  return { cpuMicros: [], perSecond: [] }
}
