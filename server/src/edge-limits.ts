import { bytes, integer, proxies, type SettingRow } from './setting-text.ts'

/** Limits on connections, memory and time of clients. The settings below describe each limit. */
export interface EdgeLimits {
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  /** Whether the limit per address also applies to connections from this machine. */
  readonly countsOwnMachine: boolean
  /** Networks as `10.0.0.0/8`. */
  readonly trustedProxies: readonly string[]
  readonly pipelinedMax: number
  readonly unreadBytesMax: number
  readonly streamUnreadBytesMax: number
  readonly heldBytesMax: number
  /** Streams and held long-polls of one payment, merchant or address in this process. */
  readonly streamsPerPaymentMax: number
  readonly streamsPerMerchantMax: number
  readonly streamsPerAddressMax: number
  /** The age at which a stream is ended, give or take a fifth. */
  readonly streamAgeMs: number
  /** At a shutdown, the time over which the clients of its streams come back. */
  readonly streamReturnMs: number
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
      'Connections in total. Never more than the open files limit of the process minus 512. At the limit, a new connection replaces the one that has been idle for the longest time; if none is idle, the new one gets 503 `too_many_connections`. `/healthz`, `/readyz` and `/metrics` are answered beyond the limit.',
    read: integer(10, 1_000_000),
  },
  CONNECTIONS_PER_ADDRESS_MAX: {
    takes: 'a number, 1 to 1000000',
    default: `${perAddressDefault}; connections from this machine are not counted`,
    unset: null,
    means:
      'Connections per IPv4 address or IPv6 /64; beyond it 429 `too_many_from_address`. Behind a trusted proxy the open requests per forwarded address are counted instead. If set, it also applies to connections from this machine.',
    read: integer(1, 1_000_000),
  },
  TRUSTED_PROXIES: {
    takes: 'addresses and networks separated by commas, the word `loopback`, or `none`',
    default: 'loopback',
    means:
      'Proxies whose `X-Forwarded-For` is trusted. The client is the last address in it that is not a trusted proxy.',
    read: proxies,
  },
  PIPELINED_REQUESTS_MAX: {
    takes: 'a number, 1 to 1000',
    default: '8',
    means:
      'Requests that one connection may pipeline. They are answered one after the other; more requests are not read until there is room.',
    read: integer(1, 1_000),
  },
  UNREAD_BYTES_MAX: {
    takes: 'bytes, 64 KB to 1024 MB',
    default: '4 MB',
    means:
      'Bytes of ordinary answers that one connection may leave unread; beyond it the connection is cut. The next request of a connection is answered after the client has read the previous answer.',
    read: bytes(65_536, 1_073_741_824),
  },
  STREAM_UNREAD_BYTES_MAX: {
    takes: 'bytes, 16 KB to 64 MB',
    default: '256 KB',
    means:
      'Bytes that a stream may leave unread; beyond it the stream is cut. It loses nothing: it resumes with its last event id.',
    read: bytes(16_384, 67_108_864),
  },
  HELD_BYTES_MAX: {
    takes: 'bytes, 1 MB to 10240 MB',
    default: '256 MB',
    means:
      'Bytes that all connections together may hold in memory, unread or not yet answered; beyond it the largest are cut.',
    read: bytes(1_048_576, 10_737_418_240),
  },
  STREAMS_PER_PAYMENT_MAX: {
    takes: 'a number, 1 to 1000000',
    default: '10000',
    means:
      'Streams and held long-polls of one payment in this process; beyond it 429 `too_many_streams_of_payment`.',
    read: integer(1, 1_000_000),
  },
  STREAMS_PER_MERCHANT_MAX: {
    takes: 'a number, 1 to 1000000',
    default: '20000',
    means:
      'Streams and held long-polls of one merchant in this process; beyond it 429 `too_many_streams_of_merchant`.',
    read: integer(1, 1_000_000),
  },
  STREAMS_PER_ADDRESS_MAX: {
    takes: 'a number, 1 to 1000000',
    default: '500',
    means:
      'Streams and held long-polls of one IPv4 address or IPv6 /64 in this process, behind a trusted proxy of the forwarded address; beyond it 429 `too_many_streams_of_address`. Connections from this machine are counted only if CONNECTIONS_PER_ADDRESS_MAX is set.',
    read: integer(1, 1_000_000),
  },
  STREAM_AGE_SECONDS: {
    takes: 'seconds, 60 to 86400',
    default: '3600',
    means:
      'The age at which a stream is ended, give or take a fifth, so that streams spread over a restarted or added process. The client loses nothing: it resumes with its last event id.',
    read: integer(60, 86_400),
  },
  STREAM_RETURN_SECONDS: {
    takes: 'seconds, 1 to 300',
    default: '10',
    means:
      'At a shutdown each stream gets a moment of its own at which its client comes back, one millisecond apart. With more streams than fit, they come back spread over this time.',
    read: integer(1, 300),
  },
  HEAD_SECONDS: {
    takes: 'seconds, 1 to 300',
    default: '10',
    means:
      'Time for the head of a request to arrive; for the first request from the connection on.',
    read: integer(1, 300),
  },
  BODY_SECONDS: {
    takes: 'seconds, 1 to 25',
    default: '20',
    means: 'Time for the body of a request to arrive; then 408 `request_timeout`.',
    read: integer(1, 25),
  },
  WRITE_SECONDS: {
    takes: 'seconds, 1 to 300',
    default: '20',
    means:
      'Time for a client to read what was written to it, plus 1 s for each 16 KB; then it is cut, streams too.',
    read: integer(1, 300),
  },
  IDLE_SECONDS: {
    takes: 'seconds, 1 to 3600',
    default: '75',
    means:
      'How long an idle connection is kept between two requests. Longer than common proxies do.',
    read: integer(1, 3_600),
  },
} as const satisfies Record<string, SettingRow<unknown>>

type Read<N extends keyof typeof edgeSettings> = ReturnType<(typeof edgeSettings)[N]['read']>
type EdgeValues = {
  readonly [N in keyof typeof edgeSettings]: N extends 'CONNECTIONS_PER_ADDRESS_MAX'
    ? Read<N> | null
    : Read<N>
}

/** The limits from the values of the settings. */
export const edgeLimitsOf = (values: EdgeValues): EdgeLimits => ({
  connectionsMax: values.CONNECTIONS_MAX,
  connectionsPerAddressMax: values.CONNECTIONS_PER_ADDRESS_MAX ?? perAddressDefault,
  countsOwnMachine: values.CONNECTIONS_PER_ADDRESS_MAX !== null,
  trustedProxies: values.TRUSTED_PROXIES,
  pipelinedMax: values.PIPELINED_REQUESTS_MAX,
  unreadBytesMax: values.UNREAD_BYTES_MAX,
  streamUnreadBytesMax: values.STREAM_UNREAD_BYTES_MAX,
  heldBytesMax: values.HELD_BYTES_MAX,
  streamsPerPaymentMax: values.STREAMS_PER_PAYMENT_MAX,
  streamsPerMerchantMax: values.STREAMS_PER_MERCHANT_MAX,
  streamsPerAddressMax: values.STREAMS_PER_ADDRESS_MAX,
  streamAgeMs: values.STREAM_AGE_SECONDS * 1_000,
  streamReturnMs: values.STREAM_RETURN_SECONDS * 1_000,
  headMs: values.HEAD_SECONDS * 1_000,
  bodyMs: values.BODY_SECONDS * 1_000,
  writeMs: values.WRITE_SECONDS * 1_000,
  idleMs: values.IDLE_SECONDS * 1_000,
})
