import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Connections that have not asked for anything yet. Browsers open such ahead of need, and Node counts
 * them as busy: without this, closing would wait for them until it is cut.
 */
export class SilentSockets {
  readonly #sockets = new Set<Socket>()

  constructor(server: Server) {
    const sockets = this.#sockets
    // One function for all sockets: a closure for each would stay with every stream.
    function forget(this: Socket): void {
      sockets.delete(this)
    }
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.once('close', forget)
    })
    server.prependListener('request', ({ socket }: IncomingMessage) => {
      if (sockets.delete(socket)) socket.removeListener('close', forget)
    })
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
