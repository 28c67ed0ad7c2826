import type { Instant } from '@settlewire/core/instant'
import type { EdgeLimits } from '../../edge-limits.ts'
import type { Connection } from './connection.ts'

/** Why a connection is cut by the clock or for what it holds. */
export type Overdue =
  | 'silent'
  | 'head_timeout'
  | 'body_timeout'
  | 'idle'
  | 'unread'
  | 'unread_bytes'
  | 'held_bytes'

/** Less than this is not worth a cut when all connections together hold too much. */
const holdsLittleBytes = 16_384

/** Why this connection must be cut now; null when it may go on. */
function overdueOf(connection: Connection, now: Instant, limits: EdgeLimits): Overdue | null {
  if (connection.socket.writableLength > limits.unreadBytesMax) return 'unread_bytes'
  if (connection.isStalled(now, limits.writeMs)) return 'unread'
  const { current, headSince, hasAsked, quietSince } = connection
  if (current !== null) {
    const isLate = !current.request.complete && now - current.since >= limits.bodyMs
    return isLate ? 'body_timeout' : null
  }
  if (!connection.isIdle) return null
  // The first request has its time from the connection on, whatever comes in drops.
  const since = hasAsked ? headSince : quietSince
  const isLate = since !== null && now - since >= limits.headMs
  if (isLate) return headSince === null ? 'silent' : 'head_timeout'
  return now - quietSince >= limits.idleMs ? 'idle' : null
}

/** All that must be cut now: each that is late or holds too much, and those that hold most of too much. */
export function* overdue(
  connections: Iterable<Connection>,
  now: Instant,
  limits: EdgeLimits,
): Generator<readonly [Connection, Overdue]> {
  const large: { readonly connection: Connection; readonly bytes: number }[] = []
  let held = 0
  for (const connection of connections) {
    const why = overdueOf(connection, now, limits)
    if (why !== null) {
      yield [connection, why]
      continue
    }
    const bytes = connection.heldBytes
    held += bytes
    if (bytes > holdsLittleBytes) large.push({ connection, bytes })
  }
  if (held <= limits.heldBytesMax) return
  large.sort((a, b) => b.bytes - a.bytes)
  for (const { connection, bytes } of large) {
    yield [connection, 'held_bytes']
    held -= bytes
    if (held <= limits.heldBytesMax) return
  }
}
