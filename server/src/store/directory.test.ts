import { createHmac, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bornAt } from '../../../test/support/payments.ts'
import { queryAs, startPostgres } from '../../../test/support/postgres.ts'
import { ScriptedPayment } from '../../../test/support/scripted-payments.ts'
import { storeUnderTest } from '../../../test/support/store-under-test.ts'
import type { ApiKey, Directory, Merchant } from '../access.ts'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { openStore } from './open.ts'

const merchant: Merchant = {
  id: 'mer_1',
  name: 'A shop with "quotes"',
  xpub: 'xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V',
  createdAt: bornAt,
}

const key: ApiKey = {
  id: 'key_1',
  merchantId: merchant.id,
  livemode: false,
  kind: 'restricted',
  scopes: ['payment_intents:read', 'events:read'],
  prefix: 'rk_test_Ab3d',
  createdAt: bornAt,
  revokedAt: null,
}

const hashOf = (text: string): Uint8Array => createHmac('sha256', 'pepper').update(text).digest()

describe('the directory', () => {
  let store: Awaited<ReturnType<typeof storeUnderTest>>
  let directory: Directory

  beforeEach(async () => {
    store = await storeUnderTest()
    directory = store.open().directory
    await directory.addMerchant(merchant)
  })
  afterEach(() => store.close())

  it('knows its merchants, and no others', async () => {
    expect(await directory.merchant(merchant.id)).toEqual(merchant)
    expect(await directory.merchant('mer_2')).toBeNull()
    const poor = { ...merchant, id: 'mer_2', xpub: null }
    await directory.addMerchant(poor)
    expect(await directory.merchant('mer_2')).toEqual(poor)
  })

  it('never takes a private key for a public one', async () => {
    const careless = { ...merchant, id: 'mer_2', xpub: 'xprv9s21ZrQH143K3QTDL4LXw2F7HEK3' }
    await expect(directory.addMerchant(careless)).rejects.toThrow('check constraint')
    expect(await directory.merchant('mer_2')).toBeNull()
  })

  it('finds a key by its hash alone, revoked or not', async () => {
    await directory.addKey(key, hashOf('one'))
    expect(await directory.keyByHash(hashOf('one'))).toEqual(key)
    expect(await directory.keyByHash(hashOf('two'))).toBeNull()
    await directory.revokeKey(key.id, bornAt + 5)
    await directory.revokeKey(key.id, bornAt + 9)
    expect(await directory.keyByHash(hashOf('one'))).toEqual({ ...key, revokedAt: bornAt + 5 })
  })

  it('has no key of nobody, and no two of one hash', async () => {
    await expect(directory.addKey({ ...key, merchantId: 'mer_2' }, hashOf('one'))).rejects.toThrow(
      'foreign key',
    )
    await directory.addKey(key, hashOf('one'))
    await expect(directory.addKey({ ...key, id: 'key_2' }, hashOf('one'))).rejects.toThrow('unique')
  })

  it('makes a secret once, whoever asks first', async () => {
    const directories = Array.from({ length: 4 }, () => store.open().directory)
    const secrets = await Promise.all(
      directories.map((node) => node.secret('client-secret', () => randomBytes(32))),
    )
    expect(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(1)
    const other = await directory.secret('checkout', () => randomBytes(32))
    expect(other).not.toEqual(secrets[0])
    expect(await directory.secret('checkout', () => randomBytes(32))).toEqual(other)
  })

  describe('gives address indexes', () => {
    it('one after the other, each to one caller, apart for each merchant', async () => {
      const directories = Array.from({ length: 4 }, () => store.open().directory)
      const taken = await Promise.all(
        Array.from({ length: 40 }, (_, i) => directories[i % 4]?.takeDepositIndex(merchant.id)),
      )
      expect(taken.sort((a, b) => Number(a) - Number(b))).toEqual(taken.map((_, index) => index))
      expect(await directory.takeDepositIndex('mer_2')).toBe(0)
    })

    it('above every index that a payment has used, even if the counter is lost', async () => {
      const payment = new ScriptedPayment({ merchantId: merchant.id, depositIndex: 41 })
      await store.node().append({ appends: [payment.opening()] })
      expect(await directory.takeDepositIndex(merchant.id)).toBe(42)
    })

    it('far above the last one in a database that was restored elsewhere', async () => {
      for (let index = 0; index < 3; index++) await directory.takeDepositIndex(merchant.id)
      await queryAs(store.url, `update deposit_counter set lineage = '7658/00000001'`)
      expect(await directory.takeDepositIndex(merchant.id)).toBe(3 + 2 ** 20)
      expect(await directory.takeDepositIndex(merchant.id)).toBe(4 + 2 ** 20)
    })

    it('until the public key has no more children', async () => {
      await directory.takeDepositIndex(merchant.id)
      await queryAs(store.url, `update deposit_counter set next_index = ${2 ** 31 - 1}`)
      expect(await directory.takeDepositIndex(merchant.id)).toBe(2 ** 31 - 1)
      await expect(directory.takeDepositIndex(merchant.id)).rejects.toMatchObject({
        code: 'merchant_cannot_receive',
      })
    })
  })
})

it('an address index is never given again after a real recovery from an older state', async () => {
  const postgres = await startPostgres()
  const open = () => openStore({ url: postgres.url, clock: systemClock, log: silentLog })
  const before = open()
  expect(await before.directory.takeDepositIndex(merchant.id)).toBe(0)
  expect(await before.directory.takeDepositIndex(merchant.id)).toBe(1)
  await before.close()
  await postgres.kill9()
  // What a restore from an archive does: recover, then go on under a timeline of its own.
  await writeFile(join(postgres.data, 'recovery.signal'), '', { mode: 0o644 })
  await postgres.restart({ restore_command: 'false' })
  for (;;) {
    const [row] = await queryAs<{ busy: boolean }>(
      postgres.url,
      'select pg_is_in_recovery() as busy',
    )
    if (row?.busy === false) break
    await systemClock.sleep(20)
  }
  const after = open()
  expect(await after.directory.takeDepositIndex(merchant.id)).toBe(2 + 2 ** 20)
  await after.close()
  await postgres.stop()
})
