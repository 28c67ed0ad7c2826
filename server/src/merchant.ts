/**
 * `settlewire merchant …`, or `npm run merchant -- …`: manages merchants. It works on the database
 * of the installation without a server, so that it also works before one runs.
 */
import { makeId } from '@settlewire/core/id'
import { depositAddress } from './chain/evm/deposit-address.ts'
import { hashKey, mintKey } from './credential.ts'
import { endProcess } from './end-process.ts'
import { checksummed } from './evm-address.ts'
import { activeKeys, everyMerchant, existing } from './operator/directory.ts'
import type { OperatorPlace } from './operator/place.ts'
import { idOf, required, validName } from './operator/read.ts'
import { runOperator } from './operator/run.ts'
import { columns, fields, keyJson, keyTable, merchantJson, timeOf } from './operator/show.ts'
import type {
  GivenArguments,
  OperatorAnswer,
  OperatorCommand,
  OperatorWork,
} from './operator/subcommand.ts'
import type { ApiKey, Directory, Merchant } from './ports/access.ts'
import type { Clock } from './ports/clock.ts'
import { receivingKey } from './receiving-key.ts'

/** A merchant to register. */
export interface MerchantRequest {
  readonly name: string
  /** The extended public key whose children are the deposit addresses. */
  readonly xpub: string
  readonly livemode: boolean
}

/** `settlewire merchant` with its subcommands. */
export const merchantCommand: OperatorCommand = {
  name: 'merchant',
  does: 'manages merchants',
  subcommands: {
    create: {
      words: [],
      options: {
        name: { takes: 'name', means: 'the name that payers see' },
        xpub: {
          takes: 'xpub',
          means:
            "the extended public key of a wallet's account (m/44'/60'/0'), or of its addresses (m/44'/60'/0'/0)",
        },
        live: { takes: null, means: 'for real money; default: only for test payments' },
      },
      does: 'registers a merchant and prints its secret key; it cannot be printed again',
      begins: true,
      read: create,
    },
    list: { words: [], options: {}, does: 'lists the merchants', read: () => list },
    show: {
      words: ['id'],
      options: {},
      does: 'shows a merchant, its first addresses and its active keys',
      read: (given) => forOne(given, show),
    },
    rename: {
      words: ['id'],
      options: { name: { takes: 'name', means: 'the new name that payers see' } },
      does: 'renames a merchant; checkout pages opened from now on show the new name',
      read: rename,
    },
    disable: {
      words: ['id'],
      options: {},
      does: 'disables all keys of a merchant at once; its payments are still watched to their end',
      read: (given) => forOne(given, disable),
    },
    enable: {
      words: ['id'],
      options: {},
      does: 'enables a disabled merchant: the same keys work again',
      read: (given) => forOne(given, enable),
    },
  },
  notes: 'An xpub is watch-only: it cannot spend money.',
}

const itsXpub =
  'the extended public key of a wallet. How to get one: docs/going-live.md, section 1.'

function create(given: GivenArguments): OperatorWork {
  const livemode = given.has('live')
  const name = validName(given.value('name'))
  const entered = required('xpub', given.value('xpub'), itsXpub)
  const xpub = receivingKey(entered, { livemode })
  const asked = { name, xpub, livemode }
  return async ({ directory, clock, pepper, chains }) => {
    // Read first, because after the merchant is registered nothing may prevent printing its key.
    const others = await everyMerchant(directory)
    const warnings = [
      ...(livemode ? [await liveWarning(chains)] : []),
      namesakeWarning(name, others),
    ]
    const notes = [...storedKeyNote(entered, xpub), ...sharedKeyNote(sharing(xpub, others))]
    const made = await addMerchant(asked, { directory, clock, pepper: await pepper() })
    const merchant = await existing(directory, made.merchantId)
    const addresses = addressesOf(merchant)
    const { merchantId, secretKey } = made
    return {
      json: [{ ...merchantJson(merchant), addresses, secretKey }],
      text: report(asked, { merchantId, secretKey, addresses, notes }),
      warning: warnings.filter((each) => each !== null).join('\n') || null,
    }
  }
}

