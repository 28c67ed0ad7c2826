import { keccak_256 } from '@noble/hashes/sha3.js'

/** Keccak-256 as EVM chains use it: with the padding before the SHA-3 standard. */
export const keccak256 = (bytes: Uint8Array): Uint8Array => keccak_256(bytes)

/** Writes an address with the EIP-55 checksum, like wallets do. */
export function checksummed(address: string): string {
  const digits = address.slice(2).toLowerCase()
  const hash = Buffer.from(keccak256(Buffer.from(digits, 'ascii'))).toString('hex')
  const cased = Array.from(digits, (digit, at) =>
    Number.parseInt(hash.charAt(at), 16) >= 8 ? digit.toUpperCase() : digit,
  )
  return `0x${cased.join('')}`
}

/** Whether an address has no checksum (all lower case), or the right one. */
export const hasGoodChecksum = (address: string): boolean =>
  address === address.toLowerCase() || address === checksummed(address)
