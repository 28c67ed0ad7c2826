import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type EventSketch, eventId } from '../../../../test/support/history.ts'
import type { StreamClient } from '../../../../test/support/stream-client.ts'
import { heartbeatMs, pay, StreamServer } from '../../../../test/support/stream-server.ts'

let server: StreamServer

beforeEach(async () => {
  server = await new StreamServer().listen()
})

afterEach(() => server.close())

const seen = (count: number) => (client: StreamClient) => client.told.length >= count
const closed = (client: StreamClient) => client.isClosed
const heard = ({ comments }: StreamClient) => comments.length > 0
const paid: EventSketch = { type: 'succeeded', status: 'succeeded' }
const finalized: EventSketch = { type: 'finalized', status: 'succeeded', finality: 'final' }

describe('a new stream', () => {
  it('gets the latest event at once, with its id, type and unchanged data', async () => {
    server.commit({}, {}, {})
    const client = await server.ask().until(seen(1))
    const last = await server.history.last(pay)
    expect(client.told).toEqual([
      { id: eventId(pay, 3), event: 'payment_intent.confirming', data: last?.dataJson },
    ])
    expect(client.body.startsWith('retry: 2000\n\nid: evt_')).toBe(true)
    expect(client.firstPiece).toBe(client.text)
  })

  it('has the headers of the contract, no length and no chunks', async () => {
    server.commit({})
    const { head, status, text } = await server.ask().until(seen(1))
    expect(status).toBe(200)
    expect(text.startsWith('HTTP/1.1 200 OK\r\n')).toBe(true)
    expect(head.map((line) => line.replace(/^date: .*/, 'date')).toSorted()).toEqual([
      'cache-control: no-cache, no-transform',
      'connection: close',
      'content-type: text/event-stream',
      'date',
      'request-id: req_1',
      'x-accel-buffering: no',
      'x-content-type-options: nosniff',
    ])
  })

  it('gets new events as they are committed', async () => {
    server.commit({})
    const client = await server.ask().until(seen(1))
    server.commit({}, {})
    await client.until(seen(3))
    expect(client.sequences).toEqual([1, 2, 3])
    expect(client.errors).toEqual([])
  })

  it('works through proxies that speak HTTP/1.0', async () => {
    server.commit({})
    const client = await server.ask({ version: '1.0' }).until(seen(1))
    server.commit(paid)
    await client.until(closed)
    expect(client.sequences).toEqual([1, 2])
  })

  it('is not opened by HEAD, which gets the headers of GET', async () => {
    server.commit({})
    const client = await server.ask({ method: 'HEAD' }).until(({ status }) => status === 200)
    await client.until(closed)
    expect(client.body).toBe('')
    expect(client.head).toContain('content-type: text/event-stream')
    expect(server.counted).toEqual([])
  })
})

describe('a stream with Last-Event-ID', () => {
  it('gets all later events in order, then new ones', async () => {
    server.commit({}, {}, {}, {})
    const client = await server.resume(eventId(pay, 2)).until(seen(2))
    server.commit({})
    await client.until(seen(3))
    expect(client.sequences).toEqual([3, 4, 5])
    expect(server.counted).toContain('reconnected resumed')
  })

  it('neither loses nor repeats events that are committed during the replay', async () => {
    server.commit({}, {}, {})
    const client = server.resume(eventId(pay, 1))
    // Reading the head and the position of the id is let through; the replay is held.
    server.history.hold()
    for (const step of ['the head', 'the position']) {
      await vi.waitFor(() => expect(server.history.held, step).toBe(1))
      server.history.release()
    }
    await vi.waitFor(() => expect(server.history.held).toBe(1))
    server.commit({}, {})
    await server.clock.advance(0)
    server.history.releaseAll()
    await client.until(seen(4))
    expect(client.sequences).toEqual([2, 3, 4, 5])
  })

  it('gets only new events if the id is the latest event', async () => {
    server.commit({}, {})
    const find = vi.spyOn(server.history, 'find')
    const client = await server.resume(eventId(pay, 2)).until(({ retries }) => retries.length === 1)
    expect(find).not.toHaveBeenCalled()
    server.commit({})
    await client.until(seen(1))
    expect(client.sequences).toEqual([3])
    expect(server.counted).toContain('reconnected current')
  })

  it('gets a heartbeat with the head at once, whether it is current or behind', async () => {
    server.commit({}, {}, {})
    for (const held of [3, 1]) {
      const client = await server
        .resume(eventId(pay, held))
        .until(({ comments }) => comments.length > 0)
      const beat = client.events.find(({ event }) => event === 'heartbeat')
      expect(JSON.parse(beat?.data ?? '{}')).toMatchObject({ sequence: 3, visibility: 'ok' })
      expect(client.sequences).toEqual(held === 3 ? [] : [2, 3])
    }
  })

  it.each([
    ['unknown', eventId(pay, 999)],
    ['of another payment', eventId('pi_two', 1)],
    ['malformed', 'évt_"; drop'],
  ])('gets a reset and the latest event if the id is %s', async (_, id) => {
    server.history.append('pi_two')
    server.commit({}, {}, {})
    const find = vi.spyOn(server.history, 'find')
    const client = await server.resume(id).until(seen(2))
    expect(find.mock.calls.flat()).toEqual(id.startsWith('evt_') ? [id] : [])
    expect(client.told[0]).toEqual({
      ...{ id: undefined, event: 'reset', data: '{"reason":"unknown_event_id"}' },
    })
    expect(client.told[1]?.id).toBe(eventId(pay, 3))
    server.commit({})
    await client.until(seen(3))
    expect(server.counted).toContain('reconnected reset')
  })

  it('gets a retry and is closed if the history cannot be read', async () => {
    server.commit({}, {}, {})
    const client = server.resume(eventId(pay, 1))
    server.history.hold()
    await vi.waitFor(() => expect(server.history.held).toBe(1))
    server.history.down = true
    server.history.releaseAll()
    await client.until(closed)
    expect([client.status, client.told, client.retries]).toEqual([200, [], [2_000, 2_000]])
    expect(server.counted).toEqual(['opened', 'closed lost'])
  })
})