const noLiveChain = `Warning: the configuration has no chain of real money (livemode: true), so the live key cannot
create a payment yet. Add one to settlewire.config.ts, for example with the preset base, and start
the server again: docs/chains.md.`

/** The warning that no chain can pay a live merchant. Null if the configuration cannot be read. */
async function liveWarning(chains: OperatorPlace['chains']): Promise<string | null> {
  try {
    return (await chains()).some(({ livemode }) => livemode) ? null : noLiveChain
  } catch {
    // Registering a merchant needs no chains, and the server reports what is wrong with them.
    return null
  }
}

/** The warning that the name is in use; null if it is not. Two shops may have the same name. */
function namesakeWarning(name: string, merchants: readonly Merchant[]): string | null {
  const ids = merchants.filter((merchant) => merchant.name === name).map(({ id }) => id)
  if (ids.length === 0) return null
  const others = ids.length === 1 ? 'is another merchant' : 'are other merchants'
  return `Warning: there ${others} named ${name}: ${ids.join(', ')}.`
}

/** Other merchants of the same xpub. */
const sharing = (xpub: string | null, merchants: readonly Merchant[]): readonly string[] =>
  xpub === null ? [] : merchants.filter((one) => one.xpub === xpub).map(({ id }) => id)

/** Says that merchants of one wallet do not disturb each other. */
const sharedKeyNote = (ids: readonly string[]): readonly string[] =>
  ids.length === 0
    ? []
    : [
        `The same wallet is registered for ${ids.join(', ')}.
That is safe: each payment, of any of these merchants, gets the next address of the wallet that no
payment had. So the first payment of a merchant need not be at Address 0, and the wallet receives the
money of all of them.`,
      ]

const whatIsStored = `the key of the wallet's receiving addresses (m/44'/60'/0'/0)`

/** Says why the xpub that is stored is another text than the one entered. */
const storedKeyNote = (entered: string, stored: string): readonly string[] =>
  entered.trim() === stored
    ? []
    : [
        `Settlewire stores ${whatIsStored}, made from the
xpub that you entered, so merchant show prints another text for the same wallet:
${stored}`,
      ]

/** Registers a merchant with one secret key. The key is only returned here and not stored. */
export async function addMerchant(
  { name, xpub, livemode }: MerchantRequest,
  parts: {
    readonly directory: Pick<Directory, 'addMerchantWithKey'>
    readonly clock: Clock
    readonly pepper: Uint8Array
  },
): Promise<{ merchantId: string; secretKey: string }> {
  const { directory, clock, pepper } = parts
  const merchantId = makeId('mer', clock.now(), clock.random(10))
  const { key, prefix } = mintKey('secret', livemode, clock)
  const createdAt = clock.now()
  const id = makeId('key', clock.now(), clock.random(10))
  const owner = { id, merchantId, livemode, kind: 'secret', scopes: [], name: 'first' } as const
  await directory.addMerchantWithKey(
    { id: merchantId, name, xpub, takesLive: livemode, createdAt },
    { ...owner, prefix, createdAt },
    hashKey(pepper, key),
  )
  return { merchantId, secretKey: key }
}

/** The first two addresses, by which the wallet's owner can check that it is the right key. */
const addressesOf = ({ xpub }: Merchant): string[] =>
  xpub === null ? [] : [0, 1].map((index) => checksummed(depositAddress(xpub, index)))

function report(
  { name, livemode }: MerchantRequest,
  made: {
    readonly merchantId: string
    readonly secretKey: string
    readonly addresses: readonly string[]
    readonly notes: readonly string[]
  },
): string {
  const rows = fields([
    ['Merchant', made.merchantId],
    ['Secret key', made.secretKey],
    ...made.addresses.map((address, index) => [`Address ${index}`, address] as const),
  ])
  return `${name} is registered, for ${livemode ? 'real' : 'test'} money.

${rows}

Save the key now: it cannot be shown again. Check that these are the first two addresses of your
wallet; if not, the xpub belongs to another account. Unpaid requests leave gaps between used
addresses: set the gap limit of your wallet above the usual 20, so that it finds all money.${made.notes
    .map((note) => `\n\n${note}`)
    .join('')}`
}

