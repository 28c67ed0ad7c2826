/**
 * A relay between a follower and a real node, frame by frame, so that a test can use a real chain
 * through a provider that lacks some methods.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { WebSocket, WebSocketServer } from 'ws'

export interface RpcRelay {
  readonly wsUrl: string
  close(): Promise<void>
}

/**
 * `refuses` is called for every request over WebSocket; a request for which it returns true does
 * not reach the node. Requests over HTTP, which no follower sends here, all reach it.
 */
export async function startRpcRelay(
  nodeUrl: string,
  refuses: (method: string, params: readonly unknown[]) => boolean,
): Promise<RpcRelay> {
  const http = createServer(async (request, response) => {
    const method = request.method ?? 'POST'
    const headers = { 'content-type': 'application/json' }
    const target = nodeUrl.replace('ws:', 'http:')
    const answer = await fetch(target, { method, headers, body: await textOf(request) })
    response.writeHead(answer.status, headers).end(await answer.text())
  })
  const server = new WebSocketServer({ server: http })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  server.on('connection', (near) => {
    const far = new WebSocket(nodeUrl)
    const opened = new Promise((resolve) => far.once('open', resolve))
    near.on('message', async (data) => {
      const text = data.toString()
      // The only client is the follower under test, which sends JSON-RPC.
      const question = JSON.parse(text) as { id: number; method: string; params: unknown[] }
      await opened
      if (!refuses(question.method, question.params)) return far.send(text)
      const error = { code: -32602, message: 'not offered' }
      return near.send(JSON.stringify({ jsonrpc: '2.0', id: question.id, error }))
    })
    far.on('message', (data) => near.send(data.toString()))
    far.on('error', () => near.terminate())
    near.on('close', () => far.terminate())
    far.on('close', () => near.terminate())
  })
  return {
    // A server that listens on TCP has this type of address.
    wsUrl: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close: async () => {
      for (const client of server.clients) client.terminate()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
