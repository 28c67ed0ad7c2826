import { systemClock } from '../../server/src/clock.ts'
import { silentLog } from '../../server/src/log.ts'
import { Database } from '../../server/src/store/database.ts'
import { PostgresEvents } from '../../server/src/store/history/events.ts'
import { PostgresDirectory } from '../../server/src/store/payment/directory.ts'
import { Ending } from './ending.ts'
import type { Outcome } from './outcome.ts'
import { Story } from './story.ts'
import { bornAt, World } from './world.ts'

/** Runs worlds one after another in its own database. */
export class Lane {
  readonly #database: Database

  constructor(url: string) {
    this.#database = new Database({ url, log: silentLog, connectionsMax: 2 })
  }

  async run(seed: number): Promise<Outcome> {
    const database = this.#database
    const world = new World(seed, (clock) => ({
      events: new PostgresEvents(database, clock),
      directory: new PostgresDirectory(database),
    }))
    const { merchantId } = world.rules
    const directory = new PostgresDirectory(database)
    const xpub = `xpub-${merchantId}`
    await directory.addMerchant({ id: merchantId, name: 'A shop', xpub, createdAt: bornAt })
    const story = new Story(world)
    await story.tell()
    const ending = new Ending(world)
    if (!world.isBroken) await ending.tell()
    for (const life of world.lives) life.die()
    if (!world.isBroken) await ending.check(new PostgresEvents(database, systemClock))
    // Ends open watches, so that they do not affect the next world.
    await database.query({ name: 'end_watches', text: endWatches }, [])
    const { violations } = world.ledger
    return {
      ...{ seed, violations, hash: world.trace.hash, steps: world.timeline.happened },
      ...{ events: world.ledger.feed.position, tally: world.readers.tally },
      denials: world.denials.count,
      trace: violations.length > 0 ? world.trace.text : null,
    }
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

const endWatches = 'update subject set due_at = null where due_at is not null'
