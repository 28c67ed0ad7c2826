import type { Connection } from '@settlewire/client/watch'
import type { Visibility } from '@settlewire/client/wire-event'
import { toRfc3339 } from '@settlewire/core/instant'
import { inColumns } from './show.ts'

/** What a watch says about itself between two events. */
export interface WatchNote {
  readonly what: 'connected' | 'live' | 'sight lost' | 'long-poll' | 'reconnecting'
  readonly details: string
}

type Seen = Pick<Connection, 'state' | 'transport' | 'reason' | 'visibility' | 'chains'>

/**
 * How far to trust the lines above; null when this did not change. `live` only while every chain of
 * the payment can be seen. `known` counts until the connection has reported how well it is seen.
 */
export function noteOf(connection: Seen, known: Visibility | null): WatchNote | null {
  const { state, transport, reason } = connection
  switch (state) {
    case 'current':
      return sightNote(connection, known)
    case 'fallback':
      return { what: 'long-poll', details: `the stream is blocked; using ${nameOf(transport)}` }
    case 'stale':
    case 'reconnecting':
      return {
        what: 'reconnecting',
        details: `connection lost${reason === null ? '' : ` (${reason})`}`,
      }
    case 'idle':
    case 'connecting':
    case 'paused':
    case 'ended':
      return null
  }
}

const nameOf = (transport: string): string => transport.replace('_', '-')

function sightNote({ visibility, chains }: Seen, known: Visibility | null): WatchNote {
  const seen = visibility ?? known
  const blind = (chains ?? []).filter((chain) => chain.visibility === 'blind')
  if (seen !== 'blind' && blind.length === 0) {
    return seen === null
      ? { what: 'connected', details: 'the server has not said yet whether it sees the chains' }
      : { what: 'live', details: '' }
  }
  const unseen = blind.map(({ chain, head }) =>
    head === null ? `${chain} has no block yet` : `${chain} was seen up to block ${head}`,
  )
  const which = unseen.length === 0 ? 'a chain cannot be seen' : unseen.join(', ')
  return { what: 'sight lost', details: `${which}; nothing expires meanwhile` }
}

/** A note as a line in the columns of the events, at the time of the server. */
export const showNote = ({ what, details }: WatchNote, at: number): string =>
  inColumns(['', toRfc3339(at).slice(0, 19).replace('T', ' '), what, '', '', '', details])
