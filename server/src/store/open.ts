import type { Directory } from '../access.ts'
import type { Feeds } from '../node-ports.ts'
import type { Clock, EventStore, Log, Policies } from '../ports.ts'
import { Database } from './database.ts'
import { PostgresDirectory } from './directory.ts'
import { PostgresEvents } from './events.ts'
import { PostgresPolicies } from './policies.ts'
import type { StoreTrouble } from './sql-error.ts'
import { WriteProof } from './write-proof.ts'

/** Everything that is kept, on one pool of connections. */
export interface Store {
  readonly events: EventStore & Feeds
  readonly directory: Directory
  readonly policies: Policies
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
  const proof = new WriteProof(database, options.clock)
  return {
    events: new PostgresEvents(database, options.clock),
    directory: new PostgresDirectory(database),
    policies: new PostgresPolicies(database),
    proveWrites: () => proof.prove(),
    close: () => database.close(),
  }
}
