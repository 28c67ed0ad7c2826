import { expect } from 'vitest'
import { queryAs } from '../../../../test/support/postgres.ts'
import { storeUnderTest } from '../../../../test/support/store-under-test.ts'
import { eventStoreContract } from '../contract.ts'

eventStoreContract('PostgreSQL', async () => {
  const store = await storeUnderTest()
  const close = async (): Promise<void> => {
    const deadlocks = `select deadlocks::integer from pg_stat_database
      where datname = current_database()`
    expect(await queryAs(store.url, deadlocks)).toEqual([{ deadlocks: 0 }])
    await store.close()
  }
  return { node: store.node, close }
})
