import type { Hub, Subscriber } from '../../engine/topic/hub.ts'
import { paymentTopic } from '../../engine/topic/topics.ts'
import type { Clock } from '../../ports/clock.ts'
import type { EventStore, StoredEvent } from '../../ports/history.ts'
import type { Metrics } from '../../ports/metrics.ts'

export interface LongPoll {
  readonly paymentId: string
  /** The sequence of the last event that the client has. */
  readonly after: number
  readonly limit: number
  readonly waitMs: number
}

interface PollNeeds {
  readonly hub: Pick<Hub, 'attach'>
  readonly store: Pick<EventStore, 'read'>
  readonly clock: Clock
  readonly metrics: Metrics
}

/**
 * Resolves with the events after a sequence as soon as there are any, or with none when the wait is
 * over or the signal aborts. Rejects if the history cannot be read. It subscribes like a stream, so
 * it cannot miss an event. Announcements are only hints, so after an empty wait it reads the
 * history once more.
 */
export async function pollEvents(
  poll: LongPoll,
  needs: PollNeeds,
  signal: AbortSignal,
): Promise<readonly StoredEvent[]> {
  const { clock, metrics, store } = needs
  const startedAt = clock.now()
  metrics.streamOpened('long_poll')
  try {
    const pushed = await pushedEvents(poll, needs, signal)
    const isOver = pushed.length > 0 || signal.aborted
    const events = isOver ? pushed : await store.read(poll.paymentId, poll.after, poll.limit)
    if (events.length > 0) {
      metrics.streamFirstEvent('long_poll', clock.now() - startedAt)
      metrics.eventsPushed('long_poll', events.length)
    }
    return events
  } finally {
    metrics.streamClosed('long_poll', signal.aborted ? 'left' : 'answered')
  }
}

async function pushedEvents(
  { paymentId, after, limit, waitMs }: LongPoll,
  { hub, clock, store }: PollNeeds,
  signal: AbortSignal,
): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = []
  const enough = new AbortController()
  const subscriber: Subscriber = {
    position: after,
    push(frame) {
      events.push(frame.stored)
      // The hub pushes all events at hand synchronously; the answer is made after that.
      enough.abort()
      return events.length < limit
    },
    lost: () => enough.abort(),
  }
  signal.addEventListener('abort', () => enough.abort(), { once: true })
  const stop = hub.attach(subscriber, { topic: paymentTopic(paymentId, store), after })
  if (!signal.aborted) await clock.sleep(waitMs, enough.signal)
  stop()
  return events
}
