import { connect, type Socket } from 'node:net'

/** A client on a bare socket that can send any bytes, and can stop reading. */
export class RawClient {
  readonly socket: Socket
  heard = ''
  isClosed = false
  readonly closed: Promise<void>

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.isClosed = true
        resolve()
      })
    })
  }

  /** `holdsOn` keeps the client's half of the connection open after the server closed its own. */
  static async open(
    url: string,
    { bytes = '', reads = true, holdsOn = false } = {},
  ): Promise<RawClient> {
    const { hostname, port } = new URL(url)
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: holdsOn })
    const client = new RawClient(socket)
    if (reads) socket.on('data', (piece) => client.#hear(piece))
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve())
      socket.once('error', reject)
    })
    if (bytes !== '') socket.write(bytes)
    return client
  }

  #hear(piece: Buffer): void {
    this.heard += piece.toString('latin1')
  }

  /** The statuses of the answers so far. */
  get statuses(): number[] {
    return [...this.heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
  }
}
