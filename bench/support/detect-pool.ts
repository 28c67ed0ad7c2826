/** A node that sends pending transactions as fast as the connected client reads them. */
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { answerParent } from './child-program.ts'
import { poolMessages } from './pool-messages.ts'

const subscription = '0x9cef478923ff08bf67fde6c64013158d'
const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
/** Sockets by the name that each client puts into its path. */
const sockets = new Map<string, WebSocket>()
let messages: string[] = []

server.on('connection', (socket, { url = '/' }) => {
  sockets.set(url.slice(1), socket)
  socket.on('message', (data) => {
    // Only the bench programs connect here, and they send JSON-RPC.
    const { id, method } = JSON.parse(data.toString()) as { id: number; method: string }
    const answer =
      method === 'eth_subscribe' ? { result: subscription } : { error: { code: -32601 } }
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...answer }))
  })
})

function prepare({ count, watched }: { count: number; watched: number }): {
  port: number
  bytes: number
} {
  messages = poolMessages(count, watched).map(
    (transaction) =>
      `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${subscription}","result":${transaction}}}`,
  )
  // `address()` of a listening TCP server is always an object.
  const { port } = server.address() as AddressInfo
  return { port, bytes: messages.reduce((sum, text) => sum + text.length, 0) / count }
}

const bufferedBytesMax = 4 * 1024 * 1024

/** Sends all messages to the client of this name. */
async function send(name: string): Promise<void> {
  const socket = sockets.get(name)
  if (socket === undefined) throw new Error(`no client is connected as ${name}`)
  for (const message of messages) {
    socket.send(message)
    if (socket.bufferedAmount > bufferedBytesMax) {
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
}

const answers = { prepare, send }
export type DetectPool = typeof answers
answerParent(answers)
