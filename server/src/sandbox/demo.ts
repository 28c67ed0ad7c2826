import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HDKey } from '@scure/bip32'
import { generateMnemonic, mnemonicToSeedSync } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { Failure } from '@settlewire/core/errors'
import { makeId } from '@settlewire/core/id'
import { z } from 'zod'
import { hashKey, mintKey } from '../credential.ts'
import type { Directory, Keys } from '../ports/access.ts'
import type { Clock } from '../ports/clock.ts'
import { receivingKey } from '../receiving-key.ts'
import { writePrivate } from './sandbox-file.ts'

/** The demo merchant of the sandbox. */
export interface Demo {
  readonly merchantId: string
  readonly secretKey: string
  readonly publishableKey: string
}

interface DemoOptions {
  readonly home: string
  readonly directory: Directory
  readonly keys: Keys
  readonly clock: Clock
  /** The pepper with which this installation hashes keys. */
  readonly pepper: Uint8Array
}

const keyForm = z.strictObject({ id: z.string(), key: z.string(), prefix: z.string() })
const fileForm = z.strictObject({
  merchantId: z.string(),
  mnemonic: z.string(),
  secret: keyForm,
  publishable: keyForm,
})
type DemoFile = z.infer<typeof fileForm>

/** The first account of a wallet (BIP-44), so that any wallet finds its addresses. */
const accountPath = "m/44'/60'/0'"

/**
 * The demo merchant with its keys, the same at every start. Created at the first start and stored
 * in `demo.json` in the data directory, readable only by its owner: only this file has the mnemonic
 * that can spend the demo merchant's money. The database gets the watch-only xpub and hashes of the
 * keys; a new database gets them again.
 */
export async function demoMerchant(options: DemoOptions): Promise<Demo> {
  const { directory, clock } = options
  const file = readOrMake(join(options.home, 'demo.json'), clock)
  if ((await directory.merchant(file.merchantId)) === null) {
    const xpub = xpubOf(file.mnemonic)
    const createdAt = clock.now()
    await directory.addMerchant({ id: file.merchantId, name: 'Tidewater', xpub, createdAt })
  }
  await addKey('secret', file, options)
  await addKey('publishable', file, options)
  return {
    merchantId: file.merchantId,
    secretKey: file.secret.key,
    publishableKey: file.publishable.key,
  }
}

/** The watch-only xpub of the wallet: it derives addresses but cannot spend. */
export const xpubOf = (mnemonic: string): string =>
  receivingKey(
    HDKey.fromMasterSeed(mnemonicToSeedSync(mnemonic)).derive(accountPath).publicExtendedKey,
    { livemode: false },
  )

async function addKey(
  kind: 'secret' | 'publishable',
  file: DemoFile,
  { keys, clock, pepper }: DemoOptions,
): Promise<void> {
  const { id, key, prefix } = file[kind]
  const hash = hashKey(pepper, key)
  if ((await keys.byHash(hash)) !== null) return
  const owner = { merchantId: file.merchantId, livemode: false, scopes: [] }
  const names = { name: `demo ${kind}`, prefix, createdAt: clock.now() }
  await keys.add({ id, kind, ...owner, ...names }, hash)
}

function readOrMake(path: string, clock: Clock): DemoFile {
  if (existsSync(path)) {
    const parsed = fileForm.safeParse(parse(readFileSync(path, 'utf8')))
    if (parsed.success) return parsed.data
    throw new Failure('invalid_config', `${path} is damaged. Remove it to get a new demo merchant.`)
  }
  const keyOf = (kind: 'secret' | 'publishable'): z.infer<typeof keyForm> => ({
    id: makeId('key', clock.now(), clock.random(10)),
    ...mintKey(kind, false, clock),
  })
  const file: DemoFile = {
    merchantId: makeId('mer', clock.now(), clock.random(10)),
    mnemonic: generateMnemonic(wordlist),
    secret: keyOf('secret'),
    publishable: keyOf('publishable'),
  }
  // Written before the database refers to it: the database only has a hash of the key.
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
