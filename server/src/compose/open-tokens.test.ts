import type { Acceptance } from '@settlewire/core/payment'
import { describe, expect, it } from 'vitest'
import type { Watched } from '../ports.ts'
import { withOpenTokens } from './chains.ts'
import { openTokens } from './open-tokens.ts'

const payment = (number: number, accept: readonly Partial<Acceptance>[]): Watched => ({
  paymentId: `pi_${String(number).padStart(26, '0')}`,
  livemode: false,
  // Nothing else of it is looked at.
  accept: accept as Acceptance[],
})

const storeOf = (payments: readonly Watched[]) => ({
  watched: async (after: string, limit: number) =>
    payments.filter(({ paymentId }) => paymentId > after).slice(0, limit),
})

describe('tokens that open payments are paid in', () => {
  it('are found on every page, by chain, and the native coin is none', async () => {
    const many = Array.from({ length: 2_500 }, (_, i) =>
      payment(i, [
        { chain: 'a', token: '0xAA' },
        { chain: 'b', token: null },
      ]),
    )
    const last = payment(9_999, [{ chain: 'b', token: '0xbb' }])
    expect(await openTokens(storeOf([...many, last]))).toEqual(
      new Map([
        ['a', new Set(['0xaa'])],
        ['b', new Set(['0xbb'])],
      ]),
    )
    expect(await openTokens(storeOf([]))).toEqual(new Map())
  })

  it('are looked for although the configuration names them no longer', () => {
    const chain = { name: 'a', tokens: ['0xAA'] }
    const open = new Map([['a', new Set(['0xaa', '0xcc'])]])
    expect(withOpenTokens(chain, open)).toEqual({ name: 'a', tokens: ['0xAA', '0xcc'] })
    expect(withOpenTokens(chain, new Map())).toEqual(chain)
  })
})
