import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bornAt } from '../../../../test/support/payments.ts'
import { queryAs, startPostgres } from '../../../../test/support/postgres.ts'
import { ScriptedPayment } from '../../../../test/support/scripted-payments.ts'
import { storeUnderTest } from '../../../../test/support/store-under-test.ts'
import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import type { Directory, Merchant, NewKey } from '../../ports/access.ts'
import { openStore } from '../open.ts'

const merchant: Merchant = {
  id: 'mer_1',
  name: 'A shop with "quotes"',
  xpub: 'xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V',
  takesLive: true,
  createdAt: bornAt,
  disabledAt: null,
}

describe('the directory', () => {
  let store: Awaited<ReturnType<typeof storeUnderTest>>
  let directory: Directory

  beforeEach(async () => {
    store = await storeUnderTest()
    directory = store.open().directory
    await directory.addMerchant(merchant)
  })
  afterEach(() => store.close())

  it('finds its merchants and returns null for unknown ids', async () => {
    expect(await directory.merchant(merchant.id)).toEqual(merchant)
    expect(await directory.merchant('mer_2')).toBeNull()
    const poor = { ...merchant, id: 'mer_2', xpub: null }
    await directory.addMerchant(poor)
    expect(await directory.merchant('mer_2')).toEqual(poor)
  })

  it('registers a merchant with its first key, or neither of them', async () => {
    const { keys } = store.open()
    const [id, merchantId] = ['key_2', 'mer_2']
    const key: NewKey = {
      ...{ id, merchantId, livemode: true, kind: 'secret', scopes: [], name: 'first' },
      ...{ prefix: 'sk_live_Ab3d', createdAt: bornAt },
    }
    const hash = randomBytes(32)
    await directory.addMerchantWithKey({ ...merchant, id: merchantId }, key, hash)
    expect(await directory.merchant(merchantId)).toEqual({ ...merchant, id: merchantId })
    expect(await keys.byHash(hash)).toMatchObject(key)

    // The merchant is valid, and its key is not: the same secret is in use.
    const next = { ...key, id: 'key_3', merchantId: 'mer_3' }
    const failing = directory.addMerchantWithKey({ ...merchant, id: 'mer_3' }, next, hash)
    await expect(failing).rejects.toThrow('unique')
    expect(await directory.merchant('mer_3')).toBeNull()
    expect(await keys.find('key_3')).toBeNull()
  })

  it('refuses a private key in place of a public one', async () => {
    const careless = { ...merchant, id: 'mer_2', xpub: 'xprv9s21ZrQH143K3QTDL4LXw2F7HEK3' }
    await expect(directory.addMerchant(careless)).rejects.toThrow('check constraint')
    expect(await directory.merchant('mer_2')).toBeNull()
  })

  it('renames, disables and enables merchants', async () => {
    expect(await directory.renameMerchant(merchant.id, 'Another name')).toBe(true)
    expect(await directory.disableMerchant(merchant.id, bornAt + 5)).toBe(true)
    expect(await directory.disableMerchant(merchant.id, bornAt + 9)).toBe(true)
    const disabled = { ...merchant, name: 'Another name', disabledAt: bornAt + 5 }
    expect(await directory.merchant(merchant.id)).toEqual(disabled)
    expect(await directory.disableMerchant(merchant.id, null)).toBe(true)
    expect(await directory.merchant(merchant.id)).toMatchObject({ disabledAt: null })
    expect(await directory.renameMerchant('mer_2', 'x')).toBe(false)
    expect(await directory.disableMerchant('mer_2', bornAt)).toBe(false)
  })

  it('lists merchants in pages, sorted by id', async () => {
    const ids = ['mer_3', 'mer_2', 'mer_4']
    for (const id of ids) await directory.addMerchant({ ...merchant, id })
    const idsAfter = async (after: string) =>
      (await directory.merchants(after, 2)).map(({ id }) => id)
    expect(await idsAfter('')).toEqual(['mer_1', 'mer_2'])
    expect(await idsAfter('mer_2')).toEqual(['mer_3', 'mer_4'])
    expect(await idsAfter('mer_4')).toEqual([])
  })

  it('creates a secret once, even when several processes ask for it at once', async () => {
    const directories = Array.from({ length: 4 }, () => store.open().directory)
    const secrets = await Promise.all(
      directories.map((node) => node.secret('client-secret', () => randomBytes(32))),
    )
    expect(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(1)
    const other = await directory.secret('checkout', () => randomBytes(32))
    expect(other).not.toEqual(secrets[0])
    expect(await directory.secret('checkout', () => randomBytes(32))).toEqual(other)
  })

  describe('assigns address indexes', () => {
    const { xpub } = merchant
    const take = (count: number, node = directory) => node.takeDepositIndexes(xpub ?? '', count)

    it('in consecutive blocks, each to one caller, separately for each key', async () => {
      const directories = Array.from({ length: 4 }, () => store.open().directory)
      const taken = await Promise.all(
        Array.from({ length: 40 }, (_, i) => take(3, directories[i % 4] ?? directory)),
      )
      const firsts = taken.map(({ first }) => first).sort((a, b) => a - b)
      expect(firsts).toEqual(firsts.map((_, index) => index * 3))
      expect(await directory.takeDepositIndexes('another', 64)).toEqual({ first: 0, count: 64 })
    })

    it('far above every index used with the key, if the counter is lost', async () => {
      const twin = { ...merchant, id: 'mer_2' }
      await directory.addMerchant(twin)
      for (const [merchantId, depositIndex] of [
        [merchant.id, 41],
        [twin.id, 7],
      ] as const) {
        const payment = new ScriptedPayment({ merchantId, depositIndex })
        await store.node().append({ appends: [payment.opening()] })
      }
      expect(await take(64)).toEqual({ first: 42 + 2 ** 20, count: 64 })
      expect(await take(64)).toEqual({ first: 42 + 64 + 2 ** 20, count: 64 })
    })

    it('far above the last one in a database that was restored on another cluster', async () => {
      await take(3)
      await queryAs(store.url, `update deposit_counter set lineage = '7658/00000001'`)
      expect(await take(1)).toEqual({ first: 3 + 2 ** 20, count: 1 })
      expect(await take(1)).toEqual({ first: 4 + 2 ** 20, count: 1 })
    })

    it('until the public key has no more children', async () => {
      await take(1)
      await queryAs(store.url, `update deposit_counter set next_index = ${2 ** 31 - 3}`)
      expect(await take(64)).toEqual({ first: 2 ** 31 - 3, count: 3 })
      await expect(take(64)).rejects.toMatchObject({ code: 'merchant_cannot_receive' })
    })
  })
})

it('an address index is never assigned again after recovery from an older state', async () => {
  const postgres = await startPostgres()
  const open = () => openStore({ url: postgres.url, clock: systemClock, log: silentLog })
  const before = open()
  expect(await before.directory.takeDepositIndexes('xpub', 2)).toEqual({ first: 0, count: 2 })
  await before.close()
  await postgres.kill9()
  // As a restore from an archive does: recover, then continue on a new timeline.
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
  expect(await after.directory.takeDepositIndexes('xpub', 1)).toEqual({
    ...{ first: 2 + 2 ** 20, count: 1 },
  })
  await after.close()
  await postgres.stop()
})
