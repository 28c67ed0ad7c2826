import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HDKey } from '@scure/bip32'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operatorProgram, type Ran, settlewire } from '../../../test/support/e2e/operator.ts'
import { temporaryHome } from '../../../test/support/e2e/server.ts'
import { emptyDatabase, type TestDatabase } from '../../../test/support/postgres.ts'
import { systemClock } from '../clock.ts'
import { hashKey } from '../credential.ts'
import { silentLog } from '../log.ts'
import { readPepper } from '../pepper.ts'
import { xpubOf } from '../sandbox/demo.ts'
import { openStore, type Store } from '../store/open.ts'

const xpub = xpubOf('legal winner thank year wave sausage worth useful legal winner thank yellow')

let database: TestDatabase
let home: ReturnType<typeof temporaryHome>
let store: Store
beforeAll(async () => {
  home = temporaryHome()
  database = await emptyDatabase()
  for (const [name, preset] of Object.entries(presets)) {
    const providers = [{ name: 'one', url: 'wss://node.example' }]
    const chains = { a: { preset, providers, accept: ['USDC'] } }
    writeFileSync(join(home.path, name), `export default ${JSON.stringify({ chains })}`)
  }
})
afterAll(async () => {
  await store?.close()
  await database.close()
  home.remove()
})

const run = (line: string, ...more: string[]): Promise<Ran> =>
  runWith('live.mjs', [...line.split(' '), ...more])

/** Runs a command with one of the configuration files. */
const runWith = (config: string, line: readonly string[]): Promise<Ran> =>
  operatorProgram(line, {
    ...{ DATABASE_URL: database.url, SETTLEWIRE_HOME: home.path },
    SETTLEWIRE_CONFIG: config === 'off' ? config : join(home.path, config),
  })

/** Configuration files by name, each with one chain of this preset. */
const presets = { 'live.mjs': 'base', 'test.mjs': 'base-sepolia', 'invalid.mjs': 'nowhere' }

/** The values that a command prints with --json. */
async function json(line: string, ...more: string[]) {
  const { code, out, err } = await run(line, ...more, '--json')
  expect([code, err]).toEqual([0, ''])
  return out
    .split('\n')
    .filter(Boolean)
    .map((each) => JSON.parse(each))
}

/** The stored row of a key, found by its text. */
const known = (key: string) => store.keys.byHash(hashKey(readPepper(home.path, systemClock), key))

