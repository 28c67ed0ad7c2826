import { Failure } from '@settlewire/core/errors'

/** Calls one method of a node. Rejects with `chain_unavailable`, with the node's error as cause. */
export type RpcCall = (method: string, params?: readonly unknown[]) => Promise<unknown>

const callWithinMs = 10_000

/** JSON-RPC over HTTP with one call per request: the sandbox makes few calls and never streams. */
export const rpcAt =
  (httpUrl: string): RpcCall =>
  async (method, params = []) => {
    const answer = await post(httpUrl, { jsonrpc: '2.0', id: 1, method, params })
    if (typeof answer === 'object' && answer !== null) {
      if ('result' in answer) return answer.result
      if ('error' in answer) throw refused(method, answer.error)
    }
    throw refused(method, answer)
  }

async function post(httpUrl: string, body: object): Promise<unknown> {
  try {
    const response = await fetch(httpUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(callWithinMs),
    })
    return await response.json()
  } catch (cause) {
    throw new Failure('chain_unavailable', 'The development chain does not answer.', { cause })
  }
}

function refused(method: string, answer: unknown): Failure {
  const cause = new Error(JSON.stringify(answer))
  return new Failure('chain_unavailable', `The development chain refused ${method}.`, { cause })
}

/** A result that must be a string, such as a hash or a number in hex. */
export async function textOf(result: Promise<unknown>): Promise<string> {
  const text = await result
  if (typeof text === 'string') return text
  throw new Failure('chain_unavailable', 'The development chain gave an unexpected answer.')
}

/** The genesis hash, which identifies a chain independently of its chain id. */
export async function genesisHashAt(call: RpcCall): Promise<string> {
  const block = await call('eth_getBlockByNumber', ['0x0', false])
  if (typeof block === 'object' && block !== null && 'hash' in block) return String(block.hash)
  throw new Failure('chain_unavailable', 'The development chain has no genesis block.')
}

/** 32 bytes of calldata, in hex without 0x. */
export const word = (value: bigint | string): string =>
  (typeof value === 'bigint' ? value.toString(16) : value.replace(/^0x/, '')).padStart(64, '0')
