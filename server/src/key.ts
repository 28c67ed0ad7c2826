/**
 * `settlewire key …`, or `npm run key -- …`: manages the API keys of merchants. It works on the
 * database of the installation; changes take effect on every server at once.
 */
import { Failure } from '@settlewire/core/errors'
import { makeId } from '@settlewire/core/id'
import { isScope, type KeyScope, keyScopes } from '@settlewire/core/scope'
import { hint } from './command-line.ts'
import { hashKey, mintKey } from './credential.ts'
import { endProcess } from './end-process.ts'
import { activeKeys, everyKey, existing } from './operator/directory.ts'
import type { OperatorPlace } from './operator/place.ts'
import { durationMsOf, idOf, required, validName } from './operator/read.ts'
import { runOperator } from './operator/run.ts'
import { fields, keyJson, keyStateText, keyTable, timeOf } from './operator/show.ts'
import type {
  GivenArguments,
  OperatorAnswer,
  OperatorCommand,
  OperatorWork,
} from './operator/subcommand.ts'
import type { ApiKey, KeyKind, Keys } from './ports/access.ts'

const kinds: readonly KeyKind[] = ['secret', 'restricted', 'publishable']
const overlapByDefault = '24h'

/** `settlewire key` with its subcommands. */
export const keyCommand: OperatorCommand = {
  name: 'key',
  does: 'manages the API keys of merchants',
  subcommands: {
    create: {
      words: [],
      options: {
        merchant: { takes: 'id', means: 'the merchant of the key' },
        kind: { takes: 'kind', means: `${kinds.join(', ')}; default: secret` },
        scope: {
          takes: 'scope',
          multiple: true,
          means: `a scope of a restricted key; may be repeated: ${keyScopes.join(', ')}`,
        },
        name: { takes: 'name', means: 'a name by which you recognise the key' },
        live: { takes: null, means: 'a key for real money; default: for test payments' },
      },
      does: 'creates a key and prints it; it cannot be printed again',
      read: create,
    },
    list: {
      words: [],
      options: {
        merchant: { takes: 'id', means: 'only keys of this merchant' },
        all: { takes: null, means: 'also revoked and expired keys' },
      },
      does: 'lists keys with their last use and state',
      read: list,
    },
    rename: {
      words: ['id'],
      options: { name: { takes: 'name', means: 'the new name by which you recognise the key' } },
      does: 'renames a key',
      read: rename,
    },
    rotate: {
      words: ['id'],
      options: {
        overlap: {
          takes: 'time',
          means: `how long both keys work: 30m, 24h, 7d, or 0; default: ${overlapByDefault}`,
        },
      },
      does: 'creates a key of the same kind to replace this one, which expires after the overlap',
      read: rotate,
    },
    revoke: {
      words: ['id'],
      options: {},
      does: 'revokes a key at once, on every server, and ends its open streams',
      read: revoke,
    },
  },
  notes: 'Scopes and their routes: docs/generated/scopes.md.',
}

const itsMerchant = 'the id of a merchant. The ids: npx settlewire merchant list.'

function create(given: GivenArguments): OperatorWork {
  const merchantId = idOf('mer', required('merchant', given.value('merchant'), itsMerchant))
  const scopes = given.list('scope').map(scopeOf)
  const kind = kindOf(given.value('kind') ?? (scopes.length > 0 ? 'restricted' : 'secret'))
  if (kind === 'restricted' && scopes.length === 0) {
    const words = `A restricted key needs a --scope: ${keyScopes.join(', ')}.`
    throw new Failure('invalid_request', words)
  }
  if (kind !== 'restricted' && scopes.length > 0) {
    throw new Failure('invalid_request', `A ${kind} key has no scopes: leave --scope out.`)
  }
  const label = given.value('name')
  const name = label === null ? '' : validName(label)
  const livemode = given.has('live')
  return async ({ directory, keys, clock, pepper }) => {
    const merchant = await existing(directory, merchantId)
    if (livemode && !merchant.takesLive) throw takesNoLiveKey(merchantId)
    const { key, prefix } = mintKey(kind, livemode, clock)
    const id = makeId('key', clock.now(), clock.random(10))
    const made = { id, merchantId, livemode, kind, scopes: [...new Set(scopes)], name, prefix }
    await keys.add({ ...made, createdAt: clock.now() }, hashKey(await pepper(), key))
    return minted(await found(keys, id), key)
  }
}

