import { canonicalJson } from './canonical-json.ts'
import type { BlockRef, SeenTransfer } from './observation.ts'
import type { Inclusion, Transaction } from './payment.ts'
import { isSame, isSameInclusion } from './same.ts'

/** The transaction with what was said of it in one block; its inclusions stay the same where that is known. */
export function withInclusion(known: Transaction, blockHash: string, said: Inclusion): Transaction {
  const before = known.inclusions[blockHash]
  const after = before === undefined ? said : mergeInclusion(before, said)
  if (before !== undefined && isSameInclusion(before, after)) return known
  return { ...known, inclusions: { ...known.inclusions, [blockHash]: after } }
}

/** A lagging node may see less of one block than another, never something else: more wins. */
const outcomeRank: Record<Inclusion['outcome'], number> = {
  unknown: 0,
  replaced: 1,
  paid_elsewhere: 2,
  reverted: 3,
  paid: 4,
}

function mergeInclusion(a: Inclusion, b: Inclusion): Inclusion {
  const later = a.view >= b.view ? a : b
  const canonical = a.view === b.view ? a.canonical || b.canonical : later.canonical
  const outcome = outcomeRank[a.outcome] >= outcomeRank[b.outcome] ? a.outcome : b.outcome
  return {
    view: later.view,
    canonical,
    outcome,
    block: sameBlock(a.block, b.block),
    transfers: outcome === 'paid' ? inOrder([...a.transfers, ...b.transfers]) : [],
    sources: [...new Set([...a.sources, ...b.sources])].sort(),
  }
}

/** One hash is one block; should two sources still disagree on its time, the earlier one counts. */
function sameBlock(a: BlockRef | null, b: BlockRef | null): BlockRef | null {
  if (a === null || b === null) return a ?? b
  if (a.minedAt !== b.minedAt) return a.minedAt < b.minedAt ? a : b
  return isSame(a, b) || canonicalJson(a) <= canonicalJson(b) ? a : b
}

/** One of each place, by place. */
export function inOrder(transfers: readonly SeenTransfer[]): readonly SeenTransfer[] {
  if (transfers.length <= 1) return transfers
  const byOrdinal = new Map<string, SeenTransfer>()
  for (const transfer of transfers) {
    const key = String(transfer.ordinal)
    const known = byOrdinal.get(key)
    byOrdinal.set(key, known === undefined ? transfer : lesser(known, transfer))
  }
  return [...byOrdinal.entries()]
    .sort(([x], [y]) => (x < y ? -1 : 1))
    .map(([, transfer]) => transfer)
}

/**
 * A hash fixes what it asks for and what it moves, so two words on one place that differ are a lie:
 * the smaller is believed.
 */
export function lesser(a: SeenTransfer, b: SeenTransfer): SeenTransfer {
  if (a.amount !== b.amount) return a.amount < b.amount ? a : b
  return isSame(a, b) || transferText(a) <= transferText(b) ? a : b
}

const transferText = (transfer: SeenTransfer): string =>
  canonicalJson({ ...transfer, amount: transfer.amount.toString() })
