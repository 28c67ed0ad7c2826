import {
  type OutgoingHttpHeaders,
  type ServerResponse,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http'
import type { Socket } from 'node:net'

/** After so long without a word the kernel asks whether anybody is still there. */
const probeAfterMs = 30_000

/**
 * Takes the connection of an unanswered request away from Node's HTTP, which then lets go of all
 * that a stream has no use for: parser, request, response, listeners - 10 of 14 KB. No internals
 * are touched: HTTP is told, by the events it listens to itself, that the answer is complete and
 * the connection closed. Not to be called while the request is still being parsed: await something
 * first.
 *
 * Null when there is nothing to take: the client has gone, or it has sent another request behind
 * this one, which no browser and no proxy does with a stream. Then the connection is cut.
 */
export function takeSocket(response: ServerResponse): Socket | null {
  const { socket } = response
  if (socket === null || socket.destroyed) {
    response.req.socket.destroy()
    return null
  }
  response.emit('finish')
  socket.emit('close', false)
  socket.removeAllListeners()
  // Without anyone to hear it, an error would end the process.
  socket.on('error', ignore)
  if (socket.destroyed) return null
  socket.setTimeout(0)
  socket.setKeepAlive(true, probeAfterMs)
  return socket
}

/** What every stream's answer says. */
const streamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
  connection: 'close',
}

/** What would contradict a body that lasts until the connection closes, and is never compressed. */
const contrary = new Set(['content-length', 'content-encoding', 'transfer-encoding', 'keep-alive'])

/** A stream's headers, on top of those that every answer of this server has. */
export function headersOf(others: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const kept = Object.entries(others).filter(([name]) => !contrary.has(name.toLowerCase()))
  return { ...Object.fromEntries(kept), ...streamHeaders }
}

/** The head of the answer as bytes go: no length and no chunks, so that HTTP/1.0 proxies read it. */
export function headOf(others: OutgoingHttpHeaders, now: Date): string {
  let head = `HTTP/1.1 200 OK\r\ndate: ${now.toUTCString()}\r\n`
  for (const [name, value] of Object.entries(headersOf(others))) {
    if (value === undefined) continue
    validateHeaderName(name)
    for (const one of Array.isArray(value) ? value : [String(value)]) {
      validateHeaderValue(name, one)
      head += `${name}: ${one}\r\n`
    }
  }
  return `${head}\r\n`
}

function ignore(): void {
  // What the client says after its request means nothing to a stream.
}
