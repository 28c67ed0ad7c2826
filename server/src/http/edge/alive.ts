import type { IncomingMessage, ServerResponse } from 'node:http'

/** The whole answer of `/healthz`. */
export const alive = JSON.stringify({ status: 'alive' })

/**
 * Answers `/healthz` before routing and authentication; false if it does not support the method.
 */
export function sayAlive(
  { method }: IncomingMessage,
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  response
    .writeHead(200, {
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': alive.length,
    })
    .end(alive)
  return true
}
