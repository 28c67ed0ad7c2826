import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../clock.ts'
import { FaultProxy } from './fault-proxy.ts'

/** A server that echoes all bytes. */
let echo: Server
let proxy: FaultProxy
let clients: Client[]

beforeEach(async () => {
  clients = []
  echo = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  const { port } = echo.address() as AddressInfo
  proxy = await FaultProxy.start({ port }, systemClock)
})

afterEach(async () => {
  for (const { socket } of clients) socket.destroy()
  await proxy.close()
  await new Promise((resolve) => echo.close(resolve))
})

/** A connection through the proxy, and the bytes that it received. */
class Client {
  readonly socket: Socket
  received = ''
  receivedBytes = 0
  ended: 'open' | 'end' | 'reset' = 'open'

  constructor() {
    this.socket = connect(proxy.port, '127.0.0.1')
    this.socket.on('data', (bytes) => {
      this.receivedBytes += bytes.length
      if (this.receivedBytes < 10_000) this.received += bytes.toString()
    })
    this.socket.on('error', () => {
      this.ended = 'reset'
    })
    this.socket.on('end', () => {
      this.ended = 'end'
    })
    clients.push(this)
  }

  async says(text: string): Promise<void> {
    this.socket.write(text)
    await expect.poll(() => this.received, { interval: 5 }).toContain(text)
  }

  hasEnded(how: 'end' | 'reset'): Promise<void> {
    return expect.poll(() => this.ended, { interval: 5 }).toBe(how)
  }
}

describe('the fault proxy', () => {
  it('forwards bytes both ways, and the end of a connection', async () => {
    const client = new Client()
    await client.says('hello')
    client.socket.end('bye')
    await client.hasEnded('end')
    expect(client.received).toBe('hellobye')
    await expect.poll(() => proxy.connections).toBe(0)
  })

  it('resets open connections and refuses new ones in mode outage', async () => {
    const before = new Client()
    await before.says('a')
    proxy.set({ mode: 'outage' })
    await before.hasEnded('reset')
    const during = new Client()
    await during.hasEnded('reset')
    expect(during.received).toBe('')
    proxy.set({ mode: 'ok' })
    await new Client().says('b')
  })

  it('delays bytes each way in mode lag, in order, also when the lag shrinks', async () => {
    const client = new Client()
    await client.says('.')
    proxy.set({ mode: 'lag', lagMs: 150 })
    const startedAt = systemClock.now()
    const waits = client.says('1')
    await systemClock.sleep(20)
    client.socket.write('2')
    proxy.set({ mode: 'lag', lagMs: 100 })
    client.socket.write('3')
    await waits
    expect(systemClock.now() - startedAt).toBeGreaterThanOrEqual(200)
    await expect.poll(() => client.received).toBe('.123')
    proxy.set({ mode: 'lag', lagMs: 60_000 })
    client.socket.write('4')
    await systemClock.sleep(30)
    proxy.set({ mode: 'ok' })
    await client.says('4')
  })

  it('forwards the end of a connection after its delayed bytes in mode lag', async () => {
    proxy.set({ mode: 'lag', lagMs: 50 })
    const client = new Client()
    client.socket.end('last words')
    await client.hasEnded('end')
    expect(client.received).toBe('last words')
  })

  it('drops all bytes in mode half_open, and resets these connections afterwards', async () => {
    const idle = new Client()
    await idle.says('a')
    const asking = new Client()
    await asking.says('a')
    proxy.set({ mode: 'half_open' })
    asking.socket.write('b')
    const fresh = new Client()
    fresh.socket.write('c')
    await systemClock.sleep(60)
    expect([idle, asking, fresh].map(({ received, ended }) => received + ended)).toEqual([
      'aopen',
      'aopen',
      'open',
    ])
    proxy.set({ mode: 'ok' })
    await Promise.all([asking.hasEnded('reset'), fresh.hasEnded('reset')])
    // No bytes were lost on this connection.
    await idle.says('d')
  })

  it('hides a disconnect of the server in mode half_open', async () => {
    const sockets: Socket[] = []
    echo.on('connection', (socket) => sockets.push(socket))
    const client = new Client()
    await client.says('a')
    proxy.set({ mode: 'half_open' })
    for (const socket of sockets) socket.destroy()
    await systemClock.sleep(50)
    expect(client.ended).toBe('open')
    proxy.set({ mode: 'ok' })
    await client.hasEnded('reset')
  })

  it('cuts each connection after so many bytes in mode drop_after', async () => {
    proxy.set({ mode: 'drop_after', afterBytes: 15 })
    const client = new Client()
    await client.says('12345')
    client.socket.write('6789012345')
    await client.hasEnded('reset')
    expect(client.received.length).toBeLessThan(15)
    const next = new Client()
    await next.says('again')
  })

  it('holds a bounded number of bytes: a sender of more has to wait', async () => {
    proxy.set({ mode: 'lag', lagMs: 60_000 })
    const client = new Client()
    const piece = Buffer.alloc(1 << 16)
    let sentBytes = 0
    while (sentBytes < 1 << 26 && client.socket.write(piece)) sentBytes += piece.length
    for (let i = 0; i < 500; i++) client.socket.write(piece)
    await systemClock.sleep(100)
    // 32 MB were written; only one megabyte and the kernel's buffers have left the client.
    expect(client.socket.writableLength).toBeGreaterThan(10 << 20)
    proxy.set({ mode: 'ok' })
    await expect
      .poll(() => client.receivedBytes, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(500 * piece.length)
  })

  it('has a readable fault, and resets open connections when closed', async () => {
    expect(proxy.fault).toEqual({ mode: 'ok' })
    proxy.set({ mode: 'lag', lagMs: 5 })
    expect(proxy.fault).toEqual({ mode: 'lag', lagMs: 5 })
    const client = new Client()
    await client.says('a')
    expect(proxy.connections).toBe(1)
    await proxy.close()
    await client.hasEnded('reset')
    proxy = await FaultProxy.start({ port: (echo.address() as AddressInfo).port }, systemClock)
  })
})
