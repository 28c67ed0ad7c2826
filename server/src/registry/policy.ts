import { createHash } from 'node:crypto'
import { canonicalJson } from '@settlewire/core/history/canonical-json'
import type { Policy } from '@settlewire/core/payment/policy'
import type { ChainConfig } from '../chain-config.ts'
import { sandboxPairPolicy, sandboxPolicy, sandboxTieredPolicy } from './sandbox.ts'

const hashDigits = 12
const prefix = 'cfg-'

/** The rules that have a name. Never taken out: old decisions are folded with them. */
export const builtInPolicies: readonly Policy[] = [
  sandboxPolicy,
  sandboxPairPolicy,
  sandboxTieredPolicy,
  { version: 'none-1', chains: {} },
]

/**
 * The rules of these chains together. The version is made of what they say: the same rules have the
 * same version wherever they run, and other rules never share one.
 */
export function policyFor(chains: readonly Pick<ChainConfig, 'name' | 'policy'>[]): Policy {
  const rules = Object.fromEntries(chains.map(({ name, policy }) => [name, policy]))
  const text = canonicalJson(rules)
  const known = builtInPolicies.find((policy) => canonicalJson(policy.chains) === text)
  return known ?? { version: versionOf(text), chains: rules }
}

/** Whether the version was made of other rules than these. One that is a plain name says nothing of them. */
export const isMisnamed = ({ version, chains }: Policy): boolean =>
  version.startsWith(prefix) && version !== versionOf(canonicalJson(chains))

const versionOf = (text: string): string =>
  `${prefix}${createHash('sha256').update(text).digest('hex').slice(0, hashDigits)}`
