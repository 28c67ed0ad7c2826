import { ECDH } from 'node:crypto'
import { HDKey } from '@scure/bip32'
import { Failure } from '@settlewire/core/errors'
import { bytesToHex, getAddress, keccak256 } from 'viem/utils'

/** Children from here on are hardened: they need the private key, which is never here. */
const hardenedFrom = 2 ** 31

/**
 * The address of one deposit index, in lower case: child `index` of the merchant's extended public
 * key, as BIP-32 derives it. Watch-only: no key that could spend is known or accepted. One address
 * serves every EVM chain. Throws `merchant_cannot_receive` for a key that is not one.
 */
export function depositAddress(xpub: string, index: number): string {
  if (!Number.isInteger(index) || index < 0 || index >= hardenedFrom) {
    throw new Failure('merchant_cannot_receive', 'The addresses of this key are used up.')
  }
  const child = parseXpub(xpub).deriveChild(index)
  if (child.publicKey === null) throw notAnXpub()
  return addressOf(child.publicKey)
}

/** Whether a merchant may be registered with this key. Throws `merchant_cannot_receive` if not. */
export function parseXpub(text: string): HDKey {
  let key: HDKey
  try {
    key = HDKey.fromExtendedKey(text)
  } catch {
    // The cause is left behind on purpose: it may quote the key.
    throw notAnXpub()
  }
  if (key.privateKey !== null) {
    key.wipePrivateData()
    throw new Failure(
      'merchant_cannot_receive',
      'This is a private extended key (xprv). Register the public one (xpub): no spending key is ever kept here. Treat the key you sent as exposed.',
    )
  }
  return key
}

/** With the capitals of EIP-55, as wallets like to show it. */
export const checksummed = (address: string): string => getAddress(address)

/** The last 20 bytes of the hash of the uncompressed point, without its leading 0x04. */
function addressOf(compressed: Uint8Array): string {
  const point = ECDH.convertKey(compressed, 'secp256k1', undefined, undefined, 'uncompressed')
  if (typeof point === 'string') throw notAnXpub()
  return `0x${keccak256(bytesToHex(point.subarray(1))).slice(-40)}`
}

const notAnXpub = (): Failure =>
  new Failure('merchant_cannot_receive', 'This is not an extended public key (xpub).')
