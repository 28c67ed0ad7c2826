import { Failure } from '@settlewire/core/errors'
import type { ApiKey, Directory, Keys, Merchant } from '../ports/access.ts'
import type { Clock } from '../ports/clock.ts'
import { isLive } from './show.ts'

const pageSize = 1_000

/** The merchant with this id. Throws `not_found`. */
export async function existing(directory: Directory, id: string): Promise<Merchant> {
  const merchant = await directory.merchant(id)
  if (merchant !== null) return merchant
  throw new Failure('not_found', `Unknown merchant ${id} in this database.`)
}

/** All merchants, in the order of their creation. */
export const everyMerchant = (directory: Directory): Promise<Merchant[]> =>
  everyPage((after) => directory.merchants(after, pageSize))

/** All keys of one merchant; null: of all merchants. */
export const everyKey = (keys: Keys, merchantId: string | null): Promise<ApiKey[]> =>
  everyPage((after) => keys.list({ merchantId, after, limit: pageSize }))

/** All keys that are neither revoked nor expired. */
export async function activeKeys(
  keys: Keys,
  merchantId: string | null,
  clock: Pick<Clock, 'now'>,
): Promise<ApiKey[]> {
  const now = clock.now()
  return (await everyKey(keys, merchantId)).filter((key) => isLive(key, now))
}

async function everyPage<T extends { readonly id: string }>(
  read: (after: string) => Promise<readonly T[]>,
): Promise<T[]> {
  const all: T[] = []
  for (;;) {
    const page = await read(all.at(-1)?.id ?? '')
    all.push(...page)
    if (page.length < pageSize) return all
  }
}
