import type { Directory } from '../access.ts'
import type { Clock, EventStore, Log, Policies } from '../ports.ts'
import { Database } from './database.ts'
import { PostgresDirectory } from './directory.ts'
import { PostgresEvents } from './events.ts'
import { PostgresPolicies } from './policies.ts'

/** Everything that is kept, on one pool of connections. */
export interface Store {
  readonly events: EventStore
  readonly directory: Directory
  readonly policies: Policies
  /** Resolves when the database answers; rejects with `store_unavailable` in bounded time. */
  ready(): Promise<void>
  /** Waits for what is running, then ends every connection. */
  close(): Promise<void>
}

export interface StoreOptions {
  /** A migrated database. Holds a password: never logged. */
  readonly url: string
  readonly clock: Clock
  readonly log: Log
  readonly connectionsMax?: number
}

/** Opens the store of a migrated database. Connects at first use. */
export function openStore(options: StoreOptions): Store {
  const database = new Database(options)
  return {
    events: new PostgresEvents(database, options.clock),
    directory: new PostgresDirectory(database),
    policies: new PostgresPolicies(database),
    async ready() {
      await database.query({ name: 'ready', text: 'select 1 from schema_migration limit 1' }, [])
    },
    close: () => database.close(),
  }
}
