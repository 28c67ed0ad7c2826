import { statusOf } from './key-end.ts'
import type { Position } from './position.ts'
import { type ServerAccess, sendForJson } from './request.ts'
import { RequestError } from './request-error.ts'
import { readStream } from './stream.ts'
import type { Transport } from './transport.ts'
import type { Until } from './until.ts'
import {
  type Heartbeat,
  parseEvent,
  parseHeartbeat,
  parseJson,
  parseRefusal,
  type WireEvent,
} from './wire-event.ts'

/** How long the server may hold a long-poll request that has no answer yet. */
export const longPollSeconds = 25

/** The maximum number of events per request. */
const pageEvents = 100

/** Receives the reports of a running attempt. */
export interface AttemptListener {
  opened(): void
  retry(waitMs: number): void
  event(event: WireEvent): void
  heartbeat(heartbeat: Heartbeat): void
  reset(): void
}

/**
 * How an attempt ends if it does not fail. `finished`: the server has no more events. `closed`: the
 * stream ended. `answered`: a poll has all events. `more`: a page arrived, and there are more
 * events.
 */
export type AttemptOutcome = 'finished' | 'closed' | 'answered' | 'more'

export interface AttemptOptions {
  readonly access: ServerAccess
  readonly paymentId: string
  readonly transport: Transport
  readonly position: Position
  readonly until: Until
  /**
   * Whether the server may hold a long-poll. False until a poll has proved the position, because a
   * poll proves nothing while it is held.
   */
  readonly mayBeHeld: boolean
  readonly signal: AbortSignal
}

/**
 * One attempt on one transport. Rejects with a `RequestError`, with the signal's reason, or with
 * what the listener throws.
 */
export function attempt(
  options: AttemptOptions,
  listener: AttemptListener,
): Promise<AttemptOutcome> {
  return options.transport === 'stream' ? stream(options, listener) : ask(options, listener)
}

export const paymentPath = (id: string): string => `/v1/payment-intents/${encodeURIComponent(id)}`

function stream(
  { access, paymentId, position, until, signal }: AttemptOptions,
  listener: AttemptListener,
): Promise<AttemptOutcome> {
  const request = {
    path: `${paymentPath(paymentId)}/stream`,
    query: until === 'final' ? { until } : {},
    lastEventId: position.eventId,
    signal,
  }
  return readStream(access, request, {
    opened: () => listener.opened(),
    retry: (waitMs) => listener.retry(waitMs),
    message: ({ event: type = '', id = '', data }) => {
      if (type === 'heartbeat') {
        listener.heartbeat(parseHeartbeat(parseJson(data)) ?? refuse('heartbeat'))
      } else if (type === 'reset') {
        listener.reset()
      } else if (type === 'refused') {
        const refusal = parseRefusal(parseJson(data)) ?? refuse('refusal')
        throw new RequestError({ ...refusal, status: statusOf(refusal.code) })
      } else if (type.startsWith('payment_intent.')) {
        const event = parseEvent({ id, type, data: parseJson(data) }, paymentId)
        listener.event(event ?? refuse('event'))
      }
      // Ignore other types: they are for clients newer than this one.
    },
  })
}

async function ask(
  { access, paymentId, transport, position, mayBeHeld, signal }: AttemptOptions,
  listener: AttemptListener,
): Promise<AttemptOutcome> {
  const wait = transport === 'long_poll' && mayBeHeld ? longPollSeconds : undefined
  const query = { after: position.sequence, limit: pageEvents, wait }
  const answer = await sendForJson(access, {
    path: `${paymentPath(paymentId)}/events`,
    query,
    signal,
  })
  const { data, hasMore } = (answer ?? {}) as { data?: unknown; hasMore?: unknown } // checked below
  if (!Array.isArray(data)) refuse('list of events')
  for (const item of data) listener.event(parseEvent(item, paymentId) ?? refuse('event'))
  return hasMore === true && data.length > 0 ? 'more' : 'answered'
}

function refuse(what: string): never {
  throw new RequestError({
    code: 'unexpected_answer',
    status: 200,
    detail: `Invalid ${what} from the server.`,
  })
}
