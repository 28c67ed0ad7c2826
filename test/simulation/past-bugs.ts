import type { PlantedFault } from './planted-faults.ts'

/**
 * Bugs that the simulation has found, each as an edit that brings it back, with the seed that finds
 * it: this proves that the test still detects a fixed bug. Without the edit the same seed is part
 * of every run.
 */
export interface PastBug extends PlantedFault {
  readonly seed: number
}

export const pastBugs: readonly PastBug[] = [
  {
    name: 'not-recalled',
    breaks: 'After a restart the follower asks again for blocks that wait for a second provider.',
    seed: 80,
    edits: [
      {
        file: 'server/src/chain/evm/follower.ts',
        find: 'this.#poll.recall(watch.inclusions(), openOf(position))\n',
        replace: '',
      },
    ],
  },
  {
    name: 'hidden-for-good',
    breaks:
      'A transaction that one provider hid from an ended process reaches the next by the others.',
    seed: 166,
    edits: [
      {
        file: 'server/src/chain/evm/follower.ts',
        find: 'this.#poll.recall(watch.inclusions(), openOf(position))',
        replace: 'this.#poll.recall(watch.inclusions())',
      },
    ],
  },
  {
    name: 'pending-for-ever',
    breaks:
      'A transaction that failed in a block before a slow node announced it as pending is settled.',
    seed: 39,
    edits: [
      {
        file: 'server/src/engine/time/time-outs.ts',
        find: "if (found.kind === 'mined') await",
        replace: "if (found.kind === 'mined' && chain === '') await",
      },
    ],
  },
  {
    name: 'old-report-undoes-denial',
    breaks: 'A report that could not be stored never undoes a newer denial of the same provider.',
    seed: 969,
    edits: [
      {
        file: 'server/src/engine/watch/report-queue.ts',
        find: '(latest.get(keyOf(report)) ?? 0) > report.order',
        replace: 'report.order < 0',
      },
    ],
  },
]
