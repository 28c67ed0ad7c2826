import type { ServerResponse } from 'node:http'

/**
 * Aborts when the one who asked has gone, or has been answered, or when the server closes. The
 * request's own `close` says nothing of it: Node emits that when the body has been read. Not
 * `AbortSignal.any`: what it makes of a signal that lives as long as the server stays with that
 * signal, 0.7 KB for each request.
 */
export function goneOrClosing(response: ServerResponse, closing: AbortSignal): AbortSignal {
  const over = new AbortController()
  const end = (): void => {
    closing.removeEventListener('abort', end)
    over.abort()
  }
  response.once('close', end)
  if (closing.aborted) end()
  else closing.addEventListener('abort', end)
  return over.signal
}
