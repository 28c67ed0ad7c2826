/** The baseline for fan-out: a loop that writes the same bytes to as many bare sockets. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { answerParent } from './child-program.ts'
import { collectedBytes, cpuMicros, residentBytes } from './process-usage.ts'

const sockets = new Set<Socket>()
const server = createServer({ noDelay: true }, (socket) => {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  socket.on('error', () => undefined)
  socket.resume()
})

const listen = (): Promise<number> =>
  new Promise((resolve) => {
    // `address()` of a listening TCP server is always an object.
    const port = () => resolve((server.address() as AddressInfo).port)
    server.listen({ port: 0, host: '127.0.0.1', backlog: 511 }, port)
  })

function publish(frame: string): void {
  const bytes = Buffer.from(frame, 'base64')
  for (const socket of sockets) socket.write(bytes)
}

const answers = {
  listen,
  publish,
  cpu: cpuMicros,
  resident: residentBytes,
  collected: collectedBytes,
  open: () => sockets.size,
}
export type FanOutBare = typeof answers
answerParent(answers)
