import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { StreamClient } from '../../../../test/support/stream-client.ts'
import { StreamServer } from '../../../../test/support/stream-server.ts'

let server: StreamServer

const open = async (options?: ConstructorParameters<typeof StreamServer>[0]): Promise<void> => {
  server = await new StreamServer(options).listen()
}
beforeEach(() => open())
afterEach(() => server.close())

const seen = (count: number) => (client: StreamClient) => client.told.length >= count
const closed = (client: StreamClient) => client.isClosed

describe('the age of a stream', () => {
  const ageMs = 3_600_000

  it('ends it with the next heartbeat, a fifth earlier or later, and it resumes without a gap', async () => {
    server.commit({})
    const clients = await Promise.all(
      Array.from({ length: 60 }, () => server.ask().until((client) => client.told.length > 0)),
    )
    const isOpen = () => clients.filter((client) => !client.isClosed).length
    await server.clock.advance(ageMs * 0.79)
    expect(isOpen()).toBe(60)
    await server.clock.advance(ageMs * 0.21)
    await vi.waitFor(() => expect(isOpen()).toBeLessThan(50))
    expect(isOpen()).toBeGreaterThan(10)
    await server.clock.advance(ageMs * 0.21)
    await vi.waitFor(() => expect(isOpen()).toBe(0))
    await vi.waitFor(() => expect(server.counted).toContain('closed aged'))
    const [first] = clients
    expect(first?.body).toMatch(/retry: 2000\n\n$/)
    server.commit({})
    const resumed = await server.resume(first?.lastEventId ?? '').until(seen(1))
    expect(resumed.sequences).toEqual([2])
  })
})

describe('a shutdown', () => {
  it('gives each stream a moment of its own to come back, over at most the time that is set', async () => {
    await server.close()
    await open({ returnMs: 20 })
    server.commit({})
    const clients = await Promise.all(Array.from({ length: 40 }, () => server.ask().until(seen(1))))
    const closing = server.sse.close()
    await Promise.all(clients.map((client) => client.until(closed)))
    await closing
    const times = clients.map(({ body }) => Number(/retry: (\d+)\n\n$/.exec(body)?.[1]))
    expect(Math.min(...times)).toBe(500)
    expect(Math.max(...times)).toBeGreaterThan(515)
    expect(Math.max(...times)).toBeLessThanOrEqual(520)
    // Half a millisecond apart, in whole milliseconds.
    expect(new Set(times).size).toBeGreaterThanOrEqual(20)
  })
})
