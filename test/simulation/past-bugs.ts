import type { PlantedFault } from './planted-faults.ts'

/**
 * What the simulation has found in earlier states of these sources, each as the edit that brings it
 * back and the seed that finds it: so a fixed case proves what it is kept for. Without the edit the
 * same seed is lived in every run.
 */
export interface PastBug extends PlantedFault {
  readonly seed: number
}

export const pastBugs: readonly PastBug[] = [
  {
    name: 'not-recalled',
    breaks: 'What waits for a second provider is asked for again after a restart.',
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
      'What one provider hid from a process that ended is shown by the others to the next one.',
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
      'What failed in a block before a slow node told of it as pending is settled in the end.',
    seed: 39,
    edits: [
      {
        file: 'server/src/engine/time/time-outs.ts',
        find: "if (found.kind === 'mined') await",
        replace: "if (found.kind === 'mined' && chain === '') await",
      },
    ],
  },
]
