import { Socket } from 'node:net'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Exchange, HttpConnection } from './connection.ts'

const start = { peer: '', client: null, overLimit: null, since: 0, pipelinedMax: 4 }

/** A connection with a parser and turns that only record what they get. */
class Probe {
  readonly socket = new Socket()
  readonly tasks: (() => void)[] = []
  readonly parsed: string[] = []
  parsers = 0
  pauses = 0
  readonly connection = new HttpConnection(this.socket, start, {
    openParser: () => {
      this.parsers++
      return (bytes) => void this.parsed.push(bytes.toString())
    },
    inTurn: (task) => void this.tasks.push(task),
    paused: () => {
      this.pauses++
    },
  })

  receive(text: string, now = 0): void {
    this.connection.received(Buffer.from(text), now)
  }

  turn(): void {
    this.tasks.shift()?.()
  }
}

let probe: Probe
beforeEach(() => {
  probe = new Probe()
})

describe('a connection', () => {
  it('has no parser before its first bytes, and one for all of them', () => {
    expect(probe.parsers).toBe(0)
    for (const text of ['GET /a', ' HTTP/1.1']) {
      probe.receive(text)
      probe.turn()
    }
    expect(probe).toMatchObject({ parsers: 1, parsed: ['GET /a', ' HTTP/1.1'] })
  })

  it('parses in one turn all bytes that came before it, and reads no more meanwhile', () => {
    probe.receive('GET /a')
    probe.receive('bc')
    expect(probe).toMatchObject({ parsed: [], connection: { waitsForTurn: true, isIdle: false } })
    expect(probe.tasks).toHaveLength(1)
    expect(probe.socket.isPaused()).toBe(true)
    probe.turn()
    expect(probe).toMatchObject({ parsed: ['GET /abc'], connection: { waitsForTurn: false } })
    expect(probe.socket.isPaused()).toBe(false)
  })

  it.each(['GET /healthz HTTP/1.1', 'HEAD /healthz', 'GET /readyz HTTP/1.1', 'HEAD /readyz'])(
    'parses "%s" at once',
    (text) => {
      probe.receive(text)
      expect(probe).toMatchObject({ parsed: [text], tasks: [] })
    },
  )

  it('lets bytes wait that are not the start of a request, although they look like it', () => {
    probe.receive('POST / HTTP/1.1\r\n')
    probe.turn()
    probe.receive('GET /healthz')
    expect(probe.parsed).toEqual(['POST / HTTP/1.1\r\n'])
    expect(probe.tasks).toHaveLength(1)
  })

  it('reports once that further requests wait, and again after all of them were answered', () => {
    const exchange = { request: {}, response: {}, since: 0, failure: null } as unknown as Exchange
    const ask = (): void => {
      for (let request = 0; request < start.pipelinedMax; request++)
        probe.connection.asked(exchange)
    }
    ask()
    expect(probe.pauses).toBe(0)
    probe.receive('GET /a')
    probe.turn()
    expect(probe).toMatchObject({ pauses: 1, parsed: [] })
    expect(probe.socket.isPaused()).toBe(true)
    probe.connection.next()
    probe.connection.answered(1)
    probe.connection.pump()
    probe.connection.asked(exchange)
    probe.receive('GET /b')
    probe.turn()
    expect(probe).toMatchObject({ pauses: 1, parsed: ['GET /a'] })
    for (let request = 0; request < start.pipelinedMax; request++) {
      probe.connection.next()
      probe.connection.answered(1)
    }
    ask()
    probe.receive('GET /c')
    probe.turn()
    expect(probe.pauses).toBe(2)
  })

  it('parses nothing once it was cut or became a stream', () => {
    probe.receive('GET /a')
    probe.connection.isOver = true
    probe.turn()
    const stream = new Probe()
    stream.receive('GET /a')
    stream.connection.becomeStream()
    stream.turn()
    stream.receive('GET /healthz')
    expect([...probe.parsed, ...stream.parsed]).toEqual([])
  })

  it('counts the time of an incomplete request from its first bytes, also while they wait', () => {
    probe.receive('GET /a', 5)
    probe.turn()
    probe.receive('b', 9)
    expect(probe.connection.headSince).toBe(5)
  })
})
