import { errorCatalogue } from '@settlewire/core/errors'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { codeOf as codeHeard, EdgeWorld, get } from '../../../../test/support/edge-world.ts'
import type { RawClient } from '../../../../test/support/raw-client.ts'
import {
  codeOf,
  type LimitOutcome,
  type LimitSetting,
  limitTable,
  metricOf,
  noLimits,
} from '../../edge-limit-table.ts'
import { edgeSettings } from '../../edge-limits.ts'
import { createMetrics } from '../../metrics.ts'
import type { StreamEnding } from '../stream/sse-stream.ts'
import { overLimitMax } from './connections.ts'

let world: EdgeWorld
const start = async (...how: Parameters<typeof EdgeWorld.start>): Promise<void> => {
  world = await EdgeWorld.start(...how)
}
afterEach(() => world?.close())

const passed = (ms: number): Promise<void> => world.clock.advance(ms)
const patience = { timeout: 20_000, interval: 20 }
const large = Buffer.alloc(8_000_000)
const routes = {
  '/large': (_: unknown, response: { end(body: Buffer): void }) => void response.end(large),
  '/never': () => undefined,
  '/post': () => undefined,
}
const post = `${get('/post', 'content-length: 100\r\n').replace('GET', 'POST')}{`

/** The limit is used up, and so many connections beyond it wait that there is no room for more. */
async function noRoom(limits: Parameters<typeof EdgeWorld.start>[0]): Promise<void> {
  await start(limits, { '/metrics': () => undefined })
  await world.ask('/stream')
  for (let beyond = 0; beyond < overLimitMax; beyond++) await world.open({ bytes: get('/metrics') })
  await world.has(1 + overLimitMax)
  await vi.waitFor(async () => {
    await world.open({ bytes: get('/metrics') })
    expect(await world.cutFor('no_room')).toBeGreaterThan(0)
  }, patience)
}

/** A client that does not read a large answer. */
async function unread(limits: Parameters<typeof EdgeWorld.start>[0]): Promise<void> {
  await start(limits, routes)
  await world.open({ bytes: get('/large'), reads: false })
}

/** A client that sends these bytes of a request, and no more of it in time. */
async function late(bytes: string): Promise<RawClient> {
  await start({}, routes)
  const client = await world.open({ bytes, holdsOn: true })
  await vi.waitFor(async () => {
    await passed(5_000)
    expect(client.statuses).toEqual([408])
  }, patience)
  return client
}

type Codes<S extends LimitSetting> = (typeof limitTable)[S][number] extends infer Row
  ? Row extends
      | { answer: infer C }
      | { close: infer C }
      | { pause: infer C }
      | { endStream: infer C }
    ? C & string
    : never
  : never

/** Resolves with the client, if it gets an answer, else with anything. */
type Reach = () => Promise<unknown>

/** The edge of this test has no streams with limits: other tests reach these. */
const elsewhere: Reach = async () => undefined

