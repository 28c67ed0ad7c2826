/** What happens beyond each limit of clients, with its code and its metric. */
import type { ErrorCode } from '@settlewire/core/errors'
import type { edgeSettings } from './edge-limits.ts'

/** Settings beside the limits: nothing happens beyond them. */
export const noLimits = ['TRUSTED_PROXIES', 'STREAM_RETURN_SECONDS'] as const

/** The settings that are limits. */
export type LimitSetting = Exclude<keyof typeof edgeSettings, (typeof noLimits)[number]>

/**
 * What the server does beyond a limit, with the code of it. `answer`: the client gets a problem
 * document with this code. Else it gets no answer, and the code is the `reason` in the server's log
 * at the level `debug` and a label of the metric. `close`: the connection is closed. `pause`:
 * nothing more is read from the connection for a while. `endStream`: the stream is ended.
 */
export type LimitOutcome = { readonly when: string } & (
  | { readonly answer: ErrorCode }
  | { readonly close: string }
  | { readonly pause: string }
  | { readonly endStream: string }
)

/** Every limit, with all that happens beyond it. Printed to docs/generated/limits.md. */
export const limitTable = {
  CONNECTIONS_MAX: [
    { close: 'made_room', when: 'a connection is idle: the longest idle one is closed' },
    { answer: 'too_many_connections', when: 'none is idle' },
    { close: 'no_room', when: 'none is idle, and 64 connections beyond the limit are open' },
  ],
  CONNECTIONS_PER_ADDRESS_MAX: [
    {
      close: 'made_room',
      when: 'a connection of the address is idle: the longest idle one is closed',
    },
    { answer: 'too_many_from_address', when: 'none of the address is idle' },
    { close: 'no_room', when: 'none is idle, and 64 connections beyond the limit are open' },
  ],
  PIPELINED_REQUESTS_MAX: [{ pause: 'pipelined', when: 'until earlier requests are answered' }],
  UNREAD_BYTES_MAX: [{ close: 'unread_bytes', when: 'within a second' }],
  STREAM_UNREAD_BYTES_MAX: [{ endStream: 'slow', when: 'at once' }],
  HELD_BYTES_MAX: [{ close: 'held_bytes', when: 'the largest first, until the rest fits' }],
  STREAMS_PER_PAYMENT_MAX: [{ answer: 'too_many_streams_of_payment', when: 'always' }],
  STREAMS_PER_MERCHANT_MAX: [{ answer: 'too_many_streams_of_merchant', when: 'always' }],
  STREAMS_PER_ADDRESS_MAX: [{ answer: 'too_many_streams_of_address', when: 'always' }],
  STREAM_AGE_SECONDS: [{ endStream: 'aged', when: 'with the next heartbeat' }],
  HEAD_SECONDS: [
    { close: 'silent', when: 'the client has sent nothing' },
    { answer: 'request_timeout', when: 'the head is incomplete' },
    { close: 'head_timeout', when: 'the head is incomplete: after that answer' },
  ],
  BODY_SECONDS: [
    { answer: 'request_timeout', when: 'the answer has not begun' },
    { close: 'body_timeout', when: 'after that answer' },
  ],
  WRITE_SECONDS: [{ close: 'unread', when: 'always' }],
  IDLE_SECONDS: [{ close: 'idle', when: 'always' }],
} as const satisfies Readonly<Record<LimitSetting, readonly LimitOutcome[]>>

type Codes<Kind extends string> = {
  [S in LimitSetting]: (typeof limitTable)[S][number] extends infer Row
    ? Row extends { readonly [K in Kind]: infer Code }
      ? Code
      : never
    : never
}[LimitSetting]

/** Why a connection is closed because of a limit. */
export type CloseCode = Codes<'close'>

/** Why nothing more is read from a connection for a while. */
export type PauseCode = Codes<'pause'>

/** Which of the four an outcome is. */
export function kindOf(outcome: LimitOutcome): 'answer' | 'close' | 'pause' | 'endStream' {
  if ('answer' in outcome) return 'answer'
  if ('close' in outcome) return 'close'
  return 'pause' in outcome ? 'pause' : 'endStream'
}

/** The code of an outcome. */
export function codeOf(outcome: LimitOutcome): string {
  if ('answer' in outcome) return outcome.answer
  if ('close' in outcome) return outcome.close
  return 'pause' in outcome ? outcome.pause : outcome.endStream
}

/** All codes of one kind of outcome. */
export const codesOf = (kind: ReturnType<typeof kindOf>): readonly string[] =>
  Object.values(limitTable)
    .flat()
    .filter((outcome: LimitOutcome) => kindOf(outcome) === kind)
    .map((outcome: LimitOutcome) => codeOf(outcome))

const series = {
  answer: (code) => `settlewire_requests_refused_total{code="${code}"}`,
  close: (code) => `settlewire_connections_cut_total{why="${code}"}`,
  pause: (code) => `settlewire_connections_paused_total{why="${code}"}`,
  endStream: (code) => `settlewire_streams_closed_total{transport="sse",why="${code}"}`,
} as const satisfies Readonly<Record<ReturnType<typeof kindOf>, (code: string) => string>>

/** The series that counts an outcome. */
export const metricOf = (outcome: LimitOutcome): string => series[kindOf(outcome)](codeOf(outcome))
