import type { BlockRef } from '@settlewire/core/payment/observation'
import { blockAt } from './branch.ts'

/** How a provider's head relates to the stored chain. `unknown`: the blocks between are unknown. */
export type HeadRelation = 'at' | 'behind' | 'ahead' | 'apart' | 'unknown'

/** What a vote needs to know about a provider. */
export interface Voter {
  readonly ref: BlockRef
  /** The hash that it is known to have at a number; null when unknown. */
  readonly at: (number: number) => string | null
  /** Whether its vote counts: that of a lagging provider without new heads does not. */
  readonly counts: boolean
  readonly lags: boolean
}

/** Compares a head with the stored chain (newest first), by hashes alone. */
export function headRelation(
  { ref, at }: Pick<Voter, 'ref' | 'at'>,
  recent: readonly BlockRef[],
): HeadRelation {
  const [ours] = recent
  if (ours === undefined) return 'unknown'
  if (ref.hash === ours.hash) return 'at'
  if (ref.number <= ours.number) {
    const stored = blockAt(recent, ref.number)
    return stored === undefined || stored.hash === ref.hash ? 'behind' : 'apart'
  }
  const known = ref.number === ours.number + 1 ? ref.parentHash : at(ours.number)
  if (known === null) return 'unknown'
  return known === ours.hash ? 'ahead' : 'apart'
}

/** Whether two providers are known to be on one branch, compared at the lower of their heads. */
export const together = (a: Pick<Voter, 'ref' | 'at'>, b: Pick<Voter, 'ref' | 'at'>): boolean => {
  const height = Math.min(a.ref.number, b.ref.number)
  const hashOf = ({ ref, at }: Pick<Voter, 'ref' | 'at'>) =>
    ref.number === height ? ref.hash : at(height)
  const hash = hashOf(a)
  return hash !== null && hash === hashOf(b)
}

/**
 * Which branch to follow: the one with more votes (not every provider's vote counts); in a tie
 * ours, unless all providers on it lag. Null: stay on ours. Otherwise the providers of the branch
 * to follow.
 */
export function elect<Member extends Voter>(
  ours: readonly Member[],
  apart: readonly Member[],
): readonly Member[] | null {
  const branches: Member[][] = []
  for (const voter of apart) {
    const branch = branches.find(([first]) => first !== undefined && together(first, voter))
    if (branch === undefined) branches.push([voter])
    else branch.push(voter)
  }
  const votes = (members: readonly Member[]): number =>
    members.filter(({ counts }) => counts).length
  const top = (members: readonly Member[]): number =>
    Math.max(...members.map(({ ref }) => ref.number))
  const [best] = branches.toSorted((a, b) => votes(b) - votes(a) || top(b) - top(a))
  if (best === undefined || votes(best) < votes(ours)) return null
  if (votes(best) > votes(ours) || ours.every(({ lags }) => lags)) return best
  return null
}
