import { expect, it } from 'vitest'
import { opened } from '../../../test/support/payments.ts'
import { PaymentCache } from './payment-cache.ts'

const named = (id: string) => ({ ...opened().payment, id })

it('forgets the payment that was unused for longest, never more than it must', () => {
  const cache = new PaymentCache(2)
  cache.set(named('a'))
  cache.set(named('b'))
  expect(cache.get('a')?.id).toBe('a')
  cache.set(named('c'))
  expect(cache.get('b')).toBeNull()
  expect(cache.get('a')?.id).toBe('a')
  expect(cache.get('c')?.id).toBe('c')
  expect(cache.size).toBe(2)
})

it('keeps the last state of a payment that is set twice', () => {
  const cache = new PaymentCache(2)
  cache.set(named('a'))
  cache.set({ ...named('a'), sequence: 9 })
  expect(cache.get('a')?.sequence).toBe(9)
  cache.drop('a')
  expect(cache.get('a')).toBeNull()
})
