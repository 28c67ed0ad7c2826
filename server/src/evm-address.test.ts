import fc from 'fast-check'
import { bytesToHex, getAddress, isAddress, keccak256 as theirs } from 'viem/utils'
import { describe, expect, it } from 'vitest'
import { checksummed, hasGoodChecksum, keccak256 } from './evm-address.ts'

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`
const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(hex)

describe('EVM addresses', () => {
  it('are hashed and checksummed like in viem', () => {
    fc.assert(
      fc.property(address, fc.uint8Array({ maxLength: 300 }), (lower, bytes) => {
        expect(checksummed(lower)).toBe(getAddress(lower))
        expect(hex(keccak256(bytes))).toBe(theirs(bytesToHex(bytes)))
      }),
    )
  })

  it('are valid without a checksum or with the right one, but not with one letter changed', () => {
    fc.assert(
      fc.property(address, fc.nat({ max: 39 }), (lower, at) => {
        const written = checksummed(lower)
        const digit = written.charAt(2 + at)
        const turned = digit === digit.toLowerCase() ? digit.toUpperCase() : digit.toLowerCase()
        const other = written.slice(0, 2 + at) + turned + written.slice(3 + at)
        for (const one of [lower, written, other]) {
          expect(hasGoodChecksum(one)).toBe(isAddress(one))
        }
      }),
    )
  })
})
