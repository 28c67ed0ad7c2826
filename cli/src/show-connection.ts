import type { Transport } from '@settlewire/client/transport'
import type { Connection } from '@settlewire/client/watch'
import type { Visibility } from '@settlewire/client/wire-event'

/** What a watch says about itself between two events. The name of a transport means: by that. */
export interface WatchNote {
  readonly what:
    | 'connected'
    | 'live'
    | 'sight lost'
    | 'reconnecting'
    | 'stream'
    | 'long-poll'
    | 'poll'
  readonly details: string
}

type Seen = Pick<
  Connection,
  'state' | 'transport' | 'reason' | 'visibility' | 'chains' | 'provenAt'
>

/** What the watch knows beside the last update of the connection. */
export interface AroundWatch {
  /** The address of the server. */
  readonly address: string
  /** How well the payment itself says that its chains are seen; null if unknown. */
  readonly known: Visibility | null
  /** The code of the last fault since the last working stream; null for faults without a code. */
  readonly fault: string | null
}

/**
 * How far to trust the lines above; null when this did not change. `live` only while every chain of
 * the payment can be seen. `known` counts until the connection has reported how well it is seen.
 */
export function noteOf(connection: Seen, around: AroundWatch): WatchNote | null {
  const { state, transport } = connection
  switch (state) {
    case 'current':
      return sightNote(connection, around.known)
    case 'fallback': {
      const what = transportNames[transport]
      const details = `${faultText(around.fault)}; using ${what} until a stream works again`
      return { what, details }
    }
    case 'stale':
    case 'reconnecting':
      return { what: 'reconnecting', details: lossText(connection, around) }
    case 'idle':
    case 'connecting':
    case 'paused':
    case 'ended':
      return null
  }
}

const transportNames = {
  stream: 'stream',
  long_poll: 'long-poll',
  poll: 'poll',
} as const satisfies Readonly<Record<Transport, WatchNote['what']>>

/** Why polling is used. The client does not know whether a proxy blocks its streams. */
function faultText(fault: string | null): string {
  if (fault === null) return 'no stream lasted'
  return fault === 'unreachable' ? 'the server did not answer' : `the connection failed (${fault})`
}

function lossText({ reason, provenAt }: Seen, { address }: AroundWatch): string {
  const because = reason === null ? '' : ` (${reason})`
  if (provenAt !== null) return `connection lost${because}`
  return reason === 'unreachable'
    ? `no answer from ${address} yet; start it with npm start`
    : `no connection to ${address} yet${because}`
}

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
