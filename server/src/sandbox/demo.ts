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

/** The merchant that the sandbox comes with. */
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
  /** What this installation hashes keys with. */
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
 * The demo merchant with its keys, the same at every start. Made at the first one and kept in
 * `demo.json` in the data directory, for its owner's eyes alone: the mnemonic that can spend what
 * the demo merchant is paid is there and nowhere else; the database gets the watch-only half of it,
 * and hashes of the keys. A database that lacks them, being new, is given them again.
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

/** The watch-only half: whoever has it can name addresses, not spend from them. */
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
