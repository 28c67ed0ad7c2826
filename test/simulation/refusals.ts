import { answerIn, type Envelope, type WireAnswer } from '../../server/src/chain/evm/node/answer.ts'
import type { Chance } from './chance.ts'

/** An error answer of a node, by the JSON-RPC protocol. */
export class Refused {
  readonly code: number
  readonly message: string
  constructor(code: number, message: string) {
    this.code = code
    this.message = message
  }
}

/** How providers refuse requests: by code, by message, by a bare text, or by the HTTP status. */
const forms: readonly {
  readonly frame: Readonly<Record<string, unknown>> | null
  readonly envelope?: Envelope
}[] = [
  { frame: { error: { code: -32005, message: 'limit exceeded' } } },
  { frame: { error: { code: -32000, message: 'Too many requests' } } },
  { frame: { error: { code: -32603, message: 'internal error' } } },
  { frame: { error: { code: 429, message: 'your app has exceeded its capacity' }, result: null } },
  { frame: { error: 'Too many requests' } },
  { frame: { message: 'API rate limit exceeded' } },
  { frame: { error: { code: -32005, message: 'no', data: { rate: { backoff_seconds: 1 } } } } },
  { frame: null, envelope: { status: 429, againInMs: 700 } },
  { frame: null, envelope: { status: 503, againInMs: null } },
]

export function refusal(chance: Chance): WireAnswer {
  const { frame, envelope } = chance.pick(forms)
  return answerIn(frame, envelope)
}

/** Methods that a node may refuse while it answers all others. */
export const refusable = [
  ...['eth_getLogs', 'eth_getBlockReceipts', 'eth_getTransactionReceipt', 'eth_subscribe'],
  ...['eth_getTransactionByHash', 'eth_getTransactionCount', 'eth_getBalance'],
  ...['eth_getBlockByNumber', 'eth_getBlockByHash'],
] as const