/** How a client gets beyond each limit, by setting and code. A new code needs a row here. */
const reach: { readonly [S in LimitSetting]: Readonly<Record<Codes<S>, Reach>> } = {
  CONNECTIONS_MAX: {
    made_room: async () => {
      await start({ connectionsMax: 1 })
      await world.ask('/')
      await world.ask('/')
    },
    too_many_connections: async () => {
      await start({ connectionsMax: 1 })
      await world.ask('/stream')
      return world.ask('/')
    },
    no_room: () => noRoom({ connectionsMax: 1 }),
  },
  CONNECTIONS_PER_ADDRESS_MAX: {
    made_room: async () => {
      await start({ countsOwnMachine: true, connectionsPerAddressMax: 1 })
      await world.ask('/')
      await world.ask('/')
    },
    too_many_from_address: async () => {
      await start({ countsOwnMachine: true, connectionsPerAddressMax: 1 })
      await world.ask('/stream')
      return world.ask('/')
    },
    no_room: () => noRoom({ countsOwnMachine: true, connectionsPerAddressMax: 1 }),
  },
  PIPELINED_REQUESTS_MAX: {
    pipelined: async () => {
      await start({ pipelinedMax: 2 }, routes)
      await world.open({ bytes: get('/never').repeat(100) })
    },
  },
  UNREAD_BYTES_MAX: { unread_bytes: () => unread({ unreadBytesMax: 100_000 }) },
  // Of streams on real sockets: see sse-life.test.ts and stream-limits.test.ts.
  STREAM_UNREAD_BYTES_MAX: { slow: elsewhere },
  STREAM_AGE_SECONDS: { aged: elsewhere },
  STREAMS_PER_PAYMENT_MAX: { too_many_streams_of_payment: elsewhere },
  STREAMS_PER_MERCHANT_MAX: { too_many_streams_of_merchant: elsewhere },
  STREAMS_PER_ADDRESS_MAX: { too_many_streams_of_address: elsewhere },
  HELD_BYTES_MAX: { held_bytes: () => unread({ unreadBytesMax: 1e9, heldBytesMax: 100_000 }) },
  HEAD_SECONDS: {
    silent: async () => {
      await start()
      await world.open({ holdsOn: true })
      await world.has(1)
      await passed(11_000)
    },
    request_timeout: () => late('GET / HTTP/1.1\r\n'),
    head_timeout: () => late('GET / HTTP/1.1\r\n'),
  },
  BODY_SECONDS: { request_timeout: () => late(post), body_timeout: () => late(post) },
  WRITE_SECONDS: {
    unread: async () => {
      await start({ unreadBytesMax: 1e9, heldBytesMax: 1e9 }, routes)
      await world.open({ bytes: get('/large'), reads: false })
      await world.has(1)
      await passed((large.length / 16_384) * 1_000 + 25_000)
    },
  },
  IDLE_SECONDS: {
    idle: async () => {
      await start()
      await world.ask('/')
      await passed(77_000)
    },
  },
}

const rows = Object.entries(limitTable).flatMap(([setting, outcomes]) =>
  outcomes.map((outcome: LimitOutcome) => ({ setting, outcome, code: codeOf(outcome) })),
)

/** The value of a series; null if it does not exist. */
async function countOf(series: string): Promise<number | null> {
  const line = (await world.metrics.text()).split('\n').find((each) => each.startsWith(series))
  return line === undefined ? null : Number(line.slice(series.length))
}

describe('every limit', () => {
  it('is a setting, and every other setting of the edge is named as none', () => {
    const others: readonly string[] = noLimits
    const settings = Object.keys(edgeSettings).filter((name) => !others.includes(name))
    expect(Object.keys(limitTable).sort()).toEqual(settings.sort())
  })

  it.each(rows)('has a code and a series from the start: $setting $code', async ({ outcome }) => {
    expect(await createMetrics().text()).toContain(`\n${metricOf(outcome)} 0\n`)
    if ('answer' in outcome) expect(errorCatalogue).toHaveProperty(outcome.answer)
    const endings: readonly string[] = ['slow', 'aged'] satisfies StreamEnding[]
    if ('endStream' in outcome) expect(endings).toContain(outcome.endStream)
  })

  const ofConnections = rows.filter(({ setting }) => !setting.startsWith('STREAM'))
  it.each(ofConnections)(
    'is counted with its code, and answered or logged with it: $setting $code',
    async ({ setting, outcome, code }) => {
      // The two keys belong together in the table.
      const cases = reach[setting as LimitSetting] as Readonly<Record<string, Reach>>
      const client = await cases[code]?.()
      await vi.waitFor(async () => {
        await passed(1_000)
        expect(await countOf(metricOf(outcome))).toBeGreaterThan(0)
      }, patience)
      if ('answer' in outcome)
        expect(codeHeard(client as RawClient)).toBe(code) // see `Reach`
      else expect(world.reasons).toContain(code)
    },
  )
})