async function list({ directory, keys, clock }: OperatorPlace): Promise<OperatorAnswer> {
  const [merchants, active] = [await everyMerchant(directory), await activeKeys(keys, null, clock)]
  const counts = new Map<string, number>()
  for (const { merchantId } of active) counts.set(merchantId, (counts.get(merchantId) ?? 0) + 1)
  const rows = merchants.map(({ id, name, takesLive, createdAt, disabledAt }) => [
    ...[id, name, takesLive ? 'live, test' : 'test', String(counts.get(id) ?? 0)],
    ...[timeOf(createdAt), disabledAt === null ? 'active' : `disabled ${timeOf(disabledAt)}`],
  ])
  const head = ['ID', 'NAME', 'MODES', 'KEYS', 'CREATED', 'STATE']
  return {
    json: merchants.map(merchantJson),
    text: rows.length === 0 ? 'No merchants.' : columns(head, rows),
  }
}

/** A subcommand with the id of a merchant as its only argument. */
function forOne(
  given: GivenArguments,
  work: (merchant: Merchant, place: OperatorPlace) => Promise<OperatorAnswer>,
): OperatorWork {
  const id = idOf('mer', given.word('id'))
  return async (place) => work(await existing(place.directory, id), place)
}

async function show(
  merchant: Merchant,
  { directory, keys, clock }: OperatorPlace,
): Promise<OperatorAnswer> {
  const active: readonly ApiKey[] = await activeKeys(keys, merchant.id, clock)
  const addresses = addressesOf(merchant)
  const others = (await everyMerchant(directory)).filter(({ id }) => id !== merchant.id)
  const notes = [
    ...(merchant.xpub === null ? [] : [shownKeyNote]),
    ...sharedKeyNote(sharing(merchant.xpub, others)),
  ]
  const parts = [describe(merchant, addresses), ...notes, keyTable(active, clock.now())]
  return {
    json: [{ ...merchantJson(merchant), addresses, keys: active.map(keyJson) }],
    text: parts.join('\n\n'),
  }
}

const shownKeyNote = `The xpub is ${whatIsStored}. If the xpub of
the account (m/44'/60'/0') was registered, this is another text for the same wallet.`

function describe(merchant: Merchant, addresses: readonly string[]): string {
  const { id, name, xpub, takesLive, createdAt, disabledAt } = merchant
  return fields([
    ['Merchant', id],
    ['Name', name],
    ['Modes', takesLive ? 'live, test' : 'test'],
    ['Created', timeOf(createdAt)],
    ['State', disabledAt === null ? 'active' : `disabled ${timeOf(disabledAt)}`],
    ['Xpub (of its addresses)', xpub ?? '-'],
    ...addresses.map((address, index) => [`Address ${index}`, address] as const),
  ])
}

function rename(given: GivenArguments): OperatorWork {
  const name = validName(given.value('name'))
  return forOne(given, async ({ id }, { directory }) => {
    await directory.renameMerchant(id, name)
    return changed(await existing(directory, id), `${id} is now named ${name}.`)
  })
}

async function disable(
  { id }: Merchant,
  { directory, clock }: OperatorPlace,
): Promise<OperatorAnswer> {
  await directory.disableMerchant(id, clock.now())
  return changed(
    await existing(directory, id),
    `${id} is disabled. Its keys are refused on every server, and their open streams end within two
seconds. Payers still see their payments, which are watched to their end.`,
  )
}

async function enable({ id }: Merchant, { directory }: OperatorPlace): Promise<OperatorAnswer> {
  await directory.disableMerchant(id, null)
  return changed(await existing(directory, id), `${id} is enabled. Its keys work again.`)
}

const changed = (merchant: Merchant, text: string): OperatorAnswer => ({
  json: [merchantJson(merchant)],
  text,
})

if (import.meta.main) endProcess(await runOperator(merchantCommand, process.argv.slice(2)))
