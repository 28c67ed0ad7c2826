import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ShakyServer } from '../../test/support/shaky-server.ts'
import { Client } from './client.ts'

let server: ShakyServer
let client: Client

beforeEach(async () => {
  server = await ShakyServer.start({ heartbeatMs: 1_000, secondMs: 1_000 })
  client = new Client({ baseUrl: server.url })
  server.add('awaiting')
})

afterEach(() => server.close())

it('follow: yields each event and ends when the payment closes', async () => {
  const sequences: number[] = []
  for await (const update of client.watch(server.paymentId)) {
    if (update.kind !== 'event') continue
    sequences.push(update.event.data.sequence)
    if (sequences.length === 1) {
      server.add('pending_detected')
      server.add('succeeded')
    }
  }
  expect(sequences).toEqual([1, 2, 3])
})

it('follow: closes the connection when the caller leaves the loop', async () => {
  for await (const update of client.watch(server.paymentId)) {
    if (update.kind === 'event') break
  }
  server.cutAll()
  await sleep(300)
  expect(server.asked).toHaveLength(1)
})

it('follow: ends when its signal aborts, even before the first update', async () => {
  const aborted = AbortSignal.abort()
  for await (const update of client.watch(server.paymentId, { signal: aborted })) {
    expect(update).toMatchObject({ kind: 'connection', connection: { state: 'ended' } })
  }
  const abort = new AbortController()
  let last = ''
  for await (const update of client.watch(server.paymentId, { signal: abort.signal })) {
    if (update.kind === 'event') abort.abort()
    else last = update.connection.state
  }
  expect(last).toBe('ended')
})

it('follow: gives the reason of a refusal with its last update', async () => {
  server.always = 'gone'
  let reason: string | null = null
  for await (const update of client.watch(server.paymentId)) {
    if (update.kind === 'connection') reason = update.connection.reason
  }
  expect(reason).toBe('not_found')
})

it('follow: throws slow_reader for a slow reader instead of filling the memory', async () => {
  const read = async () => {
    for await (const update of client.watch(server.paymentId)) {
      if (update.kind !== 'event') continue
      for (let i = 0; i < 1_200; i++) server.add('awaiting')
      await sleep(500)
    }
  }
  await expect(read()).rejects.toMatchObject({ code: 'slow_reader' })
})
