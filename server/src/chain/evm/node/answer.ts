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
  /** Of HTTP; 200 where the wire has none. */
  readonly status: number
}

/** No such method, and no such method here: JSON-RPC 2.0 and EIP-1474. */
const unsupportedCodes = [-32601, -32004]
/** A wrong parameter, and a call that reverts. */
const unknownCodes = [-32602, 3]
/** A resource that is not found (EIP-1474), and any error of a server: geth's for a block or state that it lacks. */
const sharedCodes = [-32001, -32000]

// Codes do not suffice: many companies refuse under the code of an unknown block.
const planWords =
  /method\b.*\b(not (found|supported|available|allowed|enabled|whitelisted)|does not exist)|not (available|supported|included|allowed) (on|in|by|with) (your|this|the)\b.*\b(plan|tier)/i
const refusalWords =
  /rate.?limit|too many|limit (exceeded|reached)|exceed.*(limit|quota|capacity|rate|units)|quota|throttl|overload|capacity|time(d)? ?out|deadline|try again|retry|temporar|service unavailable|busy|no backend|compute units|unauthori[sz]ed|forbidden/i
const unknownWords =
  /not (be )?found|unknown|missing|prun|historical|(state|data|block|header)\b.*(unavailable|not available)|unfinali[sz]ed|no such|not (yet )?(exist|known|synced|imported)|does ?n[o']t exist|out of (range|bounds|gas)|revert|invalid|vm exception|opcode|stack|insufficient funds|gas required|archive|too old|older than/i

/** The first that holds. An error that is not known to speak of the question is a refusal. */
const rules: readonly (readonly [
  'unsupported' | 'refused' | 'unknown',
  (said: Said) => boolean,
])[] = [
  ['refused', ({ status }) => isOverrun(status)],
  ['unsupported', ({ code }) => unsupportedCodes.includes(code ?? 0)],
  // Before what speaks of a plan: who is refused is often told to buy a larger one.
  ['refused', ({ text }) => refusalWords.test(text)],
  ['unsupported', ({ text }) => planWords.test(text)],
  ['refused', ({ status }) => isTurnedAway(status)],
  ['unknown', ({ code }) => unknownCodes.includes(code ?? 0)],
  ['unknown', ({ code, text }) => code === -32001 && text === ''],
  ['unknown', ({ code, text }) => sharedCodes.includes(code ?? 0) && unknownWords.test(text)],
  ['refused', () => true],
]

/** Statuses of HTTP with which a server says that it cannot answer now, whatever the question was. */
const isOverrun = (status: number): boolean => [408, 429].includes(status) || status >= 500

/** And those with which it turns the one who asks away. */
const isTurnedAway = (status: number): boolean => [401, 403].includes(status) || isOverrun(status)

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
  const [kind] = rules.find(([, holds]) => holds({ code, text, status })) ?? ['refused']
  const said = { code: code ?? 0, message: text }
  if (kind !== 'refused') return { declined: { kind, ...said } }
  return { refused: { ...said, againInMs: againInMs ?? wishIn(error) } }
}

function wordsOf(error: unknown): Omit<Said, 'status'> {
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
