/** Hostile clients, thousands in one process. Counts what happens to them. */
import { connect, type Socket } from 'node:net'
import { answerParent } from './child-program.ts'

/** One kind of client. With `returns`, a client connects again after it was cut or refused. */
interface Attack {
  readonly port: number
  readonly count: number
  /** Sent after connecting: client i sends request i modulo the length; nothing if it is empty. */
  readonly requests: readonly string[]
  /** How often the request is repeated in one write. */
  readonly times: number
  readonly reads: boolean
  /** Sent once a second after the request. */
  readonly drip: string
  readonly returns: boolean
}

const atOnce = 200
const sockets = new Set<Socket>()
let connected = 0
let cut = 0
let answered = 0
let isOver = false

const marker = Buffer.from('HTTP/1.1 ')

/** Counts answers by their first line. Missing one that is split over two chunks does not matter. */
function count(piece: Buffer): void {
  for (let at = piece.indexOf(marker); at >= 0; at = piece.indexOf(marker, at + 9)) answered++
}

function attackOnce(attack: Attack, index: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port: attack.port, host: '127.0.0.1', allowHalfOpen: true })
    sockets.add(socket)
    let drips: NodeJS.Timeout | null = null
    let wasConnected = false
    socket.on('connect', () => {
      wasConnected = true
      connected++
      const request = attack.requests[index % attack.requests.length] ?? ''
      if (request !== '') socket.write(request.repeat(attack.times))
      if (attack.drip !== '') drips = setInterval(() => socket.write(attack.drip), 1_000)
      resolve()
    })
    if (attack.reads) socket.on('data', count)
    socket.on('error', () => resolve())
    // A client that does not read notices the server's FIN only when its next write fails.
    if (attack.reads) socket.on('end', () => socket.destroy())
    socket.on('close', () => {
      if (drips !== null) clearInterval(drips)
      sockets.delete(socket)
      if (wasConnected) cut++
      resolve()
      if (attack.returns && !isOver) setTimeout(() => void attackOnce(attack, index), 100)
    })
  })
}

async function attack(how: Attack): Promise<number> {
  for (let done = 0; done < how.count; done += atOnce) {
    const some = Math.min(atOnce, how.count - done)
    await Promise.all(Array.from({ length: some }, (_, index) => attackOnce(how, done + index)))
  }
  return connected
}

function stop(): void {
  isOver = true
  for (const socket of sockets) socket.destroy()
}

/** Counts so far. A client that neither reads nor writes does not notice that it was cut. */
const tally = () => ({ connected, cut, answered, open: sockets.size })

const answers = { attack, tally, stop }
export type HostileClients = typeof answers
answerParent(answers)
