import type { Subject } from '@settlewire/core/history/subject'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { EventStore, StoredEvent } from '../../ports/history.ts'
import type { FeedKey, ForeignSubject } from '../../ports/processes.ts'
import type { Hint, Topic } from '../../ports/topic.ts'

export const subjectKey = ({ kind, id }: Subject): string => `subject:${kind}:${id}`

export const feedKey = ({ merchantId, livemode }: FeedKey): string =>
  `feed:${merchantId}:${livemode ? 'live' : 'test'}`

/** The key of a payment's topic. */
export const paymentKey = (id: string): string => subjectKey({ kind: paymentKind.name, id })

/** The events of one payment, by their sequences. */
export const paymentTopic = (id: string, store: Pick<EventStore, 'read'>): Topic => ({
  key: paymentKey(id),
  read: (after, limit) => store.read(id, after, limit),
  positionOf: ({ sequence }) => sequence,
})

/** The events of a merchant in one mode, by their positions. */
export const feedTopic = (feed: FeedKey, store: Pick<EventStore, 'feed'>): Topic => ({
  key: feedKey(feed),
  read: (after, limit) => store.feed(feed.merchantId, feed.livemode, after, limit),
  positionOf: ({ position }) => position,
})

/** The hints of a subject that another process has changed: one for it, and one for its feed. */
export const hintsOfForeign = (foreign: ForeignSubject): readonly Hint[] => [
  { topic: subjectKey(foreign.subject), position: foreign.sequence },
  { topic: feedKey(foreign), position: foreign.position },
]

/** The hints of a commit: one for each subject, and one for each feed. */
export function hintsOf(events: readonly StoredEvent[]): readonly Hint[] {
  const hints = new Map<string, { topic: string; position: number; events: StoredEvent[] }>()
  const add = (topic: string, position: number, event: StoredEvent): void => {
    const hint = hints.get(topic) ?? { topic, position, events: [] }
    hint.position = Math.max(hint.position, position)
    hint.events.push(event)
    hints.set(topic, hint)
  }
  for (const event of events) {
    add(subjectKey(event.subject), event.sequence, event)
    add(feedKey(event), event.position, event)
  }
  return [...hints.values()]
}