describe('settlewire merchant and settlewire key', { timeout: 60_000 }, () => {
  let merchantId: string

  it('initialize an empty database only to register a merchant', async () => {
    const { code, err } = await run('key list')
    expect(code).toBe(1)
    expect(err).toContain('The database is empty or older than this program')
    const create = ['create', '--name', 'Harbour Books', '--xpub', xpub]
    const made = await settlewire(['merchant', ...create], {
      ...{ DATABASE_URL: database.url, SETTLEWIRE_HOME: home.path },
    })
    expect([made.code, made.err]).toEqual([0, ''])
    store = openStore({ url: database.url, clock: systemClock, log: silentLog })
    const [, id = '', key = ''] = /(mer_\w+)\nSecret key {2}(\S+)/.exec(made.out) ?? []
    merchantId = id
    expect(await known(key)).toMatchObject({ merchantId, kind: 'secret', livemode: false })
    expect(made.out).toMatch(/Address 0 {3}0x[0-9a-fA-F]{40}\nAddress 1 {3}0x/)
  })

  it('list and show merchants in columns and as JSON', async () => {
    const listed = await run('merchant list')
    expect(listed.out.split('\n')[0]).toMatch(/^ID +NAME +MODES +KEYS +CREATED +STATE$/)
    expect(listed.out).toMatch(new RegExp(`${merchantId} +Harbour Books +test +1 +20.+Z +active`))
    const [merchant] = await json('merchant list')
    expect(merchant).toMatchObject({ id: merchantId, object: 'merchant', disabledAt: null })
    const [shown] = await json(`merchant show ${merchantId}`)
    expect(shown).toMatchObject({
      xpub,
      addresses: [expect.stringMatching(/^0x/), expect.stringMatching(/^0x/)],
    })
    expect(shown.keys).toHaveLength(1)
    const text = await run(`merchant show ${merchantId}`)
    expect(text.out).toContain(`Xpub (of its addresses)  ${xpub}`)
  })

  it('rename, disable and enable a merchant', async () => {
    expect((await run(`merchant rename ${merchantId}`, '--name', 'Harbour & Sons')).code).toBe(0)
    const [disabled] = await json(`merchant disable ${merchantId}`)
    expect(disabled).toMatchObject({ name: 'Harbour & Sons', disabledAt: expect.any(String) })
    expect((await run(`key list --merchant ${merchantId}`)).out).toContain('merchant disabled')
    const [enabled] = await json(`merchant enable ${merchantId}`)
    expect(enabled.disabledAt).toBeNull()
  })

  it('create keys of each kind, and show the secret of each only once', async () => {
    const scopes = ['payment_intents:read', 'events:read']
    const [restricted] = await json(`key create --merchant ${merchantId} --scope ${scopes}`)
    expect(restricted).toMatchObject({ kind: 'restricted', scopes, key: /^rk_test_/ })
    expect(await known(restricted.key)).toMatchObject({ id: restricted.id, scopes })
    const publishable = await run(`key create --merchant ${merchantId} --kind publishable`)
    const [, key = ''] = /Key {3}(pk_test_\w+)/.exec(publishable.out) ?? []
    expect(await known(key)).toMatchObject({ kind: 'publishable', scopes: [] })
    const listed = await run('key list')
    expect(listed.out).toContain('restricted (payment_intents:read events:read)')
    expect(listed.out).not.toContain(key)
    expect(listed.out).not.toContain(restricted.key)
  })

  it('create no live key for a merchant that was registered for test money', async () => {
    const { code, err } = await run(`key create --merchant ${merchantId} --live`)
    expect(code).toBe(1)
    expect(err).toContain('was registered for test money')
    const [live] = await json('merchant create --name Live --live --xpub', xpub)
    expect((await json(`key create --merchant ${live.id} --live`))[0].key).toMatch(/^sk_live_/)
    expect((await json(`key create --merchant ${live.id}`))[0].key).toMatch(/^sk_test_/)
  })

  it.each([
    ['--live', 'off', 'warns: there is no file', true],
    ['--live', 'test.mjs', 'warns: its chain is of test money', true],
    ['--live', 'live.mjs', 'does not warn: its chain is of real money', false],
    ['--json', 'test.mjs', 'does not warn: the merchant is for test money', false],
    ['--live', 'missing.mjs', 'does not warn: it cannot be read', false],
    ['--live', 'invalid.mjs', 'does not warn: it cannot be read', false],
  ])('merchant create %s with SETTLEWIRE_CONFIG=%s %s', async (mode, config, _, warns) => {
    const name = `Harbour ${mode} ${config}`
    const line = ['merchant', 'create', '--name', name, '--xpub', xpub, mode]
    const { code, out, err } = await runWith(config, line)
    expect([code, out]).toEqual([0, expect.stringMatching(/sk_(live|test)_/)])
    expect(err).toMatch(
      warns
        ? /^Warning: the configuration has no chain of real money.+settlewire\.config\.ts.+docs\/chains\.md\.\n$/s
        : /^$/,
    )
  })

  it('rotate a key with an overlap in which both keys work', async () => {
    const [old] = await json(`key create --merchant ${merchantId} --name till`)
    const before = Date.now()
    const [next] = await json(`key rotate ${old.id} --overlap 30m`)
    expect(next).toMatchObject({ kind: 'secret', name: 'till', merchantId })
    expect(await known(next.key)).toMatchObject({ revokedAt: null, expiresAt: null })
    const left = ((await known(old.key))?.expiresAt ?? 0) - before
    expect(left).toBeGreaterThanOrEqual(30 * 60_000)
    expect(left).toBeLessThan(31 * 60_000)
    const again = await run(`key rotate ${old.id}`)
    expect(again.code).toBe(1)
    expect(again.err).toContain(`was already rotated to ${next.id}`)
    const at = await run(`key rotate ${next.id} --overlap 0`)
    expect(at.out).toContain(`The old key ${next.id} is revoked.`)
    expect(await known(next.key)).toMatchObject({ revokedAt: expect.any(Number) })
  })

  it('name a key in NFC, and rename it', async () => {
    const [key] = await json(`key create --merchant ${merchantId}`, '--name', 'Mu\u0308nzer')
    expect(key.name).toBe('Münzer')
    const renamed = await run(`key rename ${key.id}`, '--name', 'Till 4')
    expect([renamed.code, renamed.out]).toEqual([0, `${key.id} is now named Till 4.\n`])
    expect(await known(key.key)).toMatchObject({ id: key.id, name: 'Till 4', revokedAt: null })
    const [again] = await json(`key rename ${key.id}`, '--name', 'Till 5')
    expect(again).toMatchObject({ object: 'key', name: 'Till 5' })
    expect(again).not.toHaveProperty('key')
    const unknown = await run(`key rename key_${'9'.repeat(26)}`, '--name', 'Till 6')
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('Unknown key key_999')])
  })

  it('warn about a second merchant of the same name, and register it all the same', async () => {
    const create = ['--name', 'Twin Books', '--xpub', xpub]
    const [first] = await json('merchant create', ...create)
    const second = await run('merchant create', ...create)
    expect(second.code).toBe(0)
    expect(second.out).toContain('Twin Books is registered')
    expect(second.err).toBe(`Warning: there is another merchant named Twin Books: ${first.id}.\n`)
  })

  it('say that merchants of one xpub share its addresses, and what the stored xpub is', async () => {
    const own = HDKey.fromMasterSeed(new Uint8Array(32).fill(6)).derive("m/44'/60'/0'")
    const account = own.publicExtendedKey
    const first = await run('merchant create --name One --xpub', account)
    const [, stored = ''] = /^(xpub\w+)$/m.exec(first.out) ?? []
    expect(first.out).toContain(
      "receiving addresses (m/44'/60'/0'/0), made from the\nxpub that you",
    )
    expect(first.out).not.toContain('is registered for')
    const [, id = ''] = /(mer_\w+)/.exec(first.out) ?? []
    const second = await run('merchant create --name Two --xpub', stored)
    expect(second.out).toContain(`The same wallet is registered for ${id}.\nThat is safe`)
    expect(second.out).not.toContain('that you entered')
    const [, other = ''] = /(mer_\w+)/.exec(second.out) ?? []
    const shown = await run(`merchant show ${id}`)
    expect(shown.out).toContain(`The same wallet is registered for ${other}.\nThat is safe`)
    expect(shown.out).toContain('this is another text for the same wallet')
  })

  it('revoke a key, and list it afterwards only with --all', async () => {
    const [key] = await json(`key create --merchant ${merchantId}`)
    const revoked = await run(`key revoke ${key.id}`)
    expect(revoked.out).toContain('is revoked')
    expect((await known(key.key))?.revokedAt).not.toBeNull()
    const listed = (await json(`key list --merchant ${merchantId}`)).map(({ id }) => id)
    expect(listed).not.toContain(key.id)
    const all = await json(`key list --merchant ${merchantId} --all`)
    expect(all.find(({ id }) => id === key.id).revokedAt).toEqual(expect.any(String))
  })

  it("need the servers' pepper to create a key, but not to revoke one", async () => {
    const elsewhere = temporaryHome()
    const env = { DATABASE_URL: database.url, SETTLEWIRE_HOME: elsewhere.path }
    const [key] = await json(`key create --merchant ${merchantId}`)
    const create = await settlewire(['key', 'create', '--merchant', merchantId], env)
    expect(create.code).toBe(1)
    expect(create.err).toContain('is not the pepper that the keys of this database were hashed')
    const revoke = await settlewire(['key', 'revoke', key.id], env)
    expect(revoke.code).toBe(0)
    elsewhere.remove()
  })

  it.each([
    [
      'merchant create --name Shop',
      2,
      '--xpub is missing: the extended public key of a wallet. How',
    ],
    ['merchant create --name Shop --xpub xpub6', 1, '(xpub).\nHow to get the right xpub: docs/'],
    ['key list --mercant x', 2, 'Did you mean --merchant?'],
    ['merchnt list', 2, 'Unknown command: merchnt. Did you mean merchant?'],
    [`key revoke key_${'9'.repeat(26)}`, 1, 'Unknown key key_999'],
    [
      `merchant show mer_${'9'.repeat(26)}`,
      1,
      'in this database.\nnpx settlewire merchant list shows',
    ],
  ])('have exit codes for scripts: %s exits with %i', async (line, code, says) => {
    const env = { DATABASE_URL: database.url, SETTLEWIRE_HOME: home.path }
    const ran = await settlewire(line.split(' '), env)
    expect(ran.code).toBe(code)
    expect(ran.err).toContain(says)
  })

  it('print their help', async () => {
    for (const line of ['merchant --help', 'key create --help']) {
      const { code, out } = await run(line)
      expect(code).toBe(0)
      expect(out).toContain('Exit codes: 0 done')
    }
  })
})

it.each([
  ['key list', 1],
  ['merchant list', 1],
  ['audit', 1],
  ['rescan --chain local --from 0', 1],
])(
  'settlewire %s names the missing setting if there is no database, and makes none',
  async (line, exit) => {
    const nowhere = temporaryHome()
    const { code, err } = await settlewire(line.split(' '), { SETTLEWIRE_HOME: nowhere.path })
    expect(err).toContain(`No database in ${nowhere.path}: set SETTLEWIRE_HOME`)
    expect(code).toBe(exit)
    expect(readdirSync(nowhere.path)).toEqual([])
    nowhere.remove()
  },
  60_000,
)