describe('the end of a stream', () => {
  it.each(['succeeded', 'failed', 'cancelled'] as const)(
    'comes after the event %s, and a client that reconnects with its id gets 204',
    async (status) => {
      server.commit({})
      const client = await server.ask().until(seen(1))
      server.commit({ type: status, status })
      await client.until(closed)
      expect(client.sequences).toEqual([1, 2])
      const again = await server
        .resume(client.lastEventId ?? '')
        .until((back) => back.status === 204)
      expect(again.body).toBe('')
      expect(server.counted).toContain('closed finished')
      expect(server.counted).toContain('reconnected finished')
    },
  )

  it('does not come after expired, which late money may still change', async () => {
    server.commit({})
    const client = await server.ask().until(seen(1))
    server.commit({ type: 'expired', status: 'expired' })
    await client.until(seen(2))
    server.commit({ type: 'pending', status: 'pending_detected' })
    await client.until(seen(3))
    expect(client.isClosed).toBe(false)
  })

  it('is at the same event for a client that resumes as for a live one', async () => {
    server.commit({})
    const live = await server.ask().until(seen(1))
    server.commit({}, paid, finalized)
    await live.until(closed)
    const behind = await server.resume(eventId(pay, 1)).until(closed)
    expect([live.sequences, behind.sequences]).toEqual([
      [1, 2, 3],
      [2, 3],
    ])
    const finished = await server.resume(eventId(pay, 3)).until(({ status }) => status === 204)
    expect(finished.body).toBe('')
    const fresh = await server.ask().until(closed)
    expect(fresh.sequences).toEqual([4])
  })

  it('comes again after a success that was in doubt meanwhile', async () => {
    server.commit({}, paid)
    server.commit({ type: 'investigation_required', status: 'investigation_required' })
    const client = await server.resume(eventId(pay, 2)).until(seen(1))
    expect(client.sequences).toEqual([3])
    server.commit(paid)
    await client.until(closed)
    expect(client.sequences).toEqual([3, 4])
  })

  it('is also at a success that was taken back later; a resumed stream goes on', async () => {
    server.commit({}, paid, { type: 'investigation_required', status: 'investigation_required' })
    const first = await server.resume(eventId(pay, 1)).until(closed)
    expect(first.sequences).toEqual([2])
    const next = await server.resume(first.lastEventId ?? '').until(seen(1))
    expect(next.sequences).toEqual([3])
    expect(next.isClosed).toBe(false)
  })
})

describe('a stream with until=final', () => {
  const path = '/?until=final'

  it('goes on after success until final, also when resumed, and then answers 204', async () => {
    server.commit({})
    const live = await server.ask({ path }).until(seen(1))
    server.commit(paid)
    await live.until(seen(2))
    expect(live.isClosed).toBe(false)
    const behind = await server.resume(eventId(pay, 2), { path }).until(heard)
    server.commit({ type: 'updated', status: 'succeeded', finality: 'safe' }, finalized)
    await Promise.all([live.until(closed), behind.until(closed)])
    expect([live.sequences, behind.sequences]).toEqual([
      [1, 2, 3, 4],
      [3, 4],
    ])
    const again = server.resume(eventId(pay, 4), { path })
    await again.until(({ status }) => status === 204)
  })

  it('gets the event that takes a success back', async () => {
    server.commit({}, paid)
    const client = await server.ask({ path }).until(seen(1))
    server.commit({ type: 'investigation_required', status: 'investigation_required' })
    await client.until(seen(2))
    expect(client.isClosed).toBe(false)
  })

  it.each(['failed', 'cancelled'] as const)('ends with %s, like any stream', async (status) => {
    server.commit({}, { type: status, status })
    const client = await server.ask({ path }).until(closed)
    expect(client.sequences).toEqual([2])
    await server.resume(eventId(pay, 2), { path }).until((one) => one.status === 204)
  })

  it('ends within a heartbeat once the watch of an expired payment is over', async () => {
    server.monitorUntil = server.clock.now() + 20_000
    server.commit({}, { type: 'expired', status: 'expired' })
    const client = await server.ask({ path }).until(seen(1))
    const current = await server.resume(eventId(pay, 2), { path }).until(heard)
    await server.clock.advance(10_000)
    expect([client.isClosed, current.isClosed]).toEqual([false, false])
    await server.clock.advance(10_000 + heartbeatMs * 1.1)
    await Promise.all([client.until(closed), current.until(closed)])
    expect(server.counted.filter((what) => what === 'closed finished')).toHaveLength(2)
    await server.resume(eventId(pay, 2), { path }).until(({ status }) => status === 204)
    const fresh = await server.ask({ path }).until(closed)
    expect(fresh.sequences).toEqual([2])
  })
})
