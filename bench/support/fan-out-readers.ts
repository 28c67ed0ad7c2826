/** Thousands of readers in one process, which only count events. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { answerParent } from './child-program.ts'

/** How many sockets to open, and where. Without a request they send nothing. */
interface Opening {
  readonly port: number
  readonly count: number
  readonly request: string | null
}

const atOnce = 100
const eventStart = Buffer.from('\nid: evt_')
const sockets = new Set<Socket>()
let seen = 0
let wanted = 0
let enough: (() => void) | null = null

/**
 * Counts events in a chunk. Chunks end at frame ends: a reader this quick receives whole writes.
 */
function count(piece: Buffer): void {
  for (let at = piece.indexOf(eventStart); at >= 0; at = piece.indexOf(eventStart, at + 9)) seen++
  if (piece.subarray(0, 8).equals(eventStart.subarray(1))) seen++
  if (seen >= wanted) enough?.()
}

async function openOne({ port, request }: Opening): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' })
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  if (request === null) {
    await once(socket, 'connect')
  } else {
    socket.write(request)
    const [first] = await once(socket, 'data')
    if (!String(first).includes('id: evt_')) throw new Error(`no stream: ${first}`)
  }
  socket.on('data', count)
}

async function open(opening: Opening): Promise<number> {
  while (sockets.size < opening.count) {
    const some = Math.min(atOnce, opening.count - sockets.size)
    await Promise.all(Array.from({ length: some }, () => openOne(opening)))
  }
  return sockets.size
}

function close(): void {
  for (const socket of sockets) socket.destroy()
}

/** Resets the counter and sets the number of expected events. */
function expect(events: number): void {
  seen = 0
  wanted = events
}

/** Resolves when all readers together have read the expected number of events. */
async function all(): Promise<number> {
  if (seen < wanted) {
    await new Promise<void>((resolve) => {
      enough = resolve
    })
  }
  return seen
}

const answers = { open, close, expect, all }
export type FanOutReaders = typeof answers
answerParent(answers)
