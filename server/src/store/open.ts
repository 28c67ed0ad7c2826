import type { Directory, Keys } from '../ports/access.ts'
import type { Clock } from '../ports/clock.ts'
import type { EventStore, Policies } from '../ports/history.ts'
import type { Log } from '../ports/log.ts'
import type { Bulletin, Feeds, Leases } from '../ports/processes.ts'
import type { Rescans } from '../ports/rescan.ts'
import { Database } from './database.ts'
import { PostgresEvents } from './history/events.ts'
import { PostgresKeys } from './keys.ts'
import { PostgresDirectory } from './payment/directory.ts'
import { PostgresPolicies } from './payment/policies.ts'
import { PostgresNodes } from './process/nodes.ts'
import { WriteProof } from './process/write-proof.ts'
import type { StoreTrouble } from './sql-error.ts'
import { PostgresRescans } from './walk/rescans.ts'

/** All stored data, over one set of connections. */
export interface Store {
  readonly events: EventStore & Feeds
  readonly directory: Directory
  readonly keys: Keys
  readonly policies: Policies
  /** Leases, and messages between processes on this database. */
  readonly nodes: Leases & Bulletin
  readonly rescans: Rescans
  /**
   * Tests whether the database accepts writes; a success counts for a few seconds. Null if it does.
   */
  proveWrites(): Promise<StoreTrouble | null>
  /** Waits for running statements, then closes every connection. */
  close(): Promise<void>
}

export interface StoreOptions {
  /** The URL of a migrated database. Contains a password: never log it. */
  readonly url: string
  readonly clock: Clock
  readonly log: Log
  readonly connectionsMax?: number
}

/** Opens the store of a migrated database. Connects at first use. */
export function openStore(options: StoreOptions): Store {
  const database = new Database(options)
  // Their own connections, so that a lease is not lost because reads occupy all others.
  const few = new Database({ ...options, connectionsMax: 2 })
  const proof = new WriteProof(database, options.clock)
  return {
    events: new PostgresEvents(database, options.clock),
    directory: new PostgresDirectory(database),
    keys: new PostgresKeys(database),
    policies: new PostgresPolicies(database),
    nodes: new PostgresNodes(few),
    rescans: new PostgresRescans(few),
    proveWrites: () => proof.prove(),
    async close() {
      await Promise.all([database.close(), few.close()])
    },
  }
}
