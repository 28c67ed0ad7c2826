import type { Instant } from '@settlewire/core/instant'
import type { CloseCode } from '../../edge-limit-table.ts'
import type { EdgeLimits } from '../../edge-limits.ts'
import type { HttpConnection } from './connection.ts'

/** Why a connection is cut: a timeout, or the memory it holds. */
export type CutReason = Exclude<CloseCode, 'made_room' | 'no_room'>

/** Connections that hold less are not cut when all together hold too much: it frees too little. */
const holdsLittleBytes = 16_384

/** Why this connection must be cut now; null if it may stay. */
function overdueOf(connection: HttpConnection, now: Instant, limits: EdgeLimits): CutReason | null {
  if (connection.socket.writableLength > limits.unreadBytesMax) return 'unread_bytes'
  if (connection.isStalled(now, limits.writeMs)) return 'unread'
  const { current, headSince, hasAsked, quietSince } = connection
  if (current !== null) {
    const isLate = !current.request.complete && now - current.since >= limits.bodyMs
    return isLate ? 'body_timeout' : null
  }
  if (!connection.isIdle) return null
  // For the first request the time counts from the connection on, however slowly its bytes arrive.
  const since = hasAsked ? headSince : quietSince
  const isLate = since !== null && now - since >= limits.headMs
  if (isLate) return headSince === null ? 'silent' : 'head_timeout'
  return now - quietSince >= limits.idleMs ? 'idle' : null
}

/**
 * All connections that must be cut now: each that is late or holds too much, and, if all together
 * hold too much, the largest holders.
 */
export function* overdue(
  connections: Iterable<HttpConnection>,
  now: Instant,
  limits: EdgeLimits,
): Generator<readonly [HttpConnection, CutReason]> {
  const large: { readonly connection: HttpConnection; readonly bytes: number }[] = []
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
