import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { failedWith } from '@settlewire/core/errors'
import { afterEach, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../../../../../test/support/anvil.ts'
import { ChainLedger } from '../../../../../test/support/evm/chain-ledger.ts'
import { newAddress } from '../../../../../test/support/evm/fake-chain.ts'
import { followerOf, nodeAt } from '../../../../../test/support/evm/labs.ts'
import { TcpProxy } from '../../../../../test/support/evm/tcp-proxy.ts'
import { systemClock } from '../../../clock.ts'
import { RpcHttp } from './http.ts'
import { defaultLimits, type FollowerLimits } from './limits.ts'

const closings: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closings.splice(0).toReversed()) await close()
})

type Say = (
  body: { method: string; id: number },
  request: IncomingMessage,
  response: ServerResponse,
) => void

const noMethod = { code: -32601, message: 'unknown method' }

/** A server that answers each question as the test wants. */
async function serve(say: Say): Promise<string> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      // Only the code under test sends requests here, and it speaks JSON-RPC.
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { method: string; id: number }
      if (body.method === 'eth_chainId') response.end('{"jsonrpc":"2.0","id":1,"result":"0x1"}')
      else say(body, request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closings.push(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server listening on TCP has this kind of address.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/key-that-is-secret`
}

const open = async (url: string, limits: Partial<FollowerLimits> = {}): Promise<RpcHttp> => {
  const { signal } = new AbortController()
  const connection = await RpcHttp.connect(url, {
    ...{ clock: systemClock, limits: { ...defaultLimits, ...limits }, signal },
  })
  closings.push(() => connection.drop('left'))
  return connection
}

const json = (response: ServerResponse, body: object, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

describe('a node behind HTTP', () => {
  it('tells results, unsupported methods and refusals apart, stays open, and cannot subscribe', async () => {
    const url = await serve(({ method, id }, _, response) => {
      if (method === 'good') json(response, { id, result: { a: 1 } })
      else if (method === 'null') json(response, { id, result: null })
      // Some nodes send refusals with the status of a bad request.
      else if (method === 'bad') json(response, { id, error: noMethod }, 400)
      else if (method === 'page') response.end('<html>hello</html>')
      else if (method === 'busy') {
        response.setHeader('retry-after', '7')
        json(response, { error: 'Too many requests' }, 429)
      } else response.writeHead(502).end('{}')
    })
    const node = await open(url)
    expect(await node.ask('good', [])).toEqual({ result: { a: 1 } })
    expect(await node.ask('null', [])).toEqual({ result: null })
    expect(await node.ask('bad', [])).toEqual({ declined: { kind: 'unsupported', ...noMethod } })
    expect(await node.subscribe()).toMatchObject({ declined: { kind: 'unsupported' } })
    for (let times = 0; times < 4; times++) {
      expect(await node.ask('page', [])).toMatchObject({ refused: { code: 200 } })
      expect(await node.ask('busy', [])).toMatchObject({ refused: { againInMs: 7_000 } })
      expect(await node.ask('ill', [])).toMatchObject({ refused: { code: 502 } })
    }
    expect(node.open).toBe(true)
  })

  it.each<[string, Say]>([
    ['JSON without a result', (_, __, response) => json(response, {})],
    ['an answer that never ends', (_, __, response) => void response.write('x'.repeat(5_000))],
    ['an answer too large', (_, __, response) => json(response, { result: 'x'.repeat(5_000) })],
    ['silence', () => undefined],
    ['a connection that ends', (_, request) => request.socket.destroy()],
    ['a redirect', (_, __, response) => response.writeHead(307, { location: '/' }).end()],
  ])('fails on %s without naming the URL, and is lost after three failures', async (_what, say) => {
    const node = await open(await serve(say), { answerWithinMs: 100, frameBytesMax: 2_000 })
    for (let asked = 0; asked < 3; asked++) {
      expect(node.open).toBe(true)
      const error = await node.ask('any', []).catch((failure: unknown) => failure)
      expect(failedWith(error, 'chain_unavailable')).toBe(true)
      const { message, cause } = error as Error & { cause: Error }
      expect(`${message} ${cause.message} ${cause.stack}`).not.toMatch(/secret|127\.0\.0\.1/)
    }
    expect(await node.closed).toBe('lost')
    await expect(node.ask('any', [])).rejects.toThrow('ended')
  })

  it('sends the user name and password of its URL as a header', async () => {
    let sent: string | undefined
    const url = await serve(({ id }, request, response) => {
      sent = request.headers.authorization
      json(response, { id, result: 1 })
    })
    const node = await open(url.replace('http://', 'http://me:p%40ss@'))
    await node.ask('any', [])
    expect(sent).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`)
  })

  it('does not connect to a closed port or with an invalid URL', async () => {
    const port = Number(new URL(await serve(() => undefined)).port)
    for (const close of closings.splice(0)) await close()
    await expect(open(`http://127.0.0.1:${port}`)).rejects.toThrow('cannot be reached')
    await expect(open('http://')).rejects.toThrow('Invalid node URL')
  })
})

