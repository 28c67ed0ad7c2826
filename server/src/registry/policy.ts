import { createHash } from 'node:crypto'
import { canonicalJson } from '@settlewire/core/history/canonical-json'
import type { Policy } from '@settlewire/core/payment/policy'
import type { ChainConfig } from '../chain-config.ts'
import { sandboxPairPolicy, sandboxPolicy, sandboxTieredPolicy } from './sandbox.ts'

const hashDigits = 12
const prefix = 'cfg-'

/** Policies with a fixed version. Never remove one: stored payments are computed with it. */
export const builtInPolicies: readonly Policy[] = [
  sandboxPolicy,
  sandboxPairPolicy,
  sandboxTieredPolicy,
  { version: 'none-1', chains: {} },
]

/**
 * The policy of these chains. Rules that are built in keep their fixed version. Otherwise the
 * version is a hash of the rules: the same rules have the same version on every server, and
 * different rules never share a version.
 */
export function policyFor(chains: readonly Pick<ChainConfig, 'name' | 'policy'>[]): Policy {
  const rules = Object.fromEntries(chains.map(({ name, policy }) => [name, policy]))
  const text = canonicalJson(rules)
  const known = builtInPolicies.find((policy) => canonicalJson(policy.chains) === text)
  return known ?? { version: versionOf(text), chains: rules }
}

/**
 * Whether the version is a hash of other rules than these. A version without a hash is not checked.
 */
export const isMisnamed = ({ version, chains }: Policy): boolean =>
  version.startsWith(prefix) && version !== versionOf(canonicalJson(chains))

const versionOf = (text: string): string =>
  `${prefix}${createHash('sha256').update(text).digest('hex').slice(0, hashDigits)}`
