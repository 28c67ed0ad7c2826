import type { PlantedFault } from './planted-faults.ts'

/** Five rules, each broken in the way in which somebody would break it. */
export const faultTable: readonly PlantedFault[] = [
  {
    name: 'count-by-hash',
    breaks: 'Two movements in one transaction are two: the ordinal is part of their identity.',
    edits: [
      {
        file: 'core/src/facts.ts',
        find: '    const key = String(transfer.ordinal)\n',
        replace: '    const key = transfer.txHash\n',
      },
    ],
  },
]

export function faultNamed(name: string): PlantedFault {
  const fault = faultTable.find((each) => each.name === name)
  if (fault === undefined) throw new Error(`no fault ${name}`)
  return fault
}
