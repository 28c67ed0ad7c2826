import { setTimeout as sleep } from 'node:timers/promises'
import { statuses } from '@settlewire/core/payment/status-model'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FastClock, speed } from '../../test/support/fast-clock.ts'
import { ShakyServer } from '../../test/support/shaky-server.ts'
import { endsWatch, type Until } from './until.ts'
import { type Update, watch } from './watch.ts'

let server: ShakyServer
let clock: FastClock
let stop: () => void = () => undefined

beforeEach(async () => {
  server = await ShakyServer.start({ heartbeatMs: 15_000 / speed, secondMs: 1_000 / speed })
  clock = new FastClock(1)
  server.add('confirming')
})

afterEach(async () => {
  stop()
  clock.close()
  await server.close()
})

/** Starts a watch and collects its updates. */
function begin(until: Until, everyEvent = true, fetcher: typeof fetch = fetch) {
  const updates: Update[] = []
  const access = { baseUrl: server.url, fetch: fetcher }
  const options = { access, paymentId: server.paymentId, clock, until, everyEvent }
  stop = watch(options, (update) => updates.push(update))
  const said = () => updates.flatMap((one) => (one.kind === 'event' ? [one.event.data] : []))
  const line = () => updates.flatMap((one) => (one.kind === 'connection' ? [one.connection] : []))
  return { said, line, last: () => line().at(-1) }
}

async function soon(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the condition did not become true in time')
    await sleep(2)
  }
}

it('endsWatch: a success ends a watch, unless it runs until the success is final', () => {
  for (const status of statuses) {
    const closes = ['succeeded', 'failed', 'cancelled'].includes(status)
    expect(endsWatch({ status, finality: 'none' }, 'closed'), status).toBe(closes)
    const goesOn = status === 'succeeded'
    expect(endsWatch({ status, finality: 'safe' }, 'final'), status).toBe(closes && !goesOn)
    expect(endsWatch({ status, finality: 'final' }, 'final'), status).toBe(closes)
  }
})

describe.each([
  ['a server that knows `until`', true],
  ['a server that ends its streams at a success', false],
])('a watch until the money is final, at %s,', (_, knowsUntil) => {
  it.each([true, false])(
    'follows a success that is taken back (every event: %s)',
    async (every) => {
      server.knowsUntil = knowsUntil
      const { said, last } = begin('final', every)
      await soon(() => said().length === 1)
      server.add('succeeded', { receivedAmount: '150.00' })
      await soon(() => said().length === 2)
      // Longer than such a server needs to end a stream, plus a reconnect.
      await sleep(20_000 / speed)
      server.add('investigation_required', { reason: 'reorged_after_success' })
      await soon(() => said().length === 3)
      server.add('succeeded', { receivedAmount: '150.00' })
      server.add('succeeded', { receivedAmount: '150.00', finality: 'final' })
      await soon(() => last()?.state === 'ended')
      expect(said().at(-1)).toMatchObject({ status: 'succeeded', finality: 'final' })
      expect(last()?.reason).toBeNull()
      expect(server.asked.filter((one) => one.kind === 'stream' && one.until !== 'final')).toEqual(
        [],
      )
    },
  )
})

it('a watch ends at a success by default, without another request', async () => {
  const { said, last } = begin('closed')
  await soon(() => said().length === 1)
  server.add('succeeded')
  await soon(() => last()?.state === 'ended')
  expect(server.asked.map((one) => one.until)).toEqual([null])
})

it('a watch uses long-poll if fetch cannot read a body while it arrives', async () => {
  const whole: typeof fetch = async (...args) => {
    const response = await fetch(...args)
    return new Proxy(response, {
      get: (target, name) => {
        if (name === 'body') return undefined
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
  const { said, line, last } = begin('closed', true, whole)
  await soon(() => last()?.state === 'fallback')
  server.add('succeeded')
  await soon(() => last()?.state === 'ended')
  expect(said().map(({ sequence }) => sequence)).toEqual([1, 2])
  expect(line().some((one) => one.reason === 'no_stream')).toBe(true)
  expect(last()?.transport).toBe('long_poll')
  expect(server.asked.filter((one) => one.kind === 'stream')).toHaveLength(1)
})
