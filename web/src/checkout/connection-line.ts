import type { Connection } from '@settlewire/client/watch'
import type { Instant } from '@settlewire/core/instant'
import { timeOfDay } from './time.ts'
import { connectionWords } from './words.ts'

/** The connection in words: always a label, and a warning when it matters. */
export interface ConnectionLine {
  readonly look: 'live' | 'calm' | 'lost'
  readonly label: string
  /** How far the payer can trust what the page shows; null while no warning is needed. */
  readonly warning: string | null
}

/** A gap this short is over before a payer could act on it, so there is no warning. */
const graceMs = 2_500

interface ConnectionView {
  readonly now: Instant
  /** When the page was loaded. */
  readonly loadedAt: Instant
  /** Whether every relevant chain is fully seen: connected but blind is not live. */
  readonly isSeen: boolean
  /** Whether `isSeen` is known for the present connection. */
  readonly isSightKnown: boolean
}

/** All times are this device's. */
export function connectionLineOf(
  connection: Connection,
  { now, loadedAt, isSeen, isSightKnown }: ConnectionView,
): ConnectionLine {
  const from = connection.provenAt ?? loadedAt
  const time = timeOfDay(from)
  const { labels, warnings } = connectionWords
  const calm = (label: string): ConnectionLine => ({ look: 'calm', label, warning: null })
  switch (connection.state) {
    case 'current':
      if (!isSightKnown) return calm(labels.catchingUp)
      if (!isSeen) return calm(labels.unseen)
      return { look: 'live', label: labels.current, warning: null }
    case 'fallback':
      if (!isSightKnown) return calm(labels.catchingUp)
      if (!isSeen) return calm(labels.unseen)
      return calm(connection.transport === 'poll' ? labels.poll : labels.longPoll)
    case 'paused':
      return { look: 'lost', label: labels.offline, warning: warnings.offline(time) }
    case 'ended':
      if (connection.reason === null) return calm(labels.asOf(time))
      return { look: 'lost', label: labels.ended, warning: warnings.refused(time) }
    case 'idle':
    case 'connecting':
    case 'stale':
    case 'reconnecting':
      if (now - from > graceMs) {
        return { look: 'lost', label: labels.lost, warning: warnings.lost(time) }
      }
      return calm(connection.provenAt === null ? labels.connecting : labels.catchingUp)
  }
}
