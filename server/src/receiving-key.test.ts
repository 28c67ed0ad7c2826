import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { Failure } from '@settlewire/core/errors'
import { mnemonicToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { depositAddress } from './chain/evm/deposit-address.ts'
import { checksummed } from './evm-address.ts'
import { receivingKey } from './receiving-key.ts'

const live = { livemode: true }
const test = { livemode: false }
const mnemonic = 'test test test test test test test test test test test junk'
const seed = mnemonicToSeedSync(mnemonic)
const testnet = { private: 0x04358394, public: 0x043587cf }
const at = (path: string) => HDKey.fromMasterSeed(seed).derive(path)
const account = at("m/44'/60'/0'")
const addresses = at("m/44'/60'/0'/0")

/** BIP-32, test vector 1: m/0H/1/2H (depth 3), m/0H/1/2H/2 (depth 4) and their neighbours. */
const published = {
  master:
    'xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8',
  depth1:
    'xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw',
  depth2:
    'xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ',
  depth3:
    'xpub6D4BDPcP2GT577Vvch3R8wDkScZWzQzMMUm3PWbmWvVJrZwQY4VUNgqFJPMM3No2dFDFGTsxxpG5uJh7n7epu4trkrX7x7DogT5Uv6fcLW5',
  depth4:
    'xpub6FHa3pjLCk84BayeJxFW2SP4XRrFd1JYnxeLeU8EqN3vDfZmbqBqaGJAyiLjTAwm6ZLRQUMv1ZACTj37sR62cfN7fe5JnJ7dh8zL4fiyLHV',
  depth5:
    'xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy',
  private:
    'xprv9z4pot5VBttmtdRTWfWQmoH1taj2axGVzFqSb8C9xaxKymcFzXBDptWmT7FwuEzG3ryjH4ktypQSAewRiNMjANTtpgP4mLTj34bhnZX7UiM',
}

function refusalOf(text: string, use = live): string {
  try {
    receivingKey(text, use)
  } catch (error) {
    expect(error).toBeInstanceOf(Failure)
    expect(error).toMatchObject({ code: 'merchant_cannot_receive' })
    return String((error as Failure).message) // as the line above has it
  }
  throw new Error('the key was accepted')
}

describe('a receiving key', () => {
  it('from the key of an account is its child 0, so its addresses match the wallet', () => {
    const key = receivingKey(account.publicExtendedKey, live)
    for (const index of [0, 1, 7]) {
      const wallet = mnemonicToAccount(mnemonic, { addressIndex: index }).address
      expect(checksummed(depositAddress(key, index))).toBe(wallet)
    }
  })

  it('at depth 4 is used unchanged, and equals the one derived from its account', () => {
    const key = receivingKey(addresses.publicExtendedKey, live)
    expect(depositAddress(key, 3)).toBe(depositAddress(addresses.publicExtendedKey, 3))
    expect(key).toBe(receivingKey(account.publicExtendedKey, live))
    expect(receivingKey(key, live)).toBe(key)
  })

  it('is the same text whether or not the wallet wrote its parent and index', () => {
    const { publicKey, chainCode } = addresses
    if (publicKey === null || chainCode === null) throw new Error('a derived key has both')
    const bare = new HDKey({ depth: 4, publicKey, chainCode, versions: testnet })
    expect(bare.publicExtendedKey).toMatch(/^tpub/)
    expect(receivingKey(` ${bare.publicExtendedKey}\n`, test)).toBe(
      receivingKey(addresses.publicExtendedKey, test),
    )
  })

  it('follows the published vectors of BIP-32', () => {
    const ofAccount = receivingKey(published.depth3, live)
    const child = HDKey.fromExtendedKey(published.depth3).deriveChild(0)
    expect(depositAddress(ofAccount, 0)).toBe(depositAddress(child.publicExtendedKey, 0))
    const asItIs = receivingKey(published.depth4, live)
    // Its child 1000000000 is the next key of the test vector.
    const next = HDKey.fromExtendedKey(published.depth5).publicKey
    expect(HDKey.fromExtendedKey(asItIs).deriveChild(1_000_000_000).publicKey).toEqual(next)
  })

  it.each([
    ['master', 'depth 0, like the master key of a wallet'],
    ['depth1', 'depth 1, above any account'],
    ['depth2', 'depth 2, above any account'],
    ['depth5', 'depth 5, like the key of a single address'],
  ] as const)(
    'cannot be made of the key "%s", and the refusal says what to export',
    (name, words) => {
      const refusal = refusalOf(published[name])
      expect(refusal).toContain(words)
      expect(refusal).toContain("Export the key of an account (m/44'/60'/0', depth 3)")
    },
  )

  it.each([
    ['of the main network', published.private],
    [
      'of a test network',
      new HDKey({
        ...account,
        privateKey: account.privateKey ?? new Uint8Array(),
        chainCode: account.chainCode ?? new Uint8Array(),
        depth: 3,
        index: account.index,
        parentFingerprint: account.parentFingerprint,
        versions: testnet,
      }).privateExtendedKey,
    ],
    ['with a mistyped letter', `${published.private.slice(0, -1)}X`],
  ])('is never a private key %s, and the refusal does not repeat it', (_, text) => {
    const refusal = refusalOf(text)
    expect(refusal).toContain(`private extended key (${text.slice(0, 4)})`)
    expect(refusal).not.toContain(text.slice(4, 20))
  })

  it('of a test network is accepted only for test money', () => {
    const { publicKey, chainCode } = account
    if (publicKey === null || chainCode === null) throw new Error('a derived key has both')
    const text = new HDKey({ depth: 3, publicKey, chainCode, versions: testnet }).publicExtendedKey
    expect(refusalOf(text, live)).toContain('For real money register the xpub')
    expect(receivingKey(text, test)).toBe(receivingKey(account.publicExtendedKey, test))
  })

  it('cannot be a key for Bitcoin', () => {
    const zpub = { private: 0x04b2430c, public: 0x04b24746 }
    const { publicKey, chainCode } = account
    if (publicKey === null || chainCode === null) throw new Error('a derived key has both')
    const text = new HDKey({ depth: 3, publicKey, chainCode, versions: zpub }).publicExtendedKey
    expect(refusalOf(text)).toContain('Bitcoin addresses (zpub)')
  })

  it.each([
    '',
    'xpub',
    'hello',
    published.depth4.slice(0, -1),
    `${published.depth4.slice(0, -1)}X`,
  ])('cannot be read from %j', (text) => {
    expect(refusalOf(text)).toContain('not an extended public key')
  })
})
