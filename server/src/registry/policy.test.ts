import { describe, expect, it } from 'vitest'
import { builtInPolicies, isMisnamed, policyFor } from './policy.ts'
import { sandboxChain } from './sandbox.ts'

const way = (name: string) => ({ name, url: `ws://127.0.0.1/${name}` })
const sandbox = (names: string[]) =>
  sandboxChain({
    ...{ chainId: 31_337, multicall3: `0x${'ca'.repeat(20)}`, blockMs: 2_000, tokens: [] },
    providers: names.map(way),
  })
const base = {
  name: 'base',
  policy: { settled: 'safe', final: 'finalized', quorum: 2 },
} as const

describe('the policy in force', () => {
  it('has a fixed version for a sandbox with one or two providers', () => {
    expect(policyFor([]).version).toBe('none-1')
    expect(policyFor([sandbox(['anvil'])]).version).toBe('sandbox-1')
    expect(policyFor([sandbox(['a', 'b'])]).version).toBe('sandbox-3')
    expect(new Set(builtInPolicies.map(({ version }) => version)).size).toBe(4)
  })

  it('has otherwise a version by its rules, in whatever order', () => {
    const { version } = policyFor([base, sandbox(['a'])])
    expect(version).toMatch(/^cfg-[0-9a-f]{12}$/)
    expect(policyFor([sandbox(['a']), base]).version).toBe(version)
    const stricter = { ...base, policy: { ...base.policy, quorum: 3 } }
    expect(policyFor([stricter, sandbox(['a'])]).version).not.toBe(version)
  })

  it('does not match its version if its rules were changed', () => {
    const policy = policyFor([base])
    expect(isMisnamed(policy)).toBe(false)
    expect(isMisnamed(JSON.parse(JSON.stringify(policy)))).toBe(false)
    expect(isMisnamed({ ...policy, chains: { base: { ...base.policy, quorum: 1 } } })).toBe(true)
    expect(builtInPolicies.some(isMisnamed)).toBe(false)
  })
})
