import type { Policy } from '@settlewire/core/payment/policy'
import { describe, expect, it } from 'vitest'
import { storeUnderTest } from '../../../../test/support/store-under-test.ts'
import { PolicyBook } from './policy-book.ts'

const rules = (version: string, settled = 3): Policy => ({
  version,
  chains: {
    local: {
      ...{ settled, final: 'finalized', quorum: 1 },
      tiers: {
        USDC: [
          { upTo: '100', settled: 1 },
          { upTo: null, settled },
        ],
      },
    },
  },
})

describe('PolicyBook', () => {
  it('stores its policies when it opens, and still knows them when the program no longer has them', async () => {
    const under = await storeUnderTest()
    const { policies } = under.open()
    const first = await PolicyBook.open(policies, { builtIn: [], current: rules('cfg-1') })
    const next = await PolicyBook.open(under.open().policies, {
      ...{ builtIn: [rules('sandbox-1')], current: rules('cfg-2', 12) },
    })
    expect(next.current.version).toBe('cfg-2')
    expect(next.policyOf('cfg-1')).toEqual(rules('cfg-1'))
    expect(next.policyOf('sandbox-1')).toEqual(rules('sandbox-1'))
    // The other process decides under a policy that was added after this one had started.
    expect(() => first.policyOf('cfg-2')).toThrow('cfg-2')
    await first.learn(['cfg-2'])
    expect(first.policyOf('cfg-2')).toEqual(rules('cfg-2', 12))
    await expect(first.learn(['cfg-3'])).rejects.toMatchObject({ code: 'internal' })
    await under.close()
  })

  it('refuses a version that is already stored with other rules', async () => {
    const under = await storeUnderTest()
    const { policies } = under.open()
    await policies.keep(rules('cfg-1'))
    await policies.keep(rules('cfg-1'))
    await expect(policies.keep(rules('cfg-1', 4))).rejects.toMatchObject({ code: 'invalid_config' })
    expect(await policies.all()).toEqual([rules('cfg-1')])
    await under.close()
  })
})
