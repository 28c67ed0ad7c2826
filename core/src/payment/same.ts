import type { Inclusion, Transaction } from './payment.ts'

type Flat = string | number | bigint | boolean | null | undefined

/** Whether two flat objects have the same members; a missing member equals null. */
export function isSame<Part extends object>(a: Part | null = null, b: Part | null = null): boolean {
  if (a === b || a === null || b === null) return a === b
  return holds(a, b) && holds(b, a)
}

function holds(a: object, b: object): boolean {
  const other = b as Record<string, Flat> // its members are only compared
  return Object.entries(a).every(([key, member]) => (member ?? null) === (other[key] ?? null))
}

/** Whether two lists have equal members in the same order. */
const areSame = (a: readonly object[], b: readonly object[]): boolean =>
  a === b || (a.length === b.length && a.every((part, at) => isSame(part, b[at])))

/** Compares member by member: encoding both as text would cost as much as storing them. */
export const isSameInclusion = (a: Inclusion, b: Inclusion): boolean =>
  a === b ||
  (a.view === b.view &&
    a.canonical === b.canonical &&
    a.outcome === b.outcome &&
    isSame(a.block, b.block) &&
    areSame(a.transfers, b.transfers) &&
    isSame(a.shownBy, b.shownBy))

/**
 * Whether two versions of a transaction are equal. Inclusions and denials are compared by identity,
 * because merging keeps the object if nothing in it changed.
 */
export const isSameTransaction = (a: Transaction, b: Transaction): boolean =>
  a === b ||
  (a.inclusions === b.inclusions &&
    a.denials === b.denials &&
    a.seenAt === b.seenAt &&
    isSame(a.hint, b.hint) &&
    isSame(a.mempool, b.mempool) &&
    isSame(a.contest, b.contest) &&
    a.preconfirmed === b.preconfirmed &&
    a.claimed === b.claimed &&
    (a.droppedView ?? null) === (b.droppedView ?? null))
