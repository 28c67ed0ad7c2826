import { ECDH } from 'node:crypto'
import type { HDKey } from '@scure/bip32'
import { assert } from '@settlewire/core/assert'
import { Failure } from '@settlewire/core/errors'
import { LRUCache } from 'lru-cache'
import { keccak256 } from '../../evm-address.ts'
import { parseReceivingKey } from '../../receiving-key.ts'

/** Children from here on are hardened: they need the private key, which the server never has. */
const hardenedFrom = 2 ** 31

/** Parsing a key takes a fifth of the time of deriving an address. */
const keys = new LRUCache<string, HDKey>({
  max: 1_000,
  memoMethod: (xpub) => parseReceivingKey(xpub),
})

/**
 * The address of one deposit index, in lower case: child `index` of the merchant's extended public
 * key, derived by BIP-32. Watch-only: no key that could spend is known or accepted. One address
 * serves every EVM chain. Throws `merchant_cannot_receive` for an invalid key, or for an index that
 * it does not have.
 */
export function depositAddress(xpub: string, index: number): string {
  if (!Number.isInteger(index) || index < 0 || index >= hardenedFrom) {
    throw new Failure('merchant_cannot_receive', 'This key has no more addresses.')
  }
  const child = keys.memo(xpub).deriveChild(index)
  assert(child.publicKey !== null, 'a child of a public key has a public key')
  return addressOf(child.publicKey)
}

/** The last 20 bytes of the hash of the uncompressed point, without its leading 0x04. */
function addressOf(compressed: Uint8Array): string {
  const point = ECDH.convertKey(compressed, 'secp256k1', undefined, undefined, 'uncompressed')
  assert(typeof point !== 'string', 'without an encoding a point is bytes')
  return `0x${Buffer.from(keccak256(point.subarray(1)).subarray(-20)).toString('hex')}`
}
