import { describe, expect, it } from 'vitest'
import { systemClock } from './clock.ts'
import {
  checkoutTokenOf,
  claimedPayment,
  clientSecretOf,
  hashKey,
  keyShape,
  mintKey,
  sameSecret,
} from './credential.ts'

const paymentId = 'pi_01jc5x0000000000000000000a'
const secret = new Uint8Array(32).fill(7)

describe('a key', () => {
  it('has its kind and mode in its text, and a prefix with four characters of the secret', () => {
    const { key, prefix } = mintKey('restricted', true, systemClock)
    expect(key).toMatch(/^rk_live_[0-9A-Za-z]{32}$/)
    expect(key.startsWith(prefix)).toBe(true)
    expect(prefix).toHaveLength('rk_live_'.length + 4)
    expect(keyShape(key)).toEqual({ kind: 'restricted', livemode: true })
  })

  it('has all characters with equal probability', () => {
    const counts = new Map<string, number>()
    for (let i = 0; i < 2_000; i++) {
      const tail = mintKey('secret', false, systemClock).key.slice('sk_test_'.length)
      for (const letter of tail) counts.set(letter, (counts.get(letter) ?? 0) + 1)
    }
    expect(counts.size).toBe(62)
    // 1,032 expected of each, standard deviation 32: ten deviations away would be a bias.
    for (const count of counts.values()) expect(Math.abs(count - 1_032)).toBeLessThan(320)
  })

  it.each([
    'sk_test_short',
    'xk_test_'.padEnd(40, 'a'),
    'sk_prod_'.padEnd(40, 'a'),
    '',
    'sk_test_é',
  ])('does not have the form %j', (text) => expect(keyShape(text)).toBeNull())

  it('has one hash, which depends on the pepper', () => {
    const { key } = mintKey('secret', false, systemClock)
    expect(hashKey(secret, key)).toHaveLength(32)
    expect(hashKey(secret, key)).toEqual(hashKey(secret, key))
    expect(hashKey(secret, key)).not.toEqual(hashKey(new Uint8Array(32), key))
  })
})

describe('a client secret', () => {
  it('contains the id of its payment and differs for each payment', () => {
    const one = clientSecretOf(secret, paymentId)
    expect(one).toMatch(/^pi_01jc5x0000000000000000000a_secret_[\w-]{32}$/)
    expect(claimedPayment(one)).toBe(paymentId)
    expect(clientSecretOf(secret, 'pi_01jc5x0000000000000000000b').slice(37)).not.toBe(
      one.slice(37),
    )
    expect(checkoutTokenOf(secret, paymentId)).toMatch(/^[\w-]{22}$/)
  })

  it.each(['', paymentId, `${paymentId}_SECRET_x`, `mer${paymentId.slice(2)}_secret_x`])(
    'does not have the form %j',
    (text) => expect(claimedPayment(text)).toBeNull(),
  )
})

it('sameSecret compares all bytes of two secrets', () => {
  expect(sameSecret('abc', 'abc')).toBe(true)
  expect(sameSecret('abc', 'abd')).toBe(false)
  expect(sameSecret('abc', 'abcd')).toBe(false)
  expect(sameSecret('é', 'e')).toBe(false)
})
