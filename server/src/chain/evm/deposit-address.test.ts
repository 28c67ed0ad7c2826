import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { Failure } from '@settlewire/core/errors'
import { mnemonicToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { checksummed } from '../../evm-address.ts'
import { depositAddress } from './deposit-address.ts'

const mnemonic = 'test test test test test test test test test test test junk'
const account = HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic)).derive("m/44'/60'/0'/0")
const xpub = account.publicExtendedKey

/** BIP-32, test vector 2, chain m and m/0. */
const vectorXpub =
  'xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB'
const vectorChild =
  'xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH'

describe('deposit addresses', () => {
  it('match the addresses that a wallet derives from the same seed', () => {
    for (const index of [0, 1, 2, 9, 1_000, 2 ** 31 - 1]) {
      const wallet = mnemonicToAccount(mnemonic, { addressIndex: index }).address
      expect(depositAddress(xpub, index)).toBe(wallet.toLowerCase())
      expect(checksummed(depositAddress(xpub, index))).toBe(wallet)
    }
  })

  it("match the well-known accounts of the development network's seed", () => {
    expect(checksummed(depositAddress(xpub, 0))).toBe('0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266')
    expect(checksummed(depositAddress(xpub, 1))).toBe('0x70997970C51812dc3A010C7d01b50e0d17dc79C8')
  })

  it('follow the published vectors of BIP-32', () => {
    const child = HDKey.fromExtendedKey(vectorXpub).deriveChild(0)
    expect(child.publicExtendedKey).toBe(vectorChild)
    expect(depositAddress(vectorXpub, 0)).toMatch(/^0x[0-9a-f]{40}$/)
  })

  it('differ for every index', () => {
    const some = Array.from({ length: 50 }, (_, index) => depositAddress(xpub, index))
    expect(new Set(some).size).toBe(50)
  })

  it('are refused for a private key, and the error does not contain the key', () => {
    const xprv = account.privateExtendedKey
    let refusal: unknown
    try {
      depositAddress(xprv, 0)
    } catch (error) {
      refusal = error
    }
    expect(refusal).toBeInstanceOf(Failure)
    expect(refusal).toMatchObject({ code: 'merchant_cannot_receive' })
    expect(String(refusal)).toContain('xprv')
    expect(String(refusal)).not.toContain(xprv.slice(4))
  })

  it.each(['', 'xpub', 'hello', vectorXpub.slice(0, -1), `${vectorXpub.slice(0, -1)}C`])(
    'are refused for the invalid key %j',
    (text) => {
      expect(() => depositAddress(text, 0)).toThrow('not an extended public key')
    },
  )

  it.each([-1, 0.5, Number.NaN, 2 ** 31])('are refused for the invalid index %d', (index) => {
    expect(() => depositAddress(xpub, index)).toThrow(Failure)
  })
})
