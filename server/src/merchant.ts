/**
 * `npm run merchant -- create --name … --xpub … [--live]`: who is paid, and the key to ask with.
 * For installations without a sandbox; the sandbox comes with a merchant of its own.
 */
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { makeId } from '@settlewire/core/id'
import { textProblem } from '@settlewire/core/plain-text'
import type { Directory, Keys } from './access.ts'
import { depositAddress } from './chain/evm/deposit-address.ts'
import { systemClock } from './clock.ts'
import { readCommandLine } from './command-line.ts'
import { openGround } from './compose/ground.ts'
import { prepareHome } from './compose/home.ts'
import { type Config, readConfig } from './config.ts'
import { hashKey, mintKey } from './credential.ts'
import { checksummed } from './evm-address.ts'
import { createLog } from './log.ts'
import { checkPepper, readPepper } from './pepper.ts'
import type { Clock } from './ports.ts'
import { complaint } from './program.ts'
import { receivingKey } from './receiving-key.ts'
import { migrate } from './store/migrate.ts'
import { openStore } from './store/open.ts'

/** The directory of the project. */
const root = join(import.meta.dirname, '../..')

const usage = `
  npm run merchant -- create --name <name> --xpub <xpub> [--live]

  --name   how payers know the merchant
  --xpub   the extended public key of a wallet's account (m/44'/60'/0'), or that of its addresses
           (m/44'/60'/0'/0). Watch-only: nothing here can spend.
  --live   for real money; without it the key asks for test payments only

The secret key is printed once and kept nowhere. Without DATABASE_URL the server must be stopped.
`

/** What was asked for. */
export interface NewMerchant {
  readonly name: string
  /** The key whose children are the addresses. */
  readonly xpub: string
  readonly livemode: boolean
}

/** Reads the command line. Throws `invalid_request` with what is wrong, null for a plain question. */
export function readArguments(args: readonly string[]): NewMerchant | null {
  const parsed = parse(args)
  const [command, ...more] = parsed.positionals
  if (command === undefined || command === 'help' || parsed.values.help) return null
  if (command !== 'create' || more.length > 0) throw new Failure('invalid_request', 'Only create.')
  const { name = '', xpub = '', live = false } = parsed.values
  if (name.trim() === '' || name.length > 100) {
    throw new Failure('invalid_request', '--name takes 1 to 100 characters.')
  }
  const problem = textProblem(name)
  if (problem !== null) throw new Failure('invalid_request', `--name: ${problem}`)
  return {
    name: name.normalize('NFC'),
    xpub: receivingKey(xpub, { livemode: live }),
    livemode: live,
  }
}

const parse = (args: readonly string[]) =>
  readCommandLine({
    args: [...args],
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      xpub: { type: 'string' },
      live: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })

/** Registers a merchant with one secret key. What it resolves with is the only time the key is seen. */
export async function addMerchant(
  { name, xpub, livemode }: NewMerchant,
  parts: {
    readonly directory: Directory
    readonly keys: Keys
    readonly clock: Clock
    readonly pepper: Uint8Array
  },
): Promise<{ merchantId: string; secretKey: string }> {
  const { directory, keys, clock, pepper } = parts
  const merchantId = makeId('mer', clock.now(), clock.random(10))
  const { key, prefix } = mintKey('secret', livemode, clock)
  const createdAt = clock.now()
  await directory.addMerchant({ id: merchantId, name, xpub, takesLive: livemode, createdAt })
  const id = makeId('key', clock.now(), clock.random(10))
  const owner = { id, merchantId, livemode, kind: 'secret', scopes: [] } as const
  await keys.add({ ...owner, prefix, createdAt }, hashKey(pepper, key))
  return { merchantId, secretKey: key }
}

/** On the database of this installation, started for as long as it takes where it is the embedded one. */
async function register(asked: NewMerchant, config: Config): Promise<string> {
  const clock = systemClock
  const log = createLog({ level: 'error', clock })
  const closers: (() => unknown)[] = []
  try {
    prepareHome(config.home)
    const pepper = readPepper(config.home, clock)
    const onClose = (closer: () => unknown): void => void closers.unshift(closer)
    const ground = { config: { ...config, sandbox: null }, clock, log, onClose }
    // Another program's database needs no lock of ours: the server may be running on it.
    const databaseUrl = config.databaseUrl ?? (await openGround(ground)).databaseUrl
    await migrate(databaseUrl, { log })
    const store = openStore({ url: databaseUrl, clock, log })
    onClose(() => store.close())
    await checkPepper(pepper, { ...config, ...store })
    const made = await addMerchant(asked, { ...store, clock, pepper })
    return report(asked, made)
  } finally {
    for (const closer of closers) await closer()
  }
}

function report(
  { name, xpub, livemode }: NewMerchant,
  { merchantId, secretKey }: { merchantId: string; secretKey: string },
): string {
  const addresses = [0, 1].map((index) => checksummed(depositAddress(xpub, index)))
  return `
  ${name} is registered, for ${livemode ? 'real' : 'test'} money.

  Merchant    ${merchantId}
  Secret key  ${secretKey}
  Address 0   ${addresses[0]}
  Address 1   ${addresses[1]}

  Keep the key now: it is shown this once. Check that these are the first two addresses of your
  wallet; if not, the key is that of another account. Addresses of requests that were never paid
  leave gaps: a wallet that is to find all money must look further than the usual 20 (gap limit).
`
}

async function main(args: readonly string[]): Promise<void> {
  try {
    const asked = readArguments(args)
    if (asked === null) process.stdout.write(usage)
    else process.stdout.write(await register(asked, readConfig(root)))
  } catch (error) {
    const isMisuse = error instanceof Failure && error.code === 'invalid_request'
    process.stderr.write(isMisuse ? `\n${error.message}\n${usage}` : complaint(error, 'do that'))
    process.exitCode = 1
  }
}

if (import.meta.main) await main(process.argv.slice(2))
