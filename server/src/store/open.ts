import type { Directory, Keys } from '../access.ts'
import type { Bulletin, Feeds, Leases } from '../node-ports.ts'
import type { Clock, EventStore, Log, Policies } from '../ports.ts'
import type { Rescans } from '../rescan-ports.ts'
import { Database } from './database.ts'
import { PostgresDirectory } from './directory.ts'
import { PostgresEvents } from './events.ts'
import { PostgresKeys } from './keys.ts'
import { PostgresNodes } from './nodes.ts'
import { PostgresPolicies } from './policies.ts'
import { PostgresRescans } from './rescans.ts'
import type { StoreTrouble } from './sql-error.ts'
import { WriteProof } from './write-proof.ts'

/** Everything that is kept, on one pool of connections. */
export interface Store {
  readonly events: EventStore & Feeds
  readonly directory: Directory
  readonly keys: Keys
  readonly policies: Policies
  /** What processes on this database know of each other. */
  readonly nodes: Leases & Bulletin
  readonly rescans: Rescans
  /** Makes a change, at most every few seconds: null when it was committed, else why not. */
  proveWrites(): Promise<StoreTrouble | null>
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
  // A lease must not be lost because everybody else is reading.
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
