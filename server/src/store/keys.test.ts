import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bornAt } from '../../../test/support/payments.ts'
import { storeUnderTest } from '../../../test/support/store-under-test.ts'
import type { ApiKey, KeyReplacement, Keys, NewKey } from '../ports/access.ts'

const key: Required<NewKey> = {
  id: 'key_1',
  merchantId: 'mer_1',
  livemode: false,
  kind: 'restricted',
  scopes: ['payment_intents:read', 'events:read'],
  name: 'till 4, "left"',
  prefix: 'rk_test_Ab3d',
  createdAt: bornAt,
}
const stored: ApiKey = {
  ...key,
  ...{ lastUsedAt: null, expiresAt: null, revokedAt: null, replacedBy: null },
  merchantDisabledAt: null,
}

const hashOf = (text: string): Uint8Array => createHmac('sha256', 'pepper').update(text).digest()
const next: KeyReplacement = {
  ...{ id: 'key_2', prefix: 'rk_test_Zz9z', hash: hashOf('two') },
  ...{ at: bornAt + 1_000, until: bornAt + 9_000 },
}

describe('stored API keys', () => {
  let store: Awaited<ReturnType<typeof storeUnderTest>>
  let keys: Keys

  beforeEach(async () => {
    store = await storeUnderTest()
    const opened = store.open()
    keys = opened.keys
    for (const id of ['mer_1', 'mer_2']) {
      await opened.directory.addMerchant({ id, name: 'A shop', xpub: null, createdAt: bornAt })
    }
    await keys.add(key, hashOf('one'))
  })
  afterEach(() => store.close())

  it('are found by hash or by id, also when revoked', async () => {
    const hash = new Uint8Array(hashOf('one'))
    expect(await keys.byHash(hash)).toEqual(stored)
    expect(await keys.byHash(hashOf('two'))).toBeNull()
    expect(await keys.revoke(key.id, bornAt + 5)).toBe(true)
    expect(await keys.revoke(key.id, bornAt + 9)).toBe(true)
    expect(await keys.revoke('key_9', bornAt)).toBe(false)
    expect(await keys.byHash(hash)).toEqual({ ...stored, revokedAt: bornAt + 5 })
    expect(await keys.find(key.id)).toEqual({ ...stored, revokedAt: bornAt + 5 })
    expect(await keys.find('key_9')).toBeNull()
  })

  it('are renamed, also when revoked', async () => {
    await keys.revoke(key.id, bornAt)
    expect(await keys.rename(key.id, 'till 5')).toBe(true)
    expect(await keys.find(key.id)).toEqual({ ...stored, name: 'till 5', revokedAt: bornAt })
    expect(await keys.rename('key_9', 'x')).toBe(false)
  })

  it('must belong to a merchant and have unique hashes', async () => {
    const homeless = { ...key, id: 'key_2', merchantId: 'mer_9' }
    await expect(keys.add(homeless, hashOf('two'))).rejects.toThrow('foreign key')
    await expect(keys.add({ ...key, id: 'key_2' }, hashOf('one'))).rejects.toThrow('unique')
  })

  it('are listed in pages, for one merchant or for all', async () => {
    await keys.add({ ...key, id: 'key_2', merchantId: 'mer_2' }, hashOf('two'))
    await keys.add({ ...key, id: 'key_3' }, hashOf('three'))
    const list = async (merchantId: string | null, after = '', limit = 10) =>
      (await keys.list({ merchantId, after, limit })).map(({ id }) => id)
    expect(await list(null)).toEqual(['key_1', 'key_2', 'key_3'])
    expect(await list('mer_1')).toEqual(['key_1', 'key_3'])
    expect(await list(null, 'key_1', 1)).toEqual(['key_2'])
  })

  it('are replaced by a key of the same kind, and expire when the overlap ends', async () => {
    expect(await keys.replace(key.id, next)).toBe(true)
    const old = { ...stored, expiresAt: bornAt + 9_000, replacedBy: 'key_2' }
    expect(await keys.find(key.id)).toEqual(old)
    const made = { ...stored, id: 'key_2', prefix: next.prefix, createdAt: next.at }
    expect(await keys.byHash(hashOf('two'))).toEqual(made)
  })

  it('are revoked at once when replaced without an overlap', async () => {
    expect(await keys.replace(key.id, { ...next, until: null })).toBe(true)
    expect(await keys.find(key.id)).toMatchObject({ revokedAt: next.at, expiresAt: null })
  })

  it.each([
    ['was replaced', () => keys.replace(key.id, next)],
    ['was revoked', () => keys.revoke(key.id, bornAt)],
  ])('are not replaced when the old key %s, and no new key is stored', async (_, end) => {
    await end()
    const again = { ...next, id: 'key_3', hash: hashOf('three') }
    expect(await keys.replace(key.id, again)).toBe(false)
    expect(await keys.replace('key_9', again)).toBe(false)
    expect(await keys.find('key_3')).toBeNull()
  })

  it('are replaced once, even by concurrent attempts', async () => {
    const tries = Array.from({ length: 6 }, (_, i) => {
      const id = `key_r${i}`
      return store.open().keys.replace(key.id, { ...next, id, hash: hashOf(id) })
    })
    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1)
    expect(await keys.list({ merchantId: null, after: '', limit: 10 })).toHaveLength(2)
  })

  it('report revocation, expiry and whether their merchant is disabled', async () => {
    await keys.replace(key.id, next)
    await store.open().directory.disableMerchant('mer_1', bornAt + 7)
    const standings = await keys.standings([key.id, 'key_9'])
    const standing = { revokedAt: null, expiresAt: next.until, merchantDisabledAt: bornAt + 7 }
    expect([...standings]).toEqual([[key.id, standing]])
    expect((await keys.standings([])).size).toBe(0)
  })

  it('keep the latest time of use, in any order of reports by processes', async () => {
    await keys.add({ ...key, id: 'key_2' }, hashOf('two'))
    const nodes = Array.from({ length: 4 }, () => store.open().keys)
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        const uses = [
          ['key_1', bornAt + i],
          ['key_2', bornAt + 40 - i],
          ['key_9', bornAt],
        ] as const
        return nodes[i % 4]?.noteUses(new Map(i % 2 ? uses : [...uses].reverse()))
      }),
    )
    expect(await keys.find('key_1')).toMatchObject({ lastUsedAt: bornAt + 39 })
    expect(await keys.find('key_2')).toMatchObject({ lastUsedAt: bornAt + 40 })
  })
})
