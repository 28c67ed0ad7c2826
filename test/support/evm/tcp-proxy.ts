/** A connection that can be cut: a TCP relay on loopback before a real server. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class TcpProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #holes = false
  #refuses = false

  private constructor(server: Server, targetPort: number) {
    this.#server = server
    server.on('connection', (near) => {
      if (this.#refuses) near.destroy()
      else this.#relay(near, connect(targetPort, '127.0.0.1'))
    })
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const server = createServer()
    const proxy = new TcpProxy(server, targetPort)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    // A server that listens on TCP has this type of address.
    return (this.#server.address() as AddressInfo).port
  }

  /** Ends every connection with a reset. */
  drop(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** New connections are refused until `heal`; open ones stay open. */
  refuse(): void {
    this.#refuses = true
  }

  /** Every byte is dropped and nothing is closed: a dead router looks like this from both ends. */
  blackHole(): void {
    this.#holes = true
  }

  /** Carries new bytes again. Dropped bytes stay lost, so connections from before stay broken. */
  heal(): void {
    this.#holes = false
    this.#refuses = false
  }

  async close(): Promise<void> {
    this.drop()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #relay(near: Socket, far: Socket): void {
    const born = { holed: this.#holes }
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      from.on('data', (bytes) => {
        // Once a byte was lost the stream stays broken.
        born.holed ||= this.#holes
        if (!born.holed) to.write(bytes)
      })
      from.on('error', () => undefined)
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
  }
}
