import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HDKey } from '@scure/bip32'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/support/postgres.ts'
import { systemClock } from '../clock.ts'
import { hashKey } from '../credential.ts'
import { silentLog } from '../log.ts'
import { openStore, type Store } from '../store/open.ts'
import { type Demo, demoMerchant, xpubOf } from './demo.ts'

const pepper = new Uint8Array(32).fill(7)

let home: string
let database: TestDatabase
let store: Store

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'settlewire-demo-'))
  database = await testDatabase()
  store = openStore({ url: database.url, clock: systemClock, log: silentLog })
})

afterEach(async () => {
  await store.close()
  await database.close()
  rmSync(home, { recursive: true, force: true })
})

const make = (): Promise<Demo> => demoMerchant({ home, ...store, clock: systemClock, pepper })
const kept = () => JSON.parse(readFileSync(join(home, 'demo.json'), 'utf8'))

describe('the demo merchant', () => {
  it('is created once and is the same at every start', async () => {
    const first = await make()
    expect(first.secretKey).toMatch(/^sk_test_[0-9A-Za-z]{32}$/)
    expect(first.publishableKey).toMatch(/^pk_test_[0-9A-Za-z]{32}$/)
    expect(await make()).toEqual(first)
  })

  it('has a secret and a publishable key for test mode', async () => {
    const { merchantId, secretKey, publishableKey } = await make()
    const keyOf = (key: string) => store.keys.byHash(hashKey(pepper, key))
    const own = { merchantId, livemode: false, revokedAt: null }
    expect(await keyOf(secretKey)).toMatchObject({ ...own, kind: 'secret' })
    expect(await keyOf(publishableKey)).toMatchObject({ ...own, kind: 'publishable' })
  })

  it('stores only the watch-only xpub of its wallet in the database', async () => {
    const { merchantId } = await make()
    const merchant = await store.directory.merchant(merchantId)
    expect(merchant?.xpub).toBe(xpubOf(kept().mnemonic))
    expect(HDKey.fromExtendedKey(merchant?.xpub ?? '').privateKey).toBeNull()
  })

  it('stores its secrets in a file that only the owner can read', async () => {
    await make()
    expect(statSync(join(home, 'demo.json')).mode & 0o777).toBe(0o600)
    expect(kept().mnemonic.split(' ')).toHaveLength(12)
  })

  it('is added to a new database with the same keys', async () => {
    const before = await make()
    const other = await testDatabase()
    const fresh = openStore({ url: other.url, clock: systemClock, log: silentLog })
    const { directory, keys } = fresh
    expect(await demoMerchant({ home, directory, keys, clock: systemClock, pepper })).toEqual(
      before,
    )
    expect(await keys.byHash(hashKey(pepper, before.secretKey))).not.toBeNull()
    await fresh.close()
    await other.close()
  })

  it('is not replaced if its file is damaged: the error names the file', async () => {
    writeFileSync(join(home, 'demo.json'), '{"merchantId":')
    await expect(make()).rejects.toMatchObject({ code: 'invalid_config' })
    await expect(make()).rejects.toThrow('demo.json')
  })
})
