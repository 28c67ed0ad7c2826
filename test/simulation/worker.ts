/** One worker process of a run: runs the worlds it is sent, one at a time per database. */
import { argv, exit } from 'node:process'
import { faultNamed } from './fault-table.ts'
import type { Lane as LaneOf } from './lane.ts'
import type { Outcome } from './outcome.ts'
import { plant } from './planted-faults.ts'

/** A message from the run to a worker. */
export type Order = SeedOrder | 'end'

export interface SeedOrder {
  readonly seed: number
  readonly database: string
  /** A database that is no longer used, because this one replaces it. */
  readonly replaced: string | null
}

const [fault = ''] = argv.slice(2)
if (fault !== '-') plant(faultNamed(fault))

// Imported after `plant`, because modules loaded earlier would not contain the fault.
const { Lane } = await import('./lane.ts')
const lanes = new Map<string, LaneOf>()
const tell = (outcome: Outcome | 'ready'): void => {
  process.send?.(outcome)
}

process.on('message', (order: Order) => {
  if (order === 'end') {
    void Promise.all([...lanes.values()].map((lane) => lane.close())).then(() => exit(0))
    return
  }
  void run(order).then(tell)
})
process.on('disconnect', () => exit(1))
tell('ready')

async function run({ seed, database, replaced }: SeedOrder): Promise<Outcome> {
  if (replaced !== null) {
    await lanes.get(replaced)?.close()
    lanes.delete(replaced)
  }
  const lane = lanes.get(database) ?? new Lane(database)
  lanes.set(database, lane)
  return lane.run(seed).catch((error: unknown) => brokenBy(seed, error))
}

/** The world itself could not continue, which is a violation like any other. */
const brokenBy = (seed: number, error: unknown): Outcome => ({
  ...{ seed, hash: '', steps: 0, events: 0, tally: {}, trace: null },
  violations: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
})
