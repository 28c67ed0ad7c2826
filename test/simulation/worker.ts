/** One worker process of a run: runs the worlds it is sent, one at a time per given database. */
import { argv, exit } from 'node:process'
import { faultNamed } from './fault-table.ts'
import type { Outcome } from './outcome.ts'
import { plant } from './planted-faults.ts'

/** A message from the run to a worker. */
export type Order = { readonly seed: number } | 'end'

const [fault = '', ...databases] = argv.slice(2)
if (fault !== '-') plant(faultNamed(fault))

// Imported after `plant`, because modules loaded earlier would not contain the fault.
const { Lane } = await import('./lane.ts')
const lanes = databases.map((url) => new Lane(url))
const idle = [...lanes]
const tell = (outcome: Outcome | 'ready'): void => {
  process.send?.(outcome)
}

process.on('message', (order: Order) => {
  if (order === 'end') {
    void Promise.all(lanes.map((lane) => lane.close())).then(() => exit(0))
    return
  }
  const lane = idle.pop()
  if (lane === undefined) throw new Error('more seeds at once than lanes')
  lane
    .run(order.seed)
    .catch((error: unknown) => brokenBy(order.seed, error))
    .then((outcome) => {
      idle.push(lane)
      tell(outcome)
    })
})
process.on('disconnect', () => exit(1))
tell('ready')

/** The world itself could not continue, which is a violation like any other. */
const brokenBy = (seed: number, error: unknown): Outcome => ({
  ...{ seed, hash: '', steps: 0, events: 0, tally: {}, trace: null },
  violations: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
})
