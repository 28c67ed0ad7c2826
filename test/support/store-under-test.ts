import { systemClock } from '../../server/src/clock.ts'
import { silentLog } from '../../server/src/log.ts'
import type { EventStore } from '../../server/src/ports/history.ts'
import { openStore, type Store } from '../../server/src/store/open.ts'
import { testDatabase } from './postgres.ts'

/** An empty history, and the requested number of nodes on it. */
export interface EventStoreUnderTest {
  node(): EventStore
  close(): Promise<void>
}

/** A new database, and the requested number of nodes on it; closing it ends them all. */
export async function storeUnderTest() {
  const database = await testDatabase()
  const opened: Store[] = []
  const open = (): Store => {
    const store = openStore({ url: database.url, clock: systemClock, log: silentLog })
    opened.push(store)
    return store
  }
  return {
    url: database.url,
    open,
    node: () => open().events,
    async close() {
      await Promise.all(opened.map((store) => store.close()))
      await database.close()
    },
  }
}
