import type { Hub, Subscriber } from '../engine/hub.ts'
import type { Clock, Metrics, StoredEvent } from '../ports.ts'

export interface Poll {
  readonly paymentId: string
  /** The sequence that is held already. */
  readonly after: number
  readonly limit: number
  readonly waitMs: number
}

interface PollNeeds {
  readonly hub: Pick<Hub, 'attach'>
  readonly clock: Clock
  readonly metrics: Metrics
}

/**
 * The events after a sequence as soon as there are any, none when the wait is over first or the
 * signal aborts. A stream that ends with its first news: it cannot miss what a stream would see.
 */
export async function pollEvents(
  poll: Poll,
  needs: PollNeeds,
  signal: AbortSignal,
): Promise<readonly StoredEvent[]> {
  const { hub, clock, metrics } = needs
  const startedAt = clock.now()
  const events: StoredEvent[] = []
  const enough = new AbortController()
  const end = (): void => enough.abort()
  const subscriber: Subscriber = {
    position: poll.after,
    push(frame) {
      events.push(frame.stored)
      // What is at hand comes in one go; the answer is made when the call stack is empty again.
      end()
      return events.length < poll.limit
    },
    lost: end,
  }
  metrics.streamOpened('long_poll')
  const stop = hub.attach(subscriber, { paymentId: poll.paymentId, after: poll.after })
  await clock.sleep(poll.waitMs, AbortSignal.any([enough.signal, signal]))
  stop()
  if (events.length > 0) {
    metrics.streamFirstEvent('long_poll', clock.now() - startedAt)
    metrics.eventsPushed('long_poll', events.length)
  }
  metrics.streamClosed(
    'long_poll',
    events.length > 0 ? 'answered' : signal.aborted ? 'left' : 'waited',
  )
  return events
}
