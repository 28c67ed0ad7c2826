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

/** What a watch said, in order. */
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
    if (last === undefined) throw new Error('the watch has said nothing')
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
    if (Date.now() > deadline) throw new Error(`did not come: ${what}`)
    await sleep(2)
  }
}

const current = (diary: Diary) => until(() => diary.connection.state === 'current', 'current')
const fallback = (diary: Diary) => until(() => diary.connection.state === 'fallback', 'fallback')
const ended = (diary: Diary) => until(() => diary.connection.state === 'ended', 'ended')

describe('a watch over a good connection', () => {
  it('has the state at once, then each event once, and ends when the payment closes', async () => {
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

  it('does not repeat what the caller holds already', async () => {
    const diary = begin({ sequence: 1 })
    await current(diary)
    server.add('pending_detected')
    await until(() => diary.sequences.length > 0, 'an event')
    expect(diary.sequences).toEqual([2])
  })

  it('learns what time it is at the server, and what it sees', async () => {
    const diary = begin()
    await until(() => diary.connection.visibility === 'ok', 'a heartbeat')
    const chains = [{ chain: 'local', visibility: 'ok', head: 12, lagMs: 400 }]
    expect(diary.connection.chains).toEqual(chains)
    expect(diary.connection.transport).toBe('stream')
  })

  it('says nothing more once it is stopped', async () => {
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
  it('resumes with its last id after a crash, and misses nothing', async () => {
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

  it('does not call an open connection current when nothing comes through it', async () => {
    server.plan.push('frozen')
    const diary = begin()
    await current(diary)
    server.add('succeeded')
    await until(() => diary.visited.includes('stale'), 'stale')
    await ended(diary)
    expect(diary.sequences).toEqual([1, 2])
  })

  it('takes a heartbeat with a higher head for what it is: proof that it missed something', async () => {
    server.plan.push('deaf')
    const diary = begin()
    await current(diary)
    server.add('pending_detected')
    await until(() => diary.sequences.includes(2), 'the missed event')
    expect(diary.visited).toContain('stale')
  })

  it('sees that an event was left out, and fetches it', async () => {
    server.plan.push('skipping')
    const diary = begin()
    await current(diary)
    for (let i = 0; i < 3; i++) server.add('awaiting')
    server.add('succeeded')
    await ended(diary)
    expect(diary.sequences).toEqual([1, 2, 3, 4, 5])
  })

  it('takes the state as a whole after a reset, and says so', async () => {
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

  it('ends when the server refuses the key of a stream that is open, with its code', async () => {
    server.plan.push('revoked')
    const diary = begin()
    await ended(diary)
    expect(diary.connection.reason).toBe('key_revoked')
    expect(server.asked).toHaveLength(1)
  })

  it('goes on after a proxy answered in our place, whatever it said', async () => {
    server.plan.push('bad_gateway', 'not_found_proxy', 'portal', 'garbage')
    const diary = begin()
    await until(() => diary.connection.provenAt !== null, 'proof')
    expect(diary.sequences).toEqual([1])
    expect(diary.visited).toContain('reconnecting')
  })

  it('stops for good when Settlewire itself says that there is no such payment', async () => {
    server.always = 'gone'
    const diary = begin()
    await ended(diary)
    expect(diary.connection.reason).toBe('not_found')
    await sleep(100)
    expect(server.asked).toHaveLength(1)
  })

  it('stops for good at 204: the payment closed while it was away', async () => {
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

  it('keeps away as long as Retry-After says', async () => {
    server.plan.push('overloaded')
    const diary = begin()
    await until(() => diary.connection.state === 'reconnecting', 'a wait')
    const { retryAt } = diary.connection
    const sent = server.asked.length
    expect(sent).toBe(1)
    await current(diary)
    expect(diary.connection.provenAt ?? 0).toBeGreaterThanOrEqual(retryAt ?? Number.NaN)
  })

  it('is current again at once, where only the newest state is wanted', async () => {
    const diary = begin({ everyEvent: false })
    await current(diary)
    server.cutAll()
    server.add('pending_detected')
    server.add('confirming')
    await until(() => diary.sequences.includes(3), 'the state')
    await current(diary)
    expect(server.asked.map((one) => one.lastEventId)).toEqual([null, null])
  })

  it('is cut off from news while it is down, and says since when', async () => {
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
})

describe('a watch behind a proxy that holds streams back', () => {
  it('asks instead, says so, and gets every event', async () => {
    server.plan.push('mute')
    const diary = begin()
    await fallback(diary)
    expect(diary.connection.transport).toBe('long_poll')
    server.add('confirming')
    server.add('succeeded')
    await ended(diary)
    expect(diary.sequences).toEqual([1, 2, 3])
  })

  it('asks every few seconds when not even a held answer gets through', async () => {
    server.plan.push('mute', 'refused', 'refused')
    const diary = begin()
    await fallback(diary)
    expect(diary.connection.transport).toBe('poll')
    expect(server.asked.at(-1)).toMatchObject({ kind: 'events', wait: null })
    server.add('succeeded')
    await ended(diary)
    expect(diary.sequences).toEqual([1, 2])
  })

  it('goes back to the stream once it gets through again', async () => {
    server.plan.push('mute')
    const diary = begin()
    await fallback(diary)
    await current(diary)
    expect(diary.connection.transport).toBe('stream')
    server.add('succeeded')
    await ended(diary)
    expect(diary.sequences).toEqual([1, 2])
  })

  it('does not flood a server that does not hold its answers', async () => {
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

describe('a watch on a device that', () => {
  it('goes offline does not try, and tries at once when it is back', async () => {
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

  it('slept does not trust the socket it woke up with', async () => {
    server.plan.push('frozen')
    const diary = begin()
    await current(diary)
    server.add('pending_detected')
    diary.clock.sleep(3_600_000)
    await until(() => diary.sequences.includes(2), 'what was missed')
    expect(diary.visited).toContain('stale')
  })

  it('keeps the page in the back/forward cache starts over when it comes out', async () => {
    const diary = begin()
    await current(diary)
    diary.signal('frozen')
    server.add('pending_detected')
    await sleep(50)
    expect(diary.sequences).toEqual([1])
    diary.signal('restored')
    await until(() => diary.sequences.includes(2), 'what was missed')
  })

  it('shows the page again looks at once whether a quiet stream still lives', async () => {
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

describe('any schedule of faults', () => {
  const seeds = Array.from({ length: 12 }, (_, i) => i + 1)
  const eventCount = 12

  it.each(seeds)('delivers each event once, in order, to the end (seed %i)', async (seed) => {
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
      expect(continuous, 'a jump is told').toBe(event.data.sequence === before + 1)
    }
    expect(diary.sequences.at(-1)).toBe(eventCount)
    expect(diary.connection).toMatchObject({ state: 'ended', reason: null })
    expect(server.asked.length).toBeLessThan(60)
  })
})
