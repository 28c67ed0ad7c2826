import { HDKey } from '@scure/bip32'
import { Failure } from '@settlewire/core/errors'

/** Levels below the master key, as BIP-44 names them: m / 44' / coin' / account' / chain / address. */
const accountDepth = 3
const chainDepth = 4
/** Children of this one are the addresses that a wallet shows to whoever wants to pay it. */
const receivingChain = 0

/** What an extended key begins with, whatever it was made for. Only `xpub` and `tpub` are for us. */
const anyExtendedKey = /^[xtyzuv](prv|pub)/i

/** The bytes that BIP-32 puts in front of a serialised key, which base58 shows as these letters. */
const versionsOf: Readonly<Record<string, { readonly private: number; readonly public: number }>> =
  {
    xpub: { private: 0x0488ade4, public: 0x0488b21e },
    tpub: { private: 0x04358394, public: 0x043587cf },
  }

/** What a merchant may be registered for. */
export interface KeyUse {
  readonly livemode: boolean
}

/**
 * The extended public key whose children are a merchant's deposit addresses, from what the merchant
 * has exported: the key of an account (m/44'/60'/0'), of which it is the child 0, or this key
 * itself (m/44'/60'/0'/0). Its text says nothing but the key, so the same key reads the same
 * whichever wallet has written it. Throws `merchant_cannot_receive`, with what to do instead.
 */
export function receivingKey(text: string, { livemode }: KeyUse): string {
  const kind = kindOf(text.trim())
  if (kind === 'tpub' && livemode) {
    throw refused(
      'This is the key of a test network (tpub). For real money register the xpub of the wallet.',
    )
  }
  const key = parse(text.trim(), kind)
  if (key.depth === accountDepth) return textOf(key.deriveChild(receivingChain))
  if (key.depth === chainDepth) return textOf(key)
  throw refused(
    `This extended public key stands at depth ${key.depth}, ${placeOf(key.depth)}. Export the key of an account (m/44'/60'/0', depth 3), or that of its addresses (m/44'/60'/0'/0, depth 4).`,
  )
}

/** A receiving key as it was registered. Throws `merchant_cannot_receive` for anything else. */
export function parseReceivingKey(text: string): HDKey {
  return parse(text, kindOf(text))
}

/** By its first letters, before anything is decoded: a private key must not get any further. */
function kindOf(text: string): string {
  const kind = text.slice(0, 4)
  if (anyExtendedKey.test(kind) && kind.slice(1).toLowerCase() === 'prv') {
    throw refused(
      `This is a private extended key (${kind}). Register the public one (xpub): no spending key is ever kept here. Treat the key you sent as exposed.`,
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
    // The cause is left behind on purpose: it may quote the key.
    throw notAnXpub()
  }
}

/** Parent and place are left out: some wallets write them and some do not. */
function textOf({ publicKey, chainCode }: HDKey): string {
  if (publicKey === null || chainCode === null) throw notAnXpub()
  return new HDKey({ depth: chainDepth, publicKey, chainCode }).publicExtendedKey
}

function placeOf(depth: number): string {
  if (depth === 0) return 'as the master key of a wallet does'
  return depth < accountDepth ? 'above any account' : 'as the key of a single address does'
}

const refused = (detail: string): Failure => new Failure('merchant_cannot_receive', detail)

const notAnXpub = (): Failure => refused('This is not an extended public key (xpub).')
