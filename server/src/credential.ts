/**
 * Creates and recognises the secrets of clients. Keys are random and stored as an HMAC; client
 * secrets and checkout tokens are derived and not stored.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { isId } from '@settlewire/core/id'
import type { KeyKind } from './ports/access.ts'
import type { Clock } from './ports/clock.ts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const keyLength = 32
const prefixShown = 4
const kindLetters = { secret: 'sk', restricted: 'rk', publishable: 'pk' } as const
const keyForm = /^(sk|rk|pk)_(test|live)_[0-9A-Za-z]{32}$/

/** Names of the installation's secrets in `Directory.secret`. */
export const secretNames = { clientSecret: 'client-secret', checkout: 'checkout' } as const

/**
 * Creates a key: `sk_test_` and 190 random bits. Show it once; store `hashKey` of it and `prefix`.
 */
export function mintKey(
  kind: KeyKind,
  livemode: boolean,
  clock: Pick<Clock, 'random'>,
): { key: string; prefix: string } {
  const head = `${kindLetters[kind]}_${livemode ? 'live' : 'test'}_`
  let tail = ''
  while (tail.length < keyLength) {
    // Bytes from 248 (4 × 62) on are skipped, so that all characters are equally likely.
    for (const byte of clock.random(keyLength)) if (byte < 248) tail += alphabet.charAt(byte % 62)
  }
  return { key: head + tail.slice(0, keyLength), prefix: head + tail.slice(0, prefixShown) }
}

/** The kind and mode of a key by its form alone; null if malformed. The key may not exist. */
export function keyShape(text: string): { kind: KeyKind; livemode: boolean } | null {
  const [, letters, mode] = keyForm.exec(text) ?? []
  if (letters === undefined) return null
  const kind = letters === 'sk' ? 'secret' : letters === 'rk' ? 'restricted' : 'publishable'
  return { kind, livemode: mode === 'live' }
}

/** The stored hash of a key. The pepper is not in the database, so a stolen table is useless. */
export const hashKey = (pepper: Uint8Array, key: string): Uint8Array =>
  new Uint8Array(createHmac('sha256', pepper).update(key).digest())

/** The client secret of a payment. Any client that has it may read the payment and claim. */
export const clientSecretOf = (secret: Uint8Array, paymentId: string): string =>
  `${paymentId}_secret_${derive(secret, paymentId, 24)}`

/** The unguessable part of a checkout URL. */
export const checkoutTokenOf = (secret: Uint8Array, paymentId: string): string =>
  derive(secret, paymentId, 16)

/** The payment id in a client secret, unverified; null if the text is not a client secret. */
export function claimedPayment(clientSecret: string): string | null {
  const id = clientSecret.slice(0, 29)
  return isId('pi', id) && clientSecret.startsWith('_secret_', 29) ? id : null
}

/** Compares in constant time, so that the time does not reveal where they differ. */
export function sameSecret(given: string, expected: string): boolean {
  const a = Buffer.from(given)
  const b = Buffer.from(expected)
  return a.length === b.length && timingSafeEqual(a, b)
}

const derive = (secret: Uint8Array, text: string, bytes: number): string =>
  createHmac('sha256', secret).update(text).digest().subarray(0, bytes).toString('base64url')
