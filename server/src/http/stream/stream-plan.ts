import { isId } from '@settlewire/core/id'
import type { Instant } from '@settlewire/core/instant'
import { dataOf } from '@settlewire/core/payment/event-text'
import { sseFrame } from '@settlewire/core/wire/sse'
import type { EventStore, StoredEvent } from '../../ports/history.ts'
import { isEnd, isWatchedOut } from './stream-end.ts'
import type { StreamEnds, StreamSource } from './stream-source.ts'

/** How to answer a request: after which position the stream begins, or that it is finished. */
export interface Plan {
  readonly after: number
  readonly outcome: 'first' | 'resumed' | 'current' | 'reset' | 'finished'
  /** Why continuity cannot be proven; only with the outcome `reset`. */
  readonly why?: 'unknown_event_id' | 'unknown_position'
}

/** What a client asks for, and how far its source has come. */
export interface StreamWish {
  readonly source: StreamSource
  /** As sent by the client; null if it sent none. */
  readonly lastEventId: string | null
  /** The position from which a feed is to be continued; null if the client sent none. */
  readonly after?: number | null
  /** The last position of the source, and a payment's last event: read for this request. */
  readonly head: { readonly position: number; readonly event: StoredEvent | null }
}

interface PlanNeeds {
  readonly store: Pick<EventStore, 'find'>
  readonly now: Instant
}

/**
 * Where a stream begins. A payment's stream begins with its latest event, a feed's after the latest
 * event, unless the client says what it has. Rejects if the history cannot be read.
 */
export async function planOf(wanted: StreamWish, { store, now }: PlanNeeds): Promise<Plan> {
  const { source, lastEventId, head, after = null } = wanted
  if (lastEventId === null) {
    if (after === null) return { after: beginningOf(wanted), outcome: 'first' }
    if (after > head.position) return resetTo(wanted, 'unknown_position')
    return { after, outcome: after === head.position ? 'current' : 'resumed' }
  }
  const isHead = lastEventId === head.event?.id
  const found = isHead
    ? head.event
    : isId('evt', lastEventId)
      ? await store.find(lastEventId)
      : null
  if (found === null || !belongs(found, source)) return resetTo(wanted, 'unknown_event_id')
  return resumeAfter(found, wanted, now)
}

/** A payment shows its state at once; a feed has none. */
const beginningOf = ({ source, head }: Pick<StreamWish, 'source' | 'head'>): number =>
  source.ends === null ? head.position : head.position - 1

const resetTo = (wanted: StreamWish, why: NonNullable<Plan['why']>): Plan => ({
  after: beginningOf(wanted),
  outcome: 'reset',
  why,
})

function belongs(event: StoredEvent, { id, feed }: StreamSource): boolean {
  if (feed === null) return event.subject.id === id
  return event.merchantId === feed.merchantId && event.livemode === feed.livemode
}

function resumeAfter(held: StoredEvent, { source, head }: StreamWish, now: Instant): Plan {
  const after = source.topic.positionOf(held)
  // The head was read earlier: the client's event may be newer.
  const isCurrent = after >= head.position
  const { ends } = source
  const isFinished = ends !== null && isDone(held, { isCurrent, head: head.event, ends, now })
  if (isFinished) return { after, outcome: 'finished' }
  return { after, outcome: isCurrent ? 'current' : 'resumed' }
}

/** Whether a client that has the event `held` of a payment gets no more. */
function isDone(
  held: StoredEvent,
  about: {
    readonly isCurrent: boolean
    readonly head: StoredEvent | null
    readonly ends: StreamEnds
    readonly now: Instant
  },
): boolean {
  const { isCurrent, head, ends, now } = about
  const standing = dataOf(held)
  // Not done if a closed payment was reopened since: the client must get those events.
  const isStillOver = isCurrent || (head !== null && isEnd(dataOf(head), ends.until))
  return (
    (isEnd(standing, ends.until) && isStillOver) || (isCurrent && isWatchedOut(standing, ends, now))
  )
}

/**
 * What a stream begins with: a `reset` if continuity cannot be proven. A feed also says after which
 * position it begins: its events carry none, so that `data` is the same on every transport.
 */
export function openingOf(source: StreamSource, { outcome, why, after }: Plan): string {
  const reset = outcome === 'reset' ? sseFrame({ event: 'reset', data: `{"reason":"${why}"}` }) : ''
  if (source.feed === null) return reset
  return reset + sseFrame({ event: 'hello', data: `{"position":${after}}` })
}
