import { Failure } from '@settlewire/core/errors'
import { fieldsOf } from './hex.ts'

/** A node's error. */
interface NodeError {
  /** 0 when the node sent none; the HTTP status when it sent no error. */
  readonly code: number
  readonly message: string
}

/** A definite answer: a result, or that the node lacks the method, block, tag or state. */
export type RpcAnswer =
  | { readonly result: unknown }
  | { readonly declined: NodeError & { readonly kind: 'unsupported' | 'unknown' } }

/** The node does not answer now. This is no information, so the question must be asked again. */
export interface RpcRefusal extends NodeError {
  /** How long the node asks to wait before the next try; null when it did not say. */
  readonly againInMs: number | null
}

export type WireAnswer = RpcAnswer | { readonly refused: RpcRefusal }

/** What came with the message, where the wire has an envelope (HTTP). */
export interface Envelope {
  readonly status: number
  readonly againInMs: number | null
}

interface RpcError {
  readonly code: number | null
  readonly text: string
  /** The HTTP status; 200 on a wire without one. */
  readonly status: number
}

/** Unknown method, and unsupported method: JSON-RPC 2.0 and EIP-1474. */
const unsupportedCodes = [-32601, -32004]
/** An invalid parameter, and a call that reverts. */
const unknownCodes = [-32602, 3]
/**
 * Resource not found (EIP-1474), and any server error: geth's code for a missing block or state.
 */
const sharedCodes = [-32001, -32000]

// Codes are not enough: many providers refuse with the code of an unknown block.
const planWords =
  /method\b.*\b(not (found|supported|available|allowed|enabled|whitelisted)|does not exist)|not (available|supported|included|allowed) (on|in|by|with) (your|this|the)\b.*\b(plan|tier)/i
const refusalWords =
  /rate.?limit|too many|limit (exceeded|reached)|exceed.*(limit|quota|capacity|rate|units)|quota|throttl|overload|capacity|time(d)? ?out|deadline|try again|retry|temporar|service unavailable|busy|no backend|compute units|unauthori[sz]ed|forbidden/i
const unknownWords =
  /not (be )?found|unknown|missing|prun|historical|(state|data|block|header)\b.*(unavailable|not available)|unfinali[sz]ed|no such|not (yet )?(exist|known|synced|imported)|does ?n[o']t exist|out of (range|bounds|gas)|revert|invalid|vm exception|opcode|stack|insufficient funds|gas required|archive|too old|older than/i

/** The first matching rule applies. An unknown error counts as a refusal. */
const rules: readonly (readonly [
  'unsupported' | 'refused' | 'unknown',
  (error: RpcError) => boolean,
])[] = [
  ['refused', ({ status }) => isOverrun(status)],
  ['unsupported', ({ code }) => unsupportedCodes.includes(code ?? 0)],
  // Before the rule on plans: a refusal often advises to buy a larger plan.
  ['refused', ({ text }) => refusalWords.test(text)],
  ['unsupported', ({ text }) => planWords.test(text)],
  ['refused', ({ status }) => isRefusedStatus(status)],
  ['unknown', ({ code }) => unknownCodes.includes(code ?? 0)],
  ['unknown', ({ code, text }) => code === -32001 && text === ''],
  ['unknown', ({ code, text }) => sharedCodes.includes(code ?? 0) && unknownWords.test(text)],
  ['refused', () => true],
]

/** HTTP statuses that say that the server cannot answer any question now. */
const isOverrun = (status: number): boolean => [408, 429].includes(status) || status >= 500

/** These statuses, and those that reject the client itself. */
const isRefusedStatus = (status: number): boolean =>
  [401, 403].includes(status) || isOverrun(status)

/**
 * Classifies a message of a node: the only place that distinguishes an answer from a refusal. Null
 * stands for a text that is not JSON-RPC, such as an HTML page. Throws for a message with neither a
 * result nor an error, unless its HTTP status is a refusal.
 */
export function answerIn(
  frame: Readonly<Record<string, unknown>> | null,
  { status, againInMs }: Envelope = { status: 200, againInMs: null },
): WireAnswer {
  if (frame === null) return { refused: { code: status, message: 'not JSON-RPC', againInMs } }
  const hasResult = 'result' in frame
  const error = frame.error ?? (hasResult ? null : (frame.message ?? null))
  if (error === null && hasResult && !isRefusedStatus(status)) return { result: frame.result }
  if (error === null && !isRefusedStatus(status)) {
    throw new Failure(
      'chain_unavailable',
      `The node sent neither a result nor an error (HTTP status ${status}).`,
    )
  }
  const { code, text } = error === null ? { code: status, text: '' } : codeAndText(error)
  const [kind] = rules.find(([, holds]) => holds({ code, text, status })) ?? ['refused']
  const shown = { code: code ?? 0, message: text }
  if (kind !== 'refused') return { declined: { kind, ...shown } }
  return { refused: { ...shown, againInMs: againInMs ?? waitIn(error) } }
}

function codeAndText(error: unknown): Omit<RpcError, 'status'> {
  const fields = fieldsOf(error)
  const code = Number(fields?.code ?? Number.NaN)
  return {
    code: Number.isInteger(code) ? code : null,
    text: String(fields === null ? error : (fields.message ?? '')).slice(0, 200),
  }
}

/** Reads the wait that Infura puts into its errors. */
function waitIn(error: unknown): number | null {
  const rate = fieldsOf(fieldsOf(fieldsOf(error)?.data)?.rate)
  const seconds = Number(rate?.backoff_seconds)
  return seconds > 0 ? seconds * 1_000 : null
}

/**
 * The `cause` of the failure of a question that the node refused and that is not retried any more.
 */
export class RefusedNow extends Error {}

/**
 * Whether a question failed because the node refused it: the node is alive, and this says nothing
 * about what it knows.
 */
export const isRefusal = (error: unknown): boolean =>
  error instanceof Failure && error.cause instanceof RefusedNow

/**
 * Returns `refused` instead of throwing, for callers with another source for the same information.
 */
export const orRefused = <Result>(answer: Promise<Result>): Promise<Result | 'refused'> =>
  answer.catch((error: unknown) => {
    if (isRefusal(error)) return 'refused'
    throw error
  })
