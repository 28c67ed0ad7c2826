import type { KnownToken } from '../chain-config.ts'
import bridged from './artifacts/TestBridgedUSDC.json' with { type: 'json' }
import toll from './artifacts/TestToll.json' with { type: 'json' }
import usdc from './artifacts/TestUSDC.json' with { type: 'json' }
import { type RpcCall, textOf, word } from './rpc.ts'

export interface TestToken {
  readonly symbol: string
  /** The same on every development chain: it depends only on the code, not on the deployer. */
  readonly address: string
  readonly decimals: number
}

/** The test dollar, in which the sandbox's payments are priced. */
export const testDollar: TestToken = { symbol: 'USDC', address: usdc.address, decimals: 6 }

const common = { decimals: 6, dust: 10_000n, source: 'server/src/sandbox/contracts' }

/** All tokens of the sandbox: one to pay with, a bridged twin of it, and one that takes a fee. */
export const testTokens: readonly KnownToken[] = [
  { ...common, ...testDollar, currency: 'USDC', accepted: true, twinOf: null },
  {
    ...{ ...common, symbol: 'USDC.e', currency: 'USDC.e', address: bridged.address },
    ...{ accepted: false, twinOf: 'USDC' },
  },
  {
    ...{ ...common, symbol: 'TOLL', currency: 'TOLL', address: toll.address },
    ...{ accepted: true, twinOf: null },
  },
]

const selectors = {
  mint: '0x40c10f19',
  balanceOf: '0x70a08231',
  owner: '0x8da5cb5b',
  approve: '0x095ea7b3',
  allowance: '0xdd62ed3e',
  transfer: '0xa9059cbb',
  transferFrom: '0x23b872dd',
} as const

/** Calldata for a token: the function with its addresses and amounts in order. */
export const tokenCall = (
  name: keyof typeof selectors,
  ...words: readonly (string | bigint)[]
): string => selectors[name] + words.map(word).join('')

/** Calls a token's view function at the latest block. */
export const askToken = (call: RpcCall, token: string, data: string): Promise<string> =>
  textOf(call('eth_call', [{ to: token, data }, 'latest']))

/** The balance of an account, in the token's smallest unit. */
export const balanceOf = async (call: RpcCall, token: string, account: string): Promise<bigint> =>
  BigInt(await askToken(call, token, tokenCall('balanceOf', account)))