const takesNoLiveKey = (id: string): Failure =>
  new Failure(
    'merchant_cannot_receive',
    `${id} was registered for test money, and its xpub was not checked for real money: register a merchant with npx settlewire merchant create --live.`,
  )

function scopeOf(text: string): KeyScope {
  if (isScope(text)) return text
  const known = hint(text, keyScopes) || ` Known scopes: ${keyScopes.join(', ')}.`
  throw new Failure('invalid_request', `Unknown scope ${text}.${known}`)
}

function kindOf(text: string): KeyKind {
  const kind = kinds.find((one) => one === text)
  if (kind !== undefined) return kind
  const known = hint(text, kinds) || ` Known kinds: ${kinds.join(', ')}.`
  throw new Failure('invalid_request', `Unknown kind ${text}.${known}`)
}

function list(given: GivenArguments): OperatorWork {
  const merchant = given.value('merchant')
  const merchantId = merchant === null ? null : idOf('mer', merchant)
  return async ({ directory, keys, clock }) => {
    if (merchantId !== null) await existing(directory, merchantId)
    const all = given.has('all')
      ? await everyKey(keys, merchantId)
      : await activeKeys(keys, merchantId, clock)
    return { json: all.map(keyJson), text: keyTable(all, clock.now()) }
  }
}

function rename(given: GivenArguments): OperatorWork {
  const id = idOf('key', given.word('id'))
  const name = validName(given.value('name'))
  return async ({ keys }) => {
    await keys.rename(id, name)
    return { json: [keyJson(await found(keys, id))], text: `${id} is now named ${name}.` }
  }
}

function rotate(given: GivenArguments): OperatorWork {
  const id = idOf('key', given.word('id'))
  const overlapMs = durationMsOf('overlap', given.value('overlap') ?? overlapByDefault)
  return async ({ keys, clock, pepper }) => {
    const old = await found(keys, id)
    const { key, prefix } = mintKey(old.kind, old.livemode, clock)
    const at = clock.now()
    const next = {
      ...{ id: makeId('key', at, clock.random(10)), prefix, at },
      ...{ hash: hashKey(await pepper(), key), until: overlapMs === 0 ? null : at + overlapMs },
    }
    if (!(await keys.replace(id, next))) throw notRotated(await found(keys, id), at)
    const answer = minted(await found(keys, next.id), key)
    const until = next.until === null ? 'is revoked' : `works until ${timeOf(next.until)}`
    return { ...answer, text: `${answer.text}\nThe old key ${id} ${until}.` }
  }
}

function notRotated(key: ApiKey, now: number): Failure {
  const why =
    key.replacedBy === null ? keyStateText(key, now) : `was already rotated to ${key.replacedBy}`
  const words = `${key.id} cannot be rotated: it ${key.replacedBy === null ? 'is ' : ''}${why}.`
  return new Failure('not_found', words)
}

function revoke(given: GivenArguments): OperatorWork {
  const id = idOf('key', given.word('id'))
  return async ({ keys, clock }: OperatorPlace) => {
    await found(keys, id)
    await keys.revoke(id, clock.now())
    const key = await found(keys, id)
    const text = `${id} (${key.prefix}…) is revoked on every server. Its open streams end within two seconds.`
    return { json: [keyJson(key)], text }
  }
}

async function found(keys: Keys, id: string): Promise<ApiKey> {
  const key = await keys.find(id)
  if (key !== null) return key
  throw new Failure('not_found', `Unknown key ${id} in this database.`)
}

/** The answer about a new key, with its secret, which is not stored and cannot be shown again. */
function minted(key: ApiKey, secret: string): OperatorAnswer {
  const { id, kind, scopes, name, livemode } = key
  const rows = fields([
    ['Key', secret],
    ['Id', id],
    ['Kind', [kind, livemode ? 'live' : 'test'].join(', ')],
    ...(scopes.length > 0 ? [['Scopes', scopes.join(' ')] as const] : []),
    ...(name === '' ? [] : [['Name', name] as const]),
  ])
  return {
    json: [{ ...keyJson(key), key: secret }],
    text: `${rows}\n\nSave the key now: it cannot be shown again.`,
  }
}

if (import.meta.main) endProcess(await runOperator(keyCommand, process.argv.slice(2)))
