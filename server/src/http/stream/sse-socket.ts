import {
  type OutgoingHttpHeaders,
  type ServerResponse,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http'
import type { Socket } from 'node:net'

/**
 * After so long without data the kernel probes whether the client still exists (TCP keep-alive).
 */
const probeAfterMs = 30_000

/**
 * Takes the connection of an unanswered request away from Node's HTTP, which then releases what a
 * stream does not need: parser, request, response, listeners, 10 of 14 KB. It uses no internals: it
 * emits the events by which HTTP learns that the answer is complete and the connection closed. Must
 * not be called while the request is still being parsed: await something first.
 *
 * Null, and the connection is cut, if the client has disconnected, or has sent another request
 * behind this one, which no browser and no proxy does with a stream.
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
  // Without a listener, an `error` event would end the process.
  socket.on('error', ignore)
  if (socket.destroyed) return null
  socket.setTimeout(0)
  socket.setKeepAlive(true, probeAfterMs)
  return socket
}

/** The headers of every stream. */
const streamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
  connection: 'close',
}

/** Headers that contradict an uncompressed body that lasts until the connection closes. */
const contrary = new Set(['content-length', 'content-encoding', 'transfer-encoding', 'keep-alive'])

/** A stream's headers, added to those that every answer of this server has. */
export function headersOf(others: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const kept = Object.entries(others).filter(([name]) => !contrary.has(name.toLowerCase()))
  return { ...Object.fromEntries(kept), ...streamHeaders }
}

/** The raw head of the answer: no length and no chunks, so that HTTP/1.0 proxies can read it. */
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
  // `close` follows every error and ends the stream.
}
