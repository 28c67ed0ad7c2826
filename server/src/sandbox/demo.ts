import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HDKey } from '@scure/bip32'
import { generateMnemonic, mnemonicToSeedSync } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { Failure } from '@settlewire/core/errors'
import { makeId } from '@settlewire/core/id'
import { z } from 'zod'
import type { Clock, Directory, KeyKind } from '../ports.ts'
import { writePrivate } from './sandbox-file.ts'

/** The merchant that the sandbox comes with. */
export interface Demo {
  readonly merchantId: string
  readonly secretKey: string
  readonly publishableKey: string
}

const fileForm = z.strictObject({
  merchantId: z.string(),
  mnemonic: z.string(),
  secret: z.strictObject({ id: z.string(), key: z.string() }),
  publishable: z.strictObject({ id: z.string(), key: z.string() }),
})
type DemoFile = z.infer<typeof fileForm>

/** Where the first account of a wallet keeps its addresses (BIP-44), so that any wallet finds them. */
const receivePath = "m/44'/60'/0'/0"

/**
 * The demo merchant with its keys, the same at every start. Made at the first one and kept in
 * `demo.json` in the data directory, for its owner's eyes alone: the mnemonic that can spend what
 * the demo merchant is paid is there and nowhere else; the database gets the watch-only half of it,
 * and hashes of the keys. A database that lacks them, being new, is given them again.
 */
export async function demoMerchant(options: {
  readonly home: string
  readonly directory: Directory
  readonly clock: Clock
  /** HMAC-SHA-256 with the installation's pepper, as authentication looks keys up. */
  readonly hashKey: (key: string) => Uint8Array
}): Promise<Demo> {
  const { directory, clock, hashKey } = options
  const file = readOrMake(join(options.home, 'demo.json'), clock)
  const { merchantId } = file
  if ((await directory.merchant(merchantId)) === null) {
    const xpub = xpubOf(file.mnemonic)
    await directory.addMerchant({ id: merchantId, name: 'Tidewater', xpub, createdAt: clock.now() })
  }
  const add = async (kind: KeyKind, { id, key }: { id: string; key: string }): Promise<void> => {
    const hash = hashKey(key)
    if ((await directory.keyByHash(hash)) !== null) return
    const prefix = key.slice(0, 12)
    const owner = { id, merchantId, livemode: false, kind, scopes: [], prefix }
    await directory.addKey({ ...owner, createdAt: clock.now(), revokedAt: null }, hash)
  }
  await add('secret', file.secret)
  await add('publishable', file.publishable)
  return { merchantId, secretKey: file.secret.key, publishableKey: file.publishable.key }
}

function readOrMake(path: string, clock: Clock): DemoFile {
  if (existsSync(path)) {
    const parsed = fileForm.safeParse(parse(readFileSync(path, 'utf8')))
    if (parsed.success) return parsed.data
    throw new Failure('invalid_config', `${path} is damaged. Remove it to get a new demo merchant.`)
  }
  const id = (prefix: 'mer' | 'key'): string => makeId(prefix, clock.now(), clock.random(10))
  const file: DemoFile = {
    merchantId: id('mer'),
    mnemonic: generateMnemonic(wordlist),
    secret: { id: id('key'), key: `sk_test_${base62(clock, 32)}` },
    publishable: { id: id('key'), key: `pk_test_${base62(clock, 32)}` },
  }
  // On disk before anything refers to it: a key that only the database knows opens nothing.
  writePrivate(path, file)
  return file
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The caller says that the file is damaged.
    return null
  }
}

/** The watch-only half: whoever has it can name addresses, not spend from them. */
export function xpubOf(mnemonic: string): string {
  const key = HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic)).derive(receivePath)
  return key.publicExtendedKey
}

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Every digit equally likely: bytes above the last full round of 62 are thrown away. */
function base62(clock: Clock, length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of clock.random(64)) {
      if (byte < 248 && text.length < length) text += digits.charAt(byte % 62)
    }
  }
  return text
}
