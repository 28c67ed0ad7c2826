import type { Observation } from './observation.ts'

/**
 * The observations in groups that are judged one by one: each decision of a person alone, and
 * between two decisions first the reorged blocks, then the rest.
 */
export function groupsIn(
  observations: readonly Observation[],
): readonly (readonly Observation[])[] {
  const groups: Observation[][] = []
  let undone: Observation[] = []
  let rest: Observation[] = []
  const close = (): void => {
    groups.push(undone, rest)
    undone = []
    rest = []
  }
  for (const observation of observations) {
    if (isByPerson(observation)) {
      close()
      groups.push([observation])
    } else if (observation.kind === 'reorged') undone.push(observation)
    else rest.push(observation)
  }
  close()
  return groups.filter(({ length }) => length > 0)
}

const isByPerson = ({ kind }: Observation): boolean => kind === 'withdrawn' || kind === 'resolved'

/**
 * Head and clock report how far the chain was read: they change the depth of money and the time
 * that has passed, never the block of money.
 */
export const isByRead = ({ kind }: Observation): boolean => kind === 'head' || kind === 'clock'
