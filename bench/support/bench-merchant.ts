import { makeId } from '@settlewire/core/id'
import { systemClock as clock } from '../../server/src/clock.ts'
import { hashKey, mintKey } from '../../server/src/credential.ts'
import { readPepper } from '../../server/src/pepper.ts'
import type { Store } from '../../server/src/store/open.ts'

/** Adds a merchant for test money with a secret key. `home` is the server's data directory. */
export async function addMerchant(
  { directory, keys }: Pick<Store, 'directory' | 'keys'>,
  home: string,
): Promise<{ merchantId: string; key: string }> {
  const createdAt = clock.now()
  const merchantId = makeId('mer', createdAt, clock.random(10))
  await directory.addMerchant({ id: merchantId, name: 'A shop', xpub: null, createdAt })
  const { key, prefix } = mintKey('secret', false, clock)
  const id = makeId('key', createdAt, clock.random(10))
  const what = { kind: 'secret' as const, scopes: [], livemode: false }
  const hash = hashKey(readPepper(home, clock), key)
  await keys.add({ id, merchantId, prefix, createdAt, ...what }, hash)
  return { merchantId, key }
}
