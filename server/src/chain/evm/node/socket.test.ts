import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeNode, Refused, silence } from '../../../../../test/support/fake-node.ts'
import { systemClock } from '../../../clock.ts'
import { defaultLimits, type FollowerLimits } from './limits.ts'
import { RpcSocket } from './socket.ts'

describe('a JSON-RPC connection over WebSocket', () => {
  let node: FakeNode
  const open: RpcSocket[] = []

  const connect = async (limits: Partial<FollowerLimits> = {}): Promise<RpcSocket> => {
    const socket = await RpcSocket.connect(node.wsUrl, {
      clock: systemClock,
      limits: { ...defaultLimits, ...limits },
      signal: new AbortController().signal,
    })
    open.push(socket)
    return socket
  }

  beforeEach(async () => {
    node = await FakeNode.start()
  })

  afterEach(async () => {
    for (const socket of open.splice(0)) socket.drop('left')
    await node.close()
  })

  it('matches each answer to its question, in whatever order answers come', async () => {
    const socket = await connect()
    node.instead = (method) =>
      method === 'slow'
        ? new Promise((resolve) => setTimeout(() => resolve('late'), 50))
        : undefined
    const answers = await Promise.all([socket.ask('slow', []), socket.ask('eth_chainId', [])])
    expect(answers).toEqual([{ result: 'late' }, { result: '0x7a69' }])
  })

  it('reports a missing method as an answer, not as a refusal', async () => {
    const socket = await connect()
    expect(await socket.ask('eth_unheardOf', [])).toEqual({
      declined: { kind: 'unsupported', code: -32601, message: 'the method does not exist' },
    })
  })

  it('takes a refusal without an id as a refusal of every open question', async () => {
    const socket = await connect()
    node.instead = () => silence
    const asked = [socket.ask('a', []), socket.ask('b', [])]
    await expect.poll(() => node.asked.length).toBe(2)
    node.say('{"error":"Too many requests"}')
    for (const answer of await Promise.all(asked)) expect(answer).toHaveProperty('refused')
    expect(socket.open).toBe(true)
  })

  it('delivers a notification that comes before the answer with the subscription id', async () => {
    const socket = await connect()
    const heard: unknown[] = []
    node.instead = (method) => {
      if (method !== 'eth_subscribe') return undefined
      const params = { subscription: '0xs', result: 'early' }
      node.say(JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params }))
      return '0xs'
    }
    await socket.subscribe(['newHeads'], (result) => heard.push(result))
    expect(heard).toEqual(['early'])
  })

  it('fails a question at its deadline, and ignores its late answer', async () => {
    const socket = await connect({ answerWithinMs: 40 })
    node.instead = (method) =>
      method === 'slow'
        ? new Promise((resolve) => setTimeout(() => resolve('late'), 120))
        : undefined
    await expect(socket.ask('slow', [])).rejects.toMatchObject({ code: 'chain_unavailable' })
    await new Promise((resolve) => setTimeout(resolve, 120))
    expect(await socket.ask('eth_chainId', [])).toEqual({ result: '0x7a69' })
  })

  it('fails every open question when the connection ends', async () => {
    const socket = await connect()
    node.instead = () => silence
    const asked = [socket.ask('a', []), socket.ask('b', [])]
    node.drop()
    for (const result of await Promise.allSettled(asked)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'chain_unavailable' } })
    }
    expect(await socket.closed).toBe('lost')
    await expect(socket.ask('c', [])).rejects.toMatchObject({ code: 'chain_unavailable' })
  })

  it('delivers a notification that comes right behind the answer to its subscription', async () => {
    const socket = await connect()
    const heard: unknown[] = []
    node.instead = (method) => {
      if (method !== 'eth_subscribe') return undefined
      const params = { subscription: '0xs', result: 'first' }
      // Sent in one burst, the answer first, with no tick between them.
      queueMicrotask(() =>
        node.say(JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params })),
      )
      return '0xs'
    }
    const stop = await socket.subscribe(['newHeads'], (result) => heard.push(result))
    await socket.ask('eth_chainId', [])
    expect(heard).toEqual(['first'])
    if ('result' in stop) stop.result()
    node.say(
      '{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0xs","result":2}}',
    )
    await socket.ask('eth_chainId', [])
    expect(heard).toEqual(['first'])
    expect(node.askedFor('eth_unsubscribe')).toBe(1)
  })

  it('tells apart a node without the subscription and a node that refuses it for now', async () => {
    node.pendingForm = 'none'
    const socket = await connect()
    const subscribe = () => socket.subscribe(['newPendingTransactions'], () => undefined)
    expect(await subscribe()).toMatchObject({ declined: { kind: 'unsupported' } })
    node.instead = () => new Refused(-32005, 'too many requests')
    expect(await subscribe()).toHaveProperty('refused')
    node.instead = () => 17
    expect(await subscribe()).toHaveProperty('refused')
  })

  it('ends at a frame larger than its limit', async () => {
    const socket = await connect({ frameBytesMax: 1_000 })
    node.say(JSON.stringify({ jsonrpc: '2.0', id: 99, result: 'x'.repeat(2_000) }))
    expect(await socket.closed).toBe('lost')
  })

  it('ends at a frame that is not a JSON object', async () => {
    const socket = await connect()
    node.say('[1,2,3]')
    expect(await socket.closed).toBe('broken_frame')
  })

  it('ends as `silent` when a ping is not answered', async () => {
    const living = await connect({ pingEveryMs: 20, pongWithinMs: 200 })
    await node.close()
    node = await FakeNode.start({ answersPings: false })
    expect(await living.closed).toBe('lost')
    const dead = await connect({ pingEveryMs: 20, pongWithinMs: 40 })
    expect(await dead.closed).toBe('silent')
  })

  it('stays open while every ping is answered', async () => {
    const socket = await connect({ pingEveryMs: 10, pongWithinMs: 500 })
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(socket.open).toBe(true)
  })

  it.each(['ws://127.0.0.1:1/v2/secret-key', 'ws://no host/secret-key', 'ftp://host/secret-key'])(
    'never names the URL, which may hold a key, when it cannot connect to %s',
    async (url) => {
      const failure: unknown = await RpcSocket.connect(url, {
        clock: systemClock,
        limits: defaultLimits,
        signal: new AbortController().signal,
      }).catch((error: unknown) => error)
      const cause = failure instanceof Error ? failure.cause : null
      expect(`${failure} ${cause}`).not.toContain('secret-key')
      expect(failure).toBeInstanceOf(Error)
    },
  )

  it('stops connecting when its signal aborts', async () => {
    const closing = new AbortController()
    const connecting = RpcSocket.connect(node.wsUrl, {
      clock: systemClock,
      limits: defaultLimits,
      signal: closing.signal,
    })
    closing.abort()
    await expect(connecting).rejects.toMatchObject({ code: 'chain_unavailable' })
  })
})