describe('following a real chain over HTTP', () => {
  const setUp = async (): Promise<{ anvil: Anvil; ledger: ChainLedger; wire: TcpProxy }> => {
    const anvil = await startAnvil({ args: ['--no-mining', '--slots-in-an-epoch', '4'] })
    closings.push(() => anvil.stop())
    const wire = await TcpProxy.start(anvil.port)
    closings.push(() => wire.close())
    return { anvil, ledger: new ChainLedger(), wire }
  }
  const atHead = async (anvil: Anvil, ledger: ChainLedger): Promise<void> => {
    const { hash } = await anvil.rpc<{ hash: string }>('eth_getBlockByNumber', ['latest', false])
    await ledger.until('the head is stored', () => ledger.stored?.recent[0]?.hash === hash)
  }

  it('finds payments, reverts reorgs and survives a cut connection by polling the head', async () => {
    const { anvil, ledger, wire } = await setUp()
    const url = `http://127.0.0.1:${wire.port}`
    const follower = followerOf(ledger, { providers: [nodeAt('http', url)] })
    closings.push(() => follower.close())
    const to = newAddress()
    ledger.watch.addresses.add(to)
    ledger.watch.wantsNative = true
    follower.start()
    await atHead(anvil, ledger)
    const [from] = anvil.accounts
    const pay = (value: string) => anvil.rpc('eth_sendTransaction', [{ from, to, value }])
    await pay('0x1')
    await anvil.rpc('anvil_mine', ['0x3'])
    await atHead(anvil, ledger)
    expect(ledger.transfers.map(({ amount }) => amount)).toEqual([1n])
    await anvil.rpc('anvil_reorg', [3, []])
    await anvil.rpc('anvil_mine', ['0x1'])
    await atHead(anvil, ledger)
    expect(ledger.transfers).toEqual([])
    wire.refuse()
    wire.drop()
    await ledger.until('the loss is reported', () => ledger.lastHealth?.reason === 'socket_down')
    await pay('0x2')
    await anvil.rpc('anvil_mine', ['0x46'])
    wire.heal()
    await atHead(anvil, ledger)
    expect(ledger.transfers.map(({ amount }) => amount)).toEqual([2n])
    expect(ledger.violations).toEqual([])
  })

  it('counts as one more witness beside a WebSocket', async () => {
    const { anvil, ledger } = await setUp()
    const nodes = [nodeAt('ws', anvil.wsUrl), nodeAt('http', anvil.rpcUrl)]
    const follower = followerOf(ledger, { providers: nodes, quorum: 2 })
    closings.push(() => follower.close())
    const to = newAddress()
    ledger.watch.addresses.add(to)
    ledger.watch.wantsNative = true
    follower.start()
    await ledger.until('the chain is fully visible', () => ledger.lastHealth?.reason === null)
    const [from] = anvil.accounts
    await anvil.rpc('eth_sendTransaction', [{ from, to, value: '0x7' }])
    await anvil.rpc('anvil_mine', ['0x1'])
    await atHead(anvil, ledger)
    const shownBy = (): Set<string> =>
      new Set([
        ...ledger.applied.flatMap((block) => [...(block.sources?.values() ?? [])].flat()),
        ...ledger.corroborations.map(({ source }) => source),
      ])
    await ledger.until('both have shown it', () => shownBy().size === 2)
    expect(ledger.steps.at(-1)?.head.witnesses).toBe(2)
    expect(ledger.violations).toEqual([])
  })
})
