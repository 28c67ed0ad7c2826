import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FastClock, speed } from '../../test/support/fast-clock.ts'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { type Fault, faults, ShakyServer } from '../../test/support/shaky-server.ts'
import type { Stop } from './clock.ts'
import type { Signal } from './page-signals.ts'
import { type Connection, type Update, type WatchOptions, watch } from './watch.ts'

let server: ShakyServer
let stop: Stop = () => undefined
const clocks: FastClock[] = []

beforeEach(async () => {
  server = await ShakyServer.start({ heartbeatMs: 15_000 / speed, secondMs: 1_000 / speed })
  server.add('awaiting')
})

afterEach(async () => {
  stop()
  for (const clock of clocks.splice(0)) clock.close()
  await server.close()
})

/** Collects the updates of a watch, in order. */
class Diary {
  readonly updates: Update[] = []
  signal: (signal: Signal) => void = () => undefined
  readonly clock: FastClock

  constructor(clock: FastClock) {
    this.clock = clock
  }

  get sequences(): readonly number[] {
    return this.updates.flatMap((one) => (one.kind === 'event' ? [one.event.data.sequence] : []))
  }
  get connections(): readonly Connection[] {
    return this.updates.flatMap((one) => (one.kind === 'connection' ? [one.connection] : []))
  }
  get connection(): Connection {
    const last = this.connections.at(-1)
    if (last === undefined) throw new Error('the watch has emitted nothing')
    return last
  }
  get visited(): readonly string[] {
    return this.connections.map((one) => one.state).filter((one, i, all) => one !== all[i - 1])
  }
}

function begin(more: Partial<WatchOptions> = {}, seed = 1): Diary {
  const clock = new FastClock(seed)
  clocks.push(clock)
  const diary = new Diary(clock)
  const options: WatchOptions = {
    access: { baseUrl: server.url },
    paymentId: server.paymentId,
    clock,
    signals: (listener) => {
      diary.signal = listener
      return () => undefined
    },
    ...more,
  }
  stop = watch(options, (update) => diary.updates.push(update))
  return diary
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`timed out waiting for: ${what}`)
    await sleep(2)
  }
}

const current = (diary: Diary) => until(() => diary.connection.state === 'current', 'current')
const fallback = (diary: Diary) => until(() => diary.connection.state === 'fallback', 'fallback')
const ended = (diary: Diary) => until(() => diary.connection.state === 'ended', 'ended')

describe('a watch over a good connection', () => {
  it('emits the state, then each event once, and ends when the payment closes', async () => {
    server.add('awaiting')
    const diary = begin()
    await current(diary)
    expect(diary.sequences).toEqual([2])
    server.add('pending_detected')
    server.add('confirming', { confirmations: 1 })
    server.add('succeeded')
    await ended(diary)
    expect(diary.sequences).toEqual([2, 3, 4, 5])
    expect(diary.visited).toEqual(['connecting', 'current', 'ended'])
    expect(diary.connection.reason).toBeNull()
    expect(server.asked).toHaveLength(1)
  })

  it('does not emit events that the caller already has', async () => {
    const diary = begin({ sequence: 1 })
    await current(diary)
    server.add('pending_detected')
    await until(() => diary.sequences.length > 0, 'an event')
    expect(diary.sequences).toEqual([2])
  })

  it('reports visibility and chains from heartbeats', async () => {
    const diary = begin()
    await until(() => diary.connection.visibility === 'ok', 'a heartbeat')
    const chains = [{ chain: 'local', visibility: 'ok', head: 12, lagMs: 400 }]
    expect(diary.connection.chains).toEqual(chains)
    expect(diary.connection.transport).toBe('stream')
  })

  it('emits nothing more once it is stopped', async () => {
    const diary = begin()
    await current(diary)
    stop()
    expect(diary.connection).toMatchObject({ state: 'ended', reason: 'stopped' })
    const said = diary.updates.length
    server.add('pending_detected')
    await sleep(50)
    expect(diary.updates).toHaveLength(said)
  })
})

