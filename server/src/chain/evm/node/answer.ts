import { Failure } from '@settlewire/core/errors'
import { fieldsOf } from './hex.ts'

/** What a node says where it does not answer. */
interface NodeError {
  /** 0 where it gave none. */
  readonly code: number
  readonly message: string
}

/** What is learned from a node: an answer, or that it lacks the method, the block, the tag or the state. */
export type Answer =
  | { readonly result: unknown }
  | { readonly declined: NodeError & { readonly kind: 'unsupported' | 'unknown' } }

/** The node does not answer now. Nothing was learned, so the question must be asked again. */
export interface Refusal extends NodeError {
  /** When the node wants to be asked again; null where it did not say. */
  readonly againInMs: number | null
}

export type WireAnswer = Answer | { readonly refused: Refusal }

/** What came around the message, where the wire has such a thing. */
export interface Envelope {
  readonly status: number
  readonly againInMs: number | null
}

interface Said {
  readonly code: number | null
  readonly text: string
}

/** No such method, and no such method here: JSON-RPC 2.0 and EIP-1474. */
const unsupportedCodes = [-32601, -32004]
/** What nodes answer for a block, tag or state that they lack, for a wrong parameter, for a revert. */
const unknownCodes = [-32000, -32001, -32602, 3]

// Codes do not suffice: many companies refuse under the code of an unknown block.
const planWords =
  /method\b.*\b(not (found|supported|available|allowed|enabled|whitelisted)|does not exist)|not (available|supported|included|allowed) (on|in|by|with) (your|this|the)\b.*\b(plan|tier)|upgrade your/i
const refusalWords =
  /rate.?limit|too many|limit (exceeded|reached)|exceed.*(limit|quota|capacity|rate|units)|quota|throttl|overload|capacity|time(d)? ?out|try again|retry|temporar|service unavailable|busy|no backend|compute units|unauthori[sz]ed|forbidden/i

/** The first that holds. An error that is not known to speak of the question is a refusal. */
const rules: readonly (readonly [
  'unsupported' | 'refused' | 'unknown',
  (said: Said) => boolean,
])[] = [
  ['unsupported', ({ code }) => unsupportedCodes.includes(code ?? 0)],
  ['unsupported', ({ text }) => planWords.test(text)],
  ['refused', ({ text }) => refusalWords.test(text)],
  ['unknown', ({ code }) => unknownCodes.includes(code ?? 0)],
  ['refused', () => true],
]

/** Statuses of HTTP with which a server turns the one who asks away, whatever the question was. */
const isTurnedAway = (status: number): boolean =>
  [401, 403, 408, 429].includes(status) || status >= 500

/**
 * What a message of a node says: the only place that tells an answer from a refusal. Null stands for
 * a text that is no JSON-RPC, such as a page. Throws for a message that says nothing at all.
 */
export function answerIn(
  frame: Readonly<Record<string, unknown>> | null,
  { status, againInMs }: Envelope = { status: 200, againInMs: null },
): WireAnswer {
  if (frame === null) return { refused: { code: status, message: 'no JSON-RPC', againInMs } }
  const hasResult = 'result' in frame
  const error = frame.error ?? (hasResult ? null : (frame.message ?? null))
  if (error === null && hasResult && !isTurnedAway(status)) return { result: frame.result }
  if (error === null && !isTurnedAway(status)) {
    throw new Failure('chain_unavailable', `The node answered nothing (HTTP status ${status}).`)
  }
  const { code, text } = error === null ? { code: status, text: '' } : wordsOf(error)
  const [kind] = rules.find(([, holds]) => holds({ code, text })) ?? ['refused']
  const said = { code: code ?? 0, message: text }
  if (kind === 'unsupported') return { declined: { kind, ...said } }
  if (kind === 'unknown' && !isTurnedAway(status)) return { declined: { kind, ...said } }
  return { refused: { ...said, againInMs: againInMs ?? wishIn(error) } }
}

function wordsOf(error: unknown): Said {
  const fields = fieldsOf(error)
  const code = Number(fields?.code ?? Number.NaN)
  return {
    code: Number.isInteger(code) ? code : null,
    text: String(fields === null ? error : (fields.message ?? '')).slice(0, 200),
  }
}

/** Infura's way to say when to ask again. */
function wishIn(error: unknown): number | null {
  const rate = fieldsOf(fieldsOf(fieldsOf(error)?.data)?.rate)
  const seconds = Number(rate?.backoff_seconds)
  return seconds > 0 ? seconds * 1_000 : null
}

/** Kept as the cause of the failure of a question that was refused until there was no time left. */
export class RefusedNow extends Error {}

/** Whether a question failed because the node refused it: the node lives, and knows no less than before. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof Failure && error.cause instanceof RefusedNow

/** For whoever can learn the same in another way. */
export const orRefused = <Result>(asked: Promise<Result>): Promise<Result | 'refused'> =>
  asked.catch((error: unknown) => {
    if (isRefusal(error)) return 'refused'
    throw error
  })
