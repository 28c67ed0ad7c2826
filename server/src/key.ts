/**
 * `settlewire key …`, or `npm run key -- …`: what merchants' programs ask with. It works on the
 * database of the installation; what it changes holds for every server from then on.
 */
import { Failure } from '@settlewire/core/errors'
import { makeId } from '@settlewire/core/id'
import { isScope, type KeyScope, keyScopes } from '@settlewire/core/scope'
import { hint } from './command-line.ts'
import { hashKey, mintKey } from './credential.ts'
import { activeKeys, everyKey, existing } from './operator/directory.ts'
import type { OperatorPlace } from './operator/place.ts'
import { durationMsOf, idOf, nameOf } from './operator/read.ts'
import { runOperator } from './operator/run.ts'
import { fields, keyJson, keyTable, standingOf, timeOf } from './operator/show.ts'
import type { Answer, Given, OperatorCommand, Work } from './operator/subcommand.ts'
import type { ApiKey, KeyKind, Keys } from './ports/access.ts'

const kinds: readonly KeyKind[] = ['secret', 'restricted', 'publishable']
const overlapByDefault = '24h'

/** The subcommands. */
export const keyCommand: OperatorCommand = {
  name: 'key',
  does: 'what merchants ask with',
  subcommands: {
    create: {
      words: [],
      options: {
        merchant: { takes: 'id', means: 'whose key it is' },
        kind: { takes: 'kind', means: `${kinds.join(', ')}; secret when left out` },
        scope: {
          takes: 'scope',
          multiple: true,
          means: `what a restricted key may do, as often as wanted: ${keyScopes.join(', ')}`,
        },
        name: { takes: 'name', means: 'what you call it, to find it again' },
        live: { takes: null, means: 'for real money; without it for test payments only' },
      },
      does: 'makes a key, which is printed this once',
      read: create,
    },
    list: {
      words: [],
      options: {
        merchant: { takes: 'id', means: 'of this merchant alone' },
        all: { takes: null, means: 'also those that have ended' },
      },
      does: 'lists keys, when they were last used, and where they stand',
      read: list,
    },
    rotate: {
      words: ['id'],
      options: {
        overlap: {
          takes: 'time',
          means: `how long both work: 30m, 24h, 7d, or 0; ${overlapByDefault} when left out`,
        },
      },
      does: 'makes a key of the same kind in the place of this one, which ends after the overlap',
      read: rotate,
    },
    revoke: {
      words: ['id'],
      options: {},
      does: 'ends a key at once, on every server, with the streams that it holds open',
      read: revoke,
    },
  },
  notes: 'What each scope lets: docs/generated/scopes.md.',
}

function create(given: Given): Work {
  const merchantId = idOf('mer', given.value('merchant') ?? '')
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
  const name = label === null ? '' : nameOf(label)
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
    `${id} was registered for test money, and its xpub was not checked for real money: register a merchant with settlewire merchant create --live.`,
  )

function scopeOf(text: string): KeyScope {
  if (isScope(text)) return text
  const known = hint(text, keyScopes) || ` There is ${keyScopes.join(', ')}.`
  throw new Failure('invalid_request', `There is no scope ${text}.${known}`)
}

function kindOf(text: string): KeyKind {
  const kind = kinds.find((one) => one === text)
  if (kind !== undefined) return kind
  const known = hint(text, kinds) || ` There is ${kinds.join(', ')}.`
  throw new Failure('invalid_request', `There is no kind ${text}.${known}`)
}

function list(given: Given): Work {
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

function rotate(given: Given): Work {
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
    const until = next.until === null ? 'has ended' : `works until ${timeOf(next.until)}`
    return { ...answer, text: `${answer.text}\n${id}, in whose place it is, ${until}.` }
  }
}

function notRotated(key: ApiKey, now: number): Failure {
  const why =
    key.replacedBy === null ? standingOf(key, now) : `was rotated already, to ${key.replacedBy}`
  const words = `${key.id} cannot be rotated: it ${key.replacedBy === null ? 'is ' : ''}${why}.`
  return new Failure('not_found', words)
}

function revoke(given: Given): Work {
  const id = idOf('key', given.word('id'))
  return async ({ keys, clock }: OperatorPlace) => {
    await found(keys, id)
    await keys.revoke(id, clock.now())
    const key = await found(keys, id)
    const text = `${id} (${key.prefix}…) is revoked. It opens nothing from now on; what it holds open ends within two
seconds, on every server.`
    return { json: [keyJson(key)], text }
  }
}

async function found(keys: Keys, id: string): Promise<ApiKey> {
  const key = await keys.find(id)
  if (key !== null) return key
  throw new Failure('not_found', `There is no key ${id} in this database.`)
}

/** What is said of a key that was just made, with its secret, which nobody can say again. */
function minted(key: ApiKey, secret: string): Answer {
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
    text: `${rows}\n\nKeep the key now: it is shown this once.`,
  }
}

if (import.meta.main) process.exitCode = await runOperator(keyCommand, process.argv.slice(2))