describe('a watch over a bad connection', () => {
  it('resumes with its last event id after a cut, and misses no event', async () => {
    const diary = begin()
    await current(diary)
    server.add('pending_detected')
    await until(() => diary.sequences.length === 2, 'the second event')
    server.cutAll()
    server.add('confirming')
    server.add('succeeded')
    await ended(diary)
    expect(diary.sequences).toEqual([1, 2, 3, 4])
    expect(server.asked.at(-1)?.lastEventId).toBe(server.history[1]?.id)
    expect(diary.visited).toContain('reconnecting')
  })

  it('becomes stale when nothing arrives on an open connection', async () => {
    server.plan.push('frozen')
    const diary = begin()
    await current(diary)
    server.add('succeeded')
    await until(() => diary.visited.includes('stale'), 'stale')
    await ended(diary)
    expect(diary.sequences).toEqual([1, 2])
  })

  it('becomes stale on a heartbeat with a higher head, and fetches the missed event', async () => {
    server.plan.push('deaf')
    const diary = begin()
    await current(diary)
    server.add('pending_detected')
    await until(() => diary.sequences.includes(2), 'the missed event')
    expect(diary.visited).toContain('stale')
  })

  it('notices a skipped event and fetches it', async () => {
    server.plan.push('skipping')
    const diary = begin()
    await current(diary)
    for (let i = 0; i < 3; i++) server.add('awaiting')
    server.add('succeeded')
    await ended(diary)
    expect(diary.sequences).toEqual([1, 2, 3, 4, 5])
  })

  it('takes the whole state after a reset, with continuous: false', async () => {
    const diary = begin()
    await current(diary)
    server.forgets = true
    server.add('awaiting')
    server.add('awaiting')
    await until(() => diary.sequences.length === 3, 'three events')
    server.cutAll()
    server.add('confirming')
    server.add('confirming')
    await until(() => diary.sequences.includes(5), 'the state')
    const last = diary.updates.findLast((one) => one.kind === 'event')
    expect(last?.continuous).toBe(false)
    expect(diary.sequences).toEqual([1, 2, 3, 5])
  })

  it('ends with the code when the server revokes the key during a stream', async () => {
    server.plan.push('revoked')
    const diary = begin()
    await ended(diary)
    expect(diary.connection.reason).toBe('key_revoked')
    expect(server.asked).toHaveLength(1)
  })

  it('retries after any response of a proxy', async () => {
    server.plan.push('bad_gateway', 'not_found_proxy', 'portal', 'garbage')
    const diary = begin()
    await until(() => diary.connection.provenAt !== null, 'proof')
    expect(diary.sequences).toEqual([1])
    expect(diary.visited).toContain('reconnecting')
  })

  it('ends without a retry when Settlewire responds not_found', async () => {
    server.always = 'gone'
    const diary = begin()
    await ended(diary)
    expect(diary.connection.reason).toBe('not_found')
    await sleep(100)
    expect(server.asked).toHaveLength(1)
  })

  it('ends at 204 without a retry: the payment closed while it was disconnected', async () => {
    const diary = begin()
    await current(diary)
    server.plan.push('refused')
    server.cutAll()
    server.add('succeeded')
    await ended(diary)
    expect(diary.sequences).toEqual([1, 2])
    const again = begin({ sequence: 2 })
    await ended(again)
    expect(again.sequences).toEqual([])
  })

  it('does not reconnect before Retry-After has passed', async () => {
    server.plan.push('overloaded')
    const diary = begin()
    await until(() => diary.connection.state === 'reconnecting', 'a wait')
    const { retryAt } = diary.connection
    const sent = server.asked.length
    expect(sent).toBe(1)
    await current(diary)
    expect(diary.connection.provenAt ?? 0).toBeGreaterThanOrEqual(retryAt ?? Number.NaN)
  })

  it('reconnects without an event id if only the newest state is wanted', async () => {
    const diary = begin({ everyEvent: false })
    await current(diary)
    server.cutAll()
    server.add('pending_detected')
    server.add('confirming')
    await until(() => diary.sequences.includes(3), 'the state')
    await current(diary)
    expect(server.asked.map((one) => one.lastEventId)).toEqual([null, null])
  })

  it('keeps the time of its last proof while the server is unreachable', async () => {
    const diary = begin()
    await current(diary)
    const { provenAt } = diary.connection
    server.always = 'refused'
    server.cutAll()
    await until(() => diary.connection.state === 'reconnecting', 'reconnecting')
    await sleep(200)
    expect(diary.connection.provenAt).toBe(provenAt)
    expect(diary.connection.reason).toBe('unreachable')
    server.always = 'well'
    await until(() => (diary.connection.provenAt ?? 0) > (provenAt ?? 0), 'proof')
  })

  it('opens a stream again as soon as one poll succeeds after an outage', async () => {
    const diary = begin()
    await current(diary)
    server.plan.push('refused', 'refused', 'well', 'well')
    server.cutAll()
    await until(() => server.asked.length === 5, 'the fifth request')
    await current(diary)
    const kinds = server.asked.map(({ kind }) => kind)
    expect(kinds).toEqual(['stream', 'stream', 'events', 'events', 'stream'])
  })
})

