import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { type ServerAccess, send } from './request.ts'
import { RequestError } from './request-error.ts'

/** A longer frame without an end cannot be from Settlewire. */
const bufferedCharactersMax = 256 * 1024

/** Receives the messages of a running stream. */
export interface StreamListener {
  /** The server accepted. */
  opened(): void
  message(message: EventSourceMessage): void
  /** How long the server wants the client to wait before it reconnects. */
  retry(waitMs: number): void
}

export interface StreamRequest {
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly lastEventId: string | null
  readonly signal: AbortSignal
}

/**
 * Reads one SSE stream to its end. `finished`: the server has no more events (204). `closed`: the
 * stream ended, reconnect. Rejects with a `RequestError`, with the signal's reason, or with what
 * the listener throws.
 */
export async function readStream(
  access: ServerAccess,
  { path, query = {}, lastEventId, signal }: StreamRequest,
  listener: StreamListener,
): Promise<'finished' | 'closed'> {
  const response = await send(access, {
    path,
    query,
    signal,
    headers: {
      accept: 'text/event-stream',
      ...(lastEventId !== null && { 'last-event-id': lastEventId }),
    },
  })
  if (response.status === 204) return 'finished'
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  if (!isStream) {
    await response.body?.cancel()
    throw notAStream(`The response (${response.status}) is no event stream.`)
  }
  const body = readable(response)
  listener.opened()
  await readBody(body, signal, listener)
  return 'closed'
}

/**
 * Some runtimes, such as React Native, return responses whose body cannot be read as it arrives.
 */
function readable({ body }: Response): ReadableStream<Uint8Array> {
  if (typeof body?.getReader === 'function') return body
  const detail = 'This fetch cannot read a response body while it arrives.'
  throw new RequestError({ code: 'no_stream', status: null, detail })
}

async function readBody(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  listener: StreamListener,
): Promise<void> {
  let broken: Error | null = null
  const parser = createParser({
    maxBufferSize: bufferedCharactersMax,
    onEvent: (message) => listener.message(message),
    onRetry: (waitMs) => listener.retry(waitMs),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') broken = error
    },
  })
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const chunk = await reader.read().catch((error: unknown) => {
        throw signal.aborted ? signal.reason : lost(error)
      })
      if (chunk.done) return
      parser.feed(decoder.decode(chunk.value, { stream: true }))
      if (broken !== null) throw notAStream('A frame is too long.')
      if (signal.aborted) throw signal.reason
    }
  } finally {
    // Closes the socket as well; if it is closed already, there is nothing to report.
    void reader.cancel().catch(() => undefined)
  }
}

const notAStream = (detail: string): RequestError =>
  new RequestError({ code: 'unexpected_answer', status: 200, detail })

const lost = (cause: unknown): RequestError =>
  new RequestError({ code: 'unreachable', status: null, detail: 'The stream broke.' }, cause)
