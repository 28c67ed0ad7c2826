import type { Hub, Subscriber } from '../../engine/topic/hub.ts'
import { paymentTopic } from '../../engine/topic/topics.ts'
import type { Clock } from '../../ports/clock.ts'
import type { EventStore, StoredEvent } from '../../ports/history.ts'
import type { Metrics } from '../../ports/metrics.ts'

export interface Poll {
  readonly paymentId: string
  /** The sequence that is held already. */
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
 * The events after a sequence as soon as there are any, none when the wait is over first or the
 * signal aborts. It waits as a stream does, so it cannot miss what a stream would see; and because
 * announcements are hints, the history has the last word.
 */
export async function pollEvents(
  poll: Poll,
  needs: PollNeeds,
  signal: AbortSignal,
): Promise<readonly StoredEvent[]> {
  const { clock, metrics, store } = needs
  const startedAt = clock.now()
  metrics.streamOpened('long_poll')
  try {
    const heard = await hear(poll, needs, signal)
    const isOver = heard.length > 0 || signal.aborted
    const events = isOver ? heard : await store.read(poll.paymentId, poll.after, poll.limit)
    if (events.length > 0) {
      metrics.streamFirstEvent('long_poll', clock.now() - startedAt)
      metrics.eventsPushed('long_poll', events.length)
    }
    return events
  } finally {
    metrics.streamClosed('long_poll', signal.aborted ? 'left' : 'answered')
  }
}

async function hear(
  { paymentId, after, limit, waitMs }: Poll,
  { hub, clock, store }: PollNeeds,
  signal: AbortSignal,
): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = []
  const enough = new AbortController()
  const subscriber: Subscriber = {
    position: after,
    push(frame) {
      events.push(frame.stored)
      // What is at hand comes in one go; the answer is made when the call stack is empty again.
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