describe('a watch behind a proxy that holds back streams', () => {
  it('falls back to long-poll and gets every event', async () => {
    server.plan.push('mute')
    const diary = begin()
    await fallback(diary)
    expect(diary.connection.transport).toBe('long_poll')
    server.add('confirming')
    server.add('succeeded')
    await ended(diary)
    expect(diary.sequences).toEqual([1, 2, 3])
  })

  it('falls back to polling when long-poll fails as well', async () => {
    server.plan.push('mute', 'refused', 'refused')
    const diary = begin()
    await fallback(diary)
    expect(diary.connection.transport).toBe('poll')
    expect(server.asked.at(-1)).toMatchObject({ kind: 'events', wait: null })
    server.add('succeeded')
    await ended(diary)
    expect(diary.sequences).toEqual([1, 2])
  })

  it('returns to the stream once it works again', async () => {
    server.plan.push('mute')
    const diary = begin()
    await fallback(diary)
    await current(diary)
    expect(diary.connection.transport).toBe('stream')
    server.add('succeeded')
    await ended(diary)
    expect(diary.sequences).toEqual([1, 2])
  })

  it('does not flood a server that does not hold its long-polls', async () => {
    server.plan.push('mute')
    const unheld = await ShakyServer.start({ heartbeatMs: 1_000, secondMs: 0 })
    unheld.add('awaiting')
    unheld.always = 'mute'
    const diary = begin({ access: { baseUrl: unheld.url } })
    await sleep(200)
    unheld.always = 'well'
    await sleep(800)
    expect(diary.updates.length).toBeGreaterThan(0)
    expect(unheld.asked.length).toBeLessThan(30)
    stop()
    await unheld.close()
  })
})

describe('a watch on a device', () => {
  it('sends nothing while offline, and connects at once when online', async () => {
    const diary = begin()
    await current(diary)
    diary.signal('offline')
    expect(diary.connection.state).toBe('paused')
    server.add('pending_detected')
    const sent = server.asked.length
    await sleep(100)
    expect(server.asked).toHaveLength(sent)
    diary.signal('online')
    await until(() => diary.sequences.includes(2), 'what was missed')
  })

  it('becomes stale after the device slept, and reconnects', async () => {
    server.plan.push('frozen')
    const diary = begin()
    await current(diary)
    server.add('pending_detected')
    diary.clock.sleep(3_600_000)
    await until(() => diary.sequences.includes(2), 'what was missed')
    expect(diary.visited).toContain('stale')
  })

  it('pauses in the back/forward cache, and reconnects when the page leaves it', async () => {
    const diary = begin()
    await current(diary)
    diary.signal('frozen')
    server.add('pending_detected')
    await sleep(50)
    expect(diary.sequences).toEqual([1])
    diary.signal('restored')
    await until(() => diary.sequences.includes(2), 'what was missed')
  })

  it('checks a quiet stream at once when the page becomes visible', async () => {
    server.plan.push('frozen')
    const diary = begin()
    await current(diary)
    server.add('pending_detected')
    const { provenAt } = diary.connection
    await until(() => diary.clock.now() - (provenAt ?? 0) > 18_500, 'a long quiet')
    diary.signal('visible')
    expect(diary.connection.state).toBe('stale')
    await until(() => diary.sequences.includes(2), 'what was missed')
  })
})

describe('a watch under random faults', () => {
  const seeds = Array.from({ length: 12 }, (_, i) => i + 1)
  const eventCount = 12

  it.each(seeds)('delivers each event once and in order until it ends (seed %i)', async (seed) => {
    const dice = new ManualClock(0, seed * 7_919)
    const random = () => dice.chance()
    const pick = (): Fault => faults[Math.floor(random() * faults.length)] ?? 'refused'
    const some: readonly Fault[] = Array.from({ length: 3 + Math.floor(random() * 8) }, pick)
    server.plan.push(...some)
    const diary = begin({}, seed)
    for (let i = 2; i < eventCount; i++) {
      await sleep(random() * 60)
      if (random() < 0.15) server.cutAll()
      if (random() < 0.1) diary.signal(random() < 0.5 ? 'online' : 'visible')
      if (random() < 0.05) diary.clock.sleep(600_000)
      server.add('confirming', { confirmations: i })
    }
    server.add('succeeded')
    await ended(diary)
    const events = diary.updates.flatMap((one) => (one.kind === 'event' ? [one] : []))
    for (const [i, { event, continuous }] of events.entries()) {
      const before = events[i - 1]?.event.data.sequence ?? 0
      expect(event.data.sequence).toBeGreaterThan(before)
      expect(continuous, 'continuous is false on a jump').toBe(event.data.sequence === before + 1)
    }
    expect(diary.sequences.at(-1)).toBe(eventCount)
    expect(diary.connection).toMatchObject({ state: 'ended', reason: null })
    expect(server.asked.length).toBeLessThan(60)
  })
})
