import { failedWith } from '@settlewire/core/errors'
import { describe, expect, it } from 'vitest'
import type { Asset } from './asset.ts'
import { AssetBook } from './asset-book.ts'
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
const book = new AssetBook(assets)
const request = { amount: '150.00', currency: 'USDC', accept: ['USDC.local'] }
const at = Date.UTC(2026, 0, 1)
const address = `0x${'aa'.repeat(20)}`

const refusal = (changes: Partial<Parameters<typeof prepareTerms>[0]>, livemode = false) => {
  try {
    prepareTerms({ ...request, ...changes }, book, livemode)
  } catch (error) {
    return error
  }
  return null
}

describe('the terms of a payment', () => {
  it('are as requested, with half an hour to pay and another day of watching', () => {
    const terms = prepareTerms(request, book, false)(() => address, at)
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

  it('count in the finest unit of the assets, and must be payable exactly in the coarsest', () => {
    const accept = ['USDC.local', 'USDC.fine', 'USDC.local']
    const terms = prepareTerms({ ...request, accept }, book, false)(() => address, at)
    expect(terms.decimals).toBe(18)
    expect(terms.amount).toBe(150n * 10n ** 18n)
    expect(terms.accept.map(({ chain, decimals }) => [chain, decimals])).toEqual([
      ['local', 6],
      ['fine', 18],
    ])
    expect(failedWith(refusal({ accept, amount: '0.0000001' }), 'invalid_amount')).toBe(true)
  })

  it.each([
    ['an asset that is not configured', { accept: ['USDC.moon'] }, 'unsupported_asset'],
    ['an empty list of assets', { accept: [] }, 'unsupported_asset'],
    ['an asset of another currency', { accept: ['USDC.local', 'ETH.local'] }, 'unsupported_asset'],
    ['an asset of the other mode', { accept: ['USDC.main'] }, 'unsupported_asset'],
    ['an amount of zero', { amount: '0.00' }, 'invalid_amount'],
    ['more decimal places than the asset has', { amount: '1.0000000' }, 'invalid_amount'],
    ['an exponent', { amount: '1e3' }, 'invalid_amount'],
    ['an expiry of zero seconds', { expiresIn: 0 }, 'invalid_request'],
    ['an expiry of half a second', { expiresIn: 0.5 }, 'invalid_request'],
    ['an expiry after a year', { expiresIn: 31_536_000 }, 'invalid_request'],
  ] as const)('refuses %s', (_, changes, code) => {
    expect(refusal(changes)).toMatchObject({ code })
  })

  it('exclude test assets from live requests', () => {
    expect(refusal({}, true)).toMatchObject({ code: 'unsupported_asset' })
    expect(refusal({ accept: ['USDC.main'] }, true)).toBeNull()
  })

  it('take the dust limit from the asset, but at most a hundredth of the amount', () => {
    const dusty = new AssetBook([asset({ dust: 10_000n }), asset({ chain: 'fine', decimals: 18 })])
    const accept = ['USDC.local', 'USDC.fine']
    const dustOf = (amount: string) =>
      prepareTerms(
        { ...request, amount, accept },
        dusty,
        false,
      )(() => address, at).accept.map(({ dust }) => dust)
    expect(dustOf('150.00')).toEqual([10_000n, undefined])
    expect(dustOf('0.50')).toEqual([5_000n, undefined])
    expect(dustOf('0.000001')).toEqual([undefined, undefined])
  })

  it('take the tolerance of the strictest asset and the pending time-out of the slowest chain', () => {
    const lenient = asset({ toleranceBps: 50, pendingTtlMs: 60_000 })
    const slow = asset({ chain: 'slow', toleranceBps: 10, pendingTtlMs: 3_600_000 })
    const terms = (accept: string[]) =>
      prepareTerms({ ...request, accept }, new AssetBook([lenient, slow]), false)(() => address, at)
    expect(terms(['USDC.local'])).toMatchObject({ tolerance: 750_000n, pendingTtlMs: 60_000 })
    expect(terms(['USDC.local', 'USDC.slow'])).toMatchObject({
      ...{ tolerance: 150_000n, pendingTtlMs: 3_600_000 },
    })
    expect('pendingTtlMs' in prepareTerms(request, book, false)(() => address, at)).toBe(false)
  })

  it('refuse an asset that its chain contradicts or has not confirmed, and say why', () => {
    const checked = new AssetBook(assets, { kind: 'unchecked' })
    const [usdc, fine] = assets
    const create = () => prepareTerms(request, checked, false)
    expect(create).toThrow('USDC.local is not accepted right now: The server could not check')
    if (usdc === undefined || fine === undefined) throw new Error('unreachable')
    expect(checked.set(usdc, { kind: 'disabled', reason: 'It has 18 decimals, not 6.' })).toBe(true)
    expect(checked.set(usdc, { kind: 'disabled', reason: 'It has 18 decimals, not 6.' })).toBe(
      false,
    )
    expect(create).toThrow('It has 18 decimals, not 6.')
    checked.set(usdc, { kind: 'active' })
    expect(create).not.toThrow()
    expect(checked.offered()).toEqual([usdc])
    const both = { ...request, accept: ['USDC.local', 'USDC.fine'] }
    expect(() => prepareTerms(both, checked, false)).toThrow('USDC.fine is not accepted')
  })
})
