import { HDKey } from '@scure/bip32'
import { Failure } from '@settlewire/core/errors'

/**
 * Levels below the master key (BIP-44): m / 44' / coin' / account' / branch / address. BIP-44 calls
 * a branch a chain; here a chain is a network.
 */
const accountDepth = 3
const branchDepth = 4
/** The branch whose children are the addresses that a wallet shows for receiving. */
const receivingBranch = 0

/** The beginning of any extended key. Only `xpub` and `tpub` are accepted here. */
const anyExtendedKey = /^[xtyzuv](prv|pub)/i

/** BIP-32 version bytes in front of a serialised key, by the letters that they become in base58. */
const versionsOf: Readonly<Record<string, { readonly private: number; readonly public: number }>> =
  {
    xpub: { private: 0x0488ade4, public: 0x0488b21e },
    tpub: { private: 0x04358394, public: 0x043587cf },
  }

/** Whether a merchant is registered for real money. */
export interface KeyUse {
  readonly livemode: boolean
}

/**
 * The extended public key whose children are a merchant's deposit addresses. A merchant may export
 * this key itself (m/44'/60'/0'/0), or the key of an account (m/44'/60'/0'): then it is child 0 of
 * that key. The returned text is the same for every wallet that exports the key. Throws
 * `merchant_cannot_receive` for any other text.
 */
export function receivingKey(text: string, { livemode }: KeyUse): string {
  const kind = kindOf(text.trim())
  if (kind === 'tpub' && livemode) {
    throw refused(
      'This is the key of a test network (tpub). For real money register the xpub of the wallet.',
    )
  }
  const key = parse(text.trim(), kind)
  if (key.depth === accountDepth) return textOf(key.deriveChild(receivingBranch))
  if (key.depth === branchDepth) return textOf(key)
  throw refused(
    `This extended public key has depth ${key.depth}, ${placeOf(key.depth)}. Export the key of an account (m/44'/60'/0', depth 3), or that of its addresses (m/44'/60'/0'/0, depth 4).`,
  )
}

/** Parses a registered receiving key. Throws `merchant_cannot_receive` for anything else. */
export function parseReceivingKey(text: string): HDKey {
  return parse(text, kindOf(text))
}

/** Reads the kind from the first letters. So a private key is refused before it is decoded. */
function kindOf(text: string): string {
  const kind = text.slice(0, 4)
  if (anyExtendedKey.test(kind) && kind.slice(1).toLowerCase() === 'prv') {
    throw refused(
      `This is a private extended key (${kind}). Register the public key (xpub): this server never stores spending keys. Treat the key you sent as exposed.`,
    )
  }
  if (anyExtendedKey.test(kind) && versionsOf[kind] === undefined) {
    throw refused(
      `This is a key for Bitcoin addresses (${kind}). Export the xpub of the wallet's Ethereum account.`,
    )
  }
  return kind
}

function parse(text: string, kind: string): HDKey {
  const versions = versionsOf[kind]
  if (versions === undefined) throw notAnXpub()
  try {
    return HDKey.fromExtendedKey(text, versions)
  } catch {
    // The cause is dropped on purpose: it may quote the key.
    throw notAnXpub()
  }
}

/** Omits the parent fingerprint and the index, because only some wallets write them. */
function textOf({ publicKey, chainCode }: HDKey): string {
  if (publicKey === null || chainCode === null) throw notAnXpub()
  return new HDKey({ depth: branchDepth, publicKey, chainCode }).publicExtendedKey
}

function placeOf(depth: number): string {
  if (depth === 0) return 'like the master key of a wallet'
  return depth < accountDepth ? 'above any account' : 'like the key of a single address'
}

const refused = (detail: string): Failure => new Failure('merchant_cannot_receive', detail)

const notAnXpub = (): Failure => refused('This is not an extended public key (xpub).')
