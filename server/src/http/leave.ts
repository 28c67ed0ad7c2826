import type { ServerResponse } from 'node:http'

/**
 * Aborts when the one who asked has gone before the answer was sent, or when the server closes. The
 * request's own `close` says nothing of it: Node emits that when the body has been read.
 */
export function goneOrClosing(response: ServerResponse, closing: AbortSignal): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return AbortSignal.any([gone.signal, closing])
}
