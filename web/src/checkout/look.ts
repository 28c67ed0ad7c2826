import type { Instant } from '@settlewire/core/instant'
import { type ConnectionLine, connectionLineOf } from './connection-line.ts'
import type { Moment } from './live.ts'
import { type Screen, screenOf } from './screen.ts'

/** Everything that the page shows at one moment: the payment, and how far that can be trusted. */
export interface PageLook {
  readonly screen: Screen
  readonly line: ConnectionLine
}

/** Pure. `now` and `loadedAt` are this device's times. */
export function lookOf(
  moment: Moment,
  { now, loadedAt }: Record<'now' | 'loadedAt', Instant>,
): PageLook {
  const { shown, connection, clockOffsetMs, sights, policy } = moment
  // A report from another connection, or an old one, may no longer be true.
  const isKnown = now <= moment.sightUntil
  const lineOf = (isSeen: boolean): ConnectionLine =>
    connectionLineOf(connection, { now, loadedAt, isSeen, isSightKnown: isKnown })
  const screen = screenOf(shown, {
    ...{ now: now + clockOffsetMs, sights: isKnown ? sights : [] },
    isConnected: lineOf(true).warning === null,
    ...{ explained: policy, explainedMsAgo: now - (policy?.at ?? now) },
  })
  return { screen, line: lineOf(screen.sightNotes.length === 0) }
}
