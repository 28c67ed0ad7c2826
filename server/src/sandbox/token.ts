import type { KnownToken } from '../chain-config.ts'
import bridged from './artifacts/TestBridgedUSDC.json' with { type: 'json' }
import toll from './artifacts/TestToll.json' with { type: 'json' }
import usdc from './artifacts/TestUSDC.json' with { type: 'json' }
import { type Call, textOf, word } from './rpc.ts'

export interface TestToken {
  readonly symbol: string
  /** The same on every development chain: the code decides it, not who deployed it or when. */
  readonly address: string
  readonly decimals: number
}

/** The test dollar, which the sandbox's payments are priced in. */
export const testDollar: TestToken = { symbol: 'USDC', address: usdc.address, decimals: 6 }

const common = { decimals: 6, dust: 10_000n, source: 'server/src/sandbox/contracts' }

/** Every token of the sandbox: one to pay with, one that is easily taken for it, one that keeps a fee. */
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

/** Calldata for a token: the function, and addresses and amounts in their order. */
export const tokenCall = (
  name: keyof typeof selectors,
  ...words: readonly (string | bigint)[]
): string => selectors[name] + words.map(word).join('')

/** What a token answers to a question, as it stands in the last block. */
export const askToken = (call: Call, token: string, data: string): Promise<string> =>
  textOf(call('eth_call', [{ to: token, data }, 'latest']))

/** What an account holds, in the token's smallest unit. */
export const balanceOf = async (call: Call, token: string, account: string): Promise<bigint> =>
  BigInt(await askToken(call, token, tokenCall('balanceOf', account)))
