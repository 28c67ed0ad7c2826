import { assert } from '@settlewire/core/assert'
import type { Policy } from '@settlewire/core/policy'
import type { Asset } from './engine/asset.ts'

/** What the sandbox's chain is paid with, under which rules. Symbols and decimals come from here. */
export const sandboxPolicy: Policy = {
  version: 'sandbox-1',
  chains: { local: { settled: 3, final: 'finalized', quorum: 1 } },
}

/** Nothing can be paid without a chain. */
const noChains: Policy = { version: 'none-1', chains: {} }

const policies: readonly Policy[] = [sandboxPolicy, noChains]

/** The rules in force. */
export const currentPolicy = (sandbox: boolean): Policy => (sandbox ? sandboxPolicy : noChains)

/** The rules that a version named. Versions are never taken out: old decisions are folded with them. */
export function policyOf(version: string): Policy {
  const policy = policies.find((candidate) => candidate.version === version)
  assert(policy !== undefined, `the policy ${version} is known`)
  return policy
}

/** The assets of the sandbox's chain. Test assets: they never pay a live request. */
export function sandboxAssets(chain: {
  readonly name: string
  readonly chainId: number
  readonly token: { readonly symbol: string; readonly address: string; readonly decimals: number }
}): readonly Asset[] {
  const of = { chain: chain.name, chainId: chain.chainId, livemode: false }
  const { symbol, address, decimals } = chain.token
  return [
    { ...of, symbol, currency: symbol, token: address.toLowerCase(), decimals },
    { ...of, symbol: 'ETH', currency: 'ETH', token: null, decimals: 18 },
  ]
}
