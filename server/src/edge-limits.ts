import { bytes, integer, proxies, type Row } from './setting-text.ts'

/** What clients may take of this server. The settings below say what each limit does. */
export interface EdgeLimits {
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  /** Whether connections from this machine are counted per address too. */
  readonly countsOwnMachine: boolean
  /** Networks as `10.0.0.0/8`. */
  readonly trustedProxies: readonly string[]
  readonly pipelinedMax: number
  readonly unreadBytesMax: number
  readonly streamUnreadBytesMax: number
  readonly heldBytesMax: number
  readonly headMs: number
  readonly bodyMs: number
  readonly writeMs: number
  readonly idleMs: number
}

const perAddressDefault = 1_000

/** The settings of these limits, as part of the table of all settings. */
export const edgeSettings = {
  CONNECTIONS_MAX: {
    takes: 'a number, 10 to 1000000',
    default: '20000',
    means:
      'Connections in all. Never more than the open files that the process may have, less 512. At the limit the connection that has been idle for the longest time is closed for a new one; where none is idle, the new one gets 503 `too_many_connections`. `/healthz`, `/readyz` and `/metrics` are answered beyond the limit.',
    read: integer(10, 1_000_000),
  },
  CONNECTIONS_PER_ADDRESS_MAX: {
    takes: 'a number, 1 to 1000000',
    default: `${perAddressDefault}; connections from this machine are not counted`,
    unset: null,
    means:
      'Connections of one address, an IPv6 address by its /64; beyond it 429 `too_many_from_address`. Behind a trusted proxy the open requests of each forwarded address are counted instead. Once set it also holds for connections from this machine.',
    read: integer(1, 1_000_000),
  },
  TRUSTED_PROXIES: {
    takes: 'addresses and networks separated by commas, the word `loopback`, or `none`',
    default: 'loopback',
    means:
      'Proxies whose `X-Forwarded-For` is believed. The client is the last address in it that is no such proxy.',
    read: proxies,
  },
  PIPELINED_REQUESTS_MAX: {
    takes: 'a number, 1 to 1000',
    default: '8',
    means:
      'Requests that one connection may send ahead of their answers. They are answered one after the other; what is sent beyond them is not read before there is room.',
    read: integer(1, 1_000),
  },
  UNREAD_BYTES_MAX: {
    takes: 'bytes, 64 KB to 1024 MB',
    default: '4 MB',
    means:
      'What one connection may leave unread of ordinary answers. A connection with more is cut. The next request of a connection is not answered before the last answer was taken.',
    read: bytes(65_536, 1_073_741_824),
  },
  STREAM_UNREAD_BYTES_MAX: {
    takes: 'bytes, 16 KB to 64 MB',
    default: '256 KB',
    means:
      'What a stream may leave unread. It is cut and loses nothing: it resumes with its last id.',
    read: bytes(16_384, 67_108_864),
  },
  HELD_BYTES_MAX: {
    takes: 'bytes, 1 MB to 10240 MB',
    default: '256 MB',
    means:
      'What all connections together may leave in memory, unread or not yet answered. Beyond it those that hold most are cut.',
    read: bytes(1_048_576, 10_737_418_240),
  },
  HEAD_SECONDS: {
    takes: 'seconds, 1 to 300',
    default: '10',
    means: 'For the head of a request to arrive; counted from the connection for the first one.',
    read: integer(1, 300),
  },
  BODY_SECONDS: {
    takes: 'seconds, 1 to 25',
    default: '20',
    means: 'For the body of a request to arrive; then 408 `request_timeout`.',
    read: integer(1, 25),
  },
  WRITE_SECONDS: {
    takes: 'seconds, 1 to 300',
    default: '20',
    means:
      'For a client to take what was written to it, and one more for each 16 KB of it. Then it is cut, streams too.',
    read: integer(1, 300),
  },
  IDLE_SECONDS: {
    takes: 'seconds, 1 to 3600',
    default: '75',
    means: 'How long a connection is kept between two requests. Longer than proxies keep theirs.',
    read: integer(1, 3_600),
  },
} as const satisfies Record<string, Row<unknown>>

type Read<N extends keyof typeof edgeSettings> = ReturnType<(typeof edgeSettings)[N]['read']>
type EdgeValues = {
  readonly [N in keyof typeof edgeSettings]: N extends 'CONNECTIONS_PER_ADDRESS_MAX'
    ? Read<N> | null
    : Read<N>
}

/** The limits that were set, or their defaults. */
export const edgeLimitsOf = (values: EdgeValues): EdgeLimits => ({
  connectionsMax: values.CONNECTIONS_MAX,
  connectionsPerAddressMax: values.CONNECTIONS_PER_ADDRESS_MAX ?? perAddressDefault,
  countsOwnMachine: values.CONNECTIONS_PER_ADDRESS_MAX !== null,
  trustedProxies: values.TRUSTED_PROXIES,
  pipelinedMax: values.PIPELINED_REQUESTS_MAX,
  unreadBytesMax: values.UNREAD_BYTES_MAX,
  streamUnreadBytesMax: values.STREAM_UNREAD_BYTES_MAX,
  heldBytesMax: values.HELD_BYTES_MAX,
  headMs: values.HEAD_SECONDS * 1_000,
  bodyMs: values.BODY_SECONDS * 1_000,
  writeMs: values.WRITE_SECONDS * 1_000,
  idleMs: values.IDLE_SECONDS * 1_000,
})
