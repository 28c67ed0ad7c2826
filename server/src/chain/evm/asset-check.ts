import type { ProviderConfig } from '../../chain-config.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ChainAnswer } from '../kind.ts'
import { type Connect, connectByUrl } from './node/connect.ts'
import type { RpcConnection, RpcWire } from './node/connection.ts'
import { defaultLimits, type FollowerLimits } from './node/limits.ts'
import { RequestLine } from './node/line.ts'
import { EvmNode } from './node/node.ts'

/** A token as the configuration describes it. */
export interface ClaimedToken {
  /** Lower case. */
  readonly address: string
  readonly decimals: number
}

/** How to ask a node. Default: `connect` by URL, and the default limits. */
export interface AskParts {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly limits?: Partial<FollowerLimits>
  readonly connect?: Connect
}

/** `decimals()`. */
const decimalsCall = '0x313ce567'

/**
 * Asks every node for its chain id, and for the decimals of each token. A contradiction by one node
 * is enough to refuse a token: no payment is requested while its asset is in doubt. Never rejects.
 */
export async function checkAssets(
  chain: {
    readonly chainId: number
    readonly providers: readonly ProviderConfig[]
    readonly tokens: readonly ClaimedToken[]
  },
  parts: AskParts,
): Promise<ChainAnswer> {
  const answers = await Promise.all(chain.providers.map((one) => askNode(one, chain, parts)))
  const answered = answers.filter((answer) => answer.kind === 'answered')
  if (answered.length > 0) {
    const contradictions = answered.flatMap((answer) => [...answer.contradictions])
    return { kind: 'answered', contradictions: new Map(contradictions) }
  }
  return answers.find((answer) => answer.kind === 'other_chain') ?? { kind: 'unreachable' }
}

/**
 * Uses a connection of its own, so that the follower's notifications do not wait for these answers.
 */
async function askNode(
  provider: ProviderConfig,
  chain: { readonly chainId: number; readonly tokens: readonly ClaimedToken[] },
  { clock, signal, limits, connect = connectByUrl }: AskParts,
): Promise<ChainAnswer> {
  let wire: RpcWire | null = null
  try {
    const how = { clock, signal, limits: { ...defaultLimits, ...limits } }
    wire = await connect(provider, how)
    const connection = new RequestLine(how).over(wire).now
    const chainId = await new EvmNode(connection).chainId()
    if (chainId !== chain.chainId) return { kind: 'other_chain', chainId }
    const contradictions = new Map<string, string>()
    for (const token of chain.tokens) {
      const contradiction = await contradictionOf(connection, token)
      if (contradiction !== null) contradictions.set(token.address, contradiction)
    }
    return { kind: 'answered', contradictions }
  } catch {
    // The follower meets the same error and reports it in the chain's health.
    return { kind: 'unreachable' }
  } finally {
    wire?.drop('left')
  }
}

async function contradictionOf(
  connection: RpcConnection,
  { address, decimals }: ClaimedToken,
): Promise<string | null> {
  const [code, answer] = await Promise.all([
    connection.ask('eth_getCode', [address, 'latest']),
    connection.ask('eth_call', [{ to: address, data: decimalsCall }, 'latest']),
  ])
  if (!('result' in code)) throw new Error('the node did not return the contract code')
  if (code.result === '0x') return 'There is no contract at its address.'
  const found = 'result' in answer ? toNumber(answer.result) : null
  if (found === null) return 'Its contract does not answer decimals().'
  return found === decimals
    ? null
    : `Its contract reports ${found} decimals, but the configuration says ${decimals}.`
}

/** Reads one 32-byte word whose value fits in a `uint8`; else null. */
function toNumber(result: unknown): number | null {
  if (typeof result !== 'string' || !/^0x[0-9a-fA-F]{64}$/.test(result)) return null
  const value = BigInt(result)
  return value <= 255n ? Number(value) : null
}
