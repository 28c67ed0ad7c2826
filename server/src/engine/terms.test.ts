import { failedWith } from '@settlewire/core/errors'
import { describe, expect, it } from 'vitest'
import type { Asset } from './asset.ts'
import { prepareTerms } from './terms.ts'

const asset = (changes: Partial<Asset>): Asset => ({
  ...{ symbol: 'USDC', currency: 'USDC', chain: 'local', chainId: 31337 },
  ...{ token: `0x${'c0'.repeat(20)}`, decimals: 6, livemode: false },
  ...changes,
})
const assets = [
  asset({}),
  asset({ chain: 'fine', decimals: 18 }),
  asset({ symbol: 'ETH', currency: 'ETH', token: null, decimals: 18 }),
  asset({ chain: 'main', livemode: true }),
]
const request = { amount: '150.00', currency: 'USDC', accept: ['USDC.local'] }
const at = Date.UTC(2026, 0, 1)
const address = `0x${'aa'.repeat(20)}`

const refusal = (changes: Partial<Parameters<typeof prepareTerms>[0]>, livemode = false) => {
  try {
    prepareTerms({ ...request, ...changes }, assets, livemode)
  } catch (error) {
    return error
  }
  return null
}

describe('the terms of a payment', () => {
  it('sets what was asked, with half an hour to pay and a day of watching after it', () => {
    const terms = prepareTerms(request, assets, false)(address, at)
    expect(terms.amount).toBe(150_000_000n)
    expect(terms.accept).toEqual([
      {
        ...{ asset: 'USDC', chain: 'local', chainId: 31337, decimals: 6, address },
        token: assets[0]?.token,
      },
    ])
    expect(terms.expiresAt - at).toBe(1_800_000)
    expect(terms.monitorUntil - terms.expiresAt).toBe(86_400_000)
    expect(terms.metadata).toEqual({})
  })

  it('counts in the finest of its assets, and asks for what the coarsest can pay', () => {
    const accept = ['USDC.local', 'USDC.fine', 'USDC.local']
    const terms = prepareTerms({ ...request, accept }, assets, false)(address, at)
    expect(terms.decimals).toBe(18)
    expect(terms.amount).toBe(150n * 10n ** 18n)
    expect(terms.accept.map(({ chain, decimals }) => [chain, decimals])).toEqual([
      ['local', 6],
      ['fine', 18],
    ])
    expect(failedWith(refusal({ accept, amount: '0.0000001' }), 'invalid_amount')).toBe(true)
  })

  it.each([
    ['an asset nobody configured', { accept: ['USDC.moon'] }, 'unsupported_asset'],
    ['no asset at all', { accept: [] }, 'unsupported_asset'],
    ['an asset of another currency', { accept: ['USDC.local', 'ETH.local'] }, 'unsupported_asset'],
    ['an asset of the other mode', { accept: ['USDC.main'] }, 'unsupported_asset'],
    ['an amount of nothing', { amount: '0.00' }, 'invalid_amount'],
    ['more places than the asset has', { amount: '1.0000000' }, 'invalid_amount'],
    ['an exponent', { amount: '1e3' }, 'invalid_amount'],
    ['a request that ends before it begins', { expiresIn: 0 }, 'invalid_request'],
    ['half a second', { expiresIn: 0.5 }, 'invalid_request'],
    ['a request for a year', { expiresIn: 31_536_000 }, 'invalid_request'],
  ] as const)('refuses %s', (_, changes, code) => {
    expect(refusal(changes)).toMatchObject({ code })
  })

  it('keeps test assets out of live requests', () => {
    expect(refusal({}, true)).toMatchObject({ code: 'unsupported_asset' })
    expect(refusal({ accept: ['USDC.main'] }, true)).toBeNull()
  })
})
