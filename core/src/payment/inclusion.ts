import { canonicalJson } from '../history/canonical-json.ts'
import type { BlockRef, SeenTransfer, Source } from './observation.ts'
import type { Inclusion, Transaction, Views } from './payment.ts'
import { isSame, isSameInclusion } from './same.ts'

/** Adds a report on one block to a transaction. Returns the same object when it adds nothing. */
export function withInclusion(
  known: Transaction,
  blockHash: string,
  report: Inclusion,
): Transaction {
  const before = known.inclusions[blockHash]
  const after = before === undefined ? report : mergeInclusion(before, report)
  if (before !== undefined && isSameInclusion(before, after)) return known
  return { ...known, inclusions: { ...known.inclusions, [blockHash]: after } }
}

/**
 * Adds a source's denial of one block to a transaction. Returns the same object when it adds
 * nothing.
 */
export function withDenial(
  known: Transaction,
  blockHash: string,
  { source, view }: { readonly source: Source; readonly view: number },
): Transaction {
  const { denials = {} } = known
  const before = denials[blockHash] ?? {}
  const after = laterViews(before, viewsOf([source], view))
  if (isSame(before, after)) return known
  return { ...known, denials: { ...denials, [blockHash]: after } }
}

/** These sources, all with the same view. */
export const viewsOf = (sources: readonly Source[], view: number): Views =>
  Object.fromEntries([...sources].sort().map((source) => [source, view]))

/** The later view of each source, sorted by name. */
function laterViews(a: Views, b: Views): Views {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
  return Object.fromEntries(
    names.map((source) => [source, Math.max(a[source] ?? 0, b[source] ?? 0)]),
  )
}

/** A lagging node may see less of a block than another node, but nothing different: more wins. */
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
  const [more, less] = outcomeRank[a.outcome] >= outcomeRank[b.outcome] ? [a, b] : [b, a]
  const { outcome } = more
  return {
    view: later.view,
    canonical,
    outcome,
    block: sameBlock(a.block, b.block),
    transfers: outcome === 'paid' ? inOrder([...a.transfers, ...b.transfers]) : [],
    // Sources of the lesser outcome have not shown this one.
    shownBy: outcome === less.outcome ? laterViews(a.shownBy, b.shownBy) : more.shownBy,
  }
}

/** A hash identifies one block; if two sources report different times, the earlier one counts. */
function sameBlock(a: BlockRef | null, b: BlockRef | null): BlockRef | null {
  if (a === null || b === null) return a ?? b
  if (a.minedAt !== b.minedAt) return a.minedAt < b.minedAt ? a : b
  return isSame(a, b) || canonicalJson(a) <= canonicalJson(b) ? a : b
}

/** One transfer per part, sorted by part. */
export function inOrder(transfers: readonly SeenTransfer[]): readonly SeenTransfer[] {
  if (transfers.length <= 1) return transfers
  const byPart = new Map<string, SeenTransfer>()
  for (const transfer of transfers) {
    const key = String(transfer.part)
    const known = byPart.get(key)
    byPart.set(key, known === undefined ? transfer : lesser(known, transfer))
  }
  return [...byPart.entries()].sort(([x], [y]) => (x < y ? -1 : 1)).map(([, transfer]) => transfer)
}

/**
 * A hash fixes what a transaction asks for and moves. If two reports on one part differ, one is
 * false: take the smaller amount. Of two sums over one block take the one of more transfers: a
 * lagging node sees fewer.
 */
export function lesser(a: SeenTransfer, b: SeenTransfer): SeenTransfer {
  const [countA, countB] = [a.count ?? 1, b.count ?? 1]
  if (countA !== countB) return countA > countB ? a : b
  if (a.amount !== b.amount) return a.amount < b.amount ? a : b
  return isSame(a, b) || transferText(a) <= transferText(b) ? a : b
}

const transferText = (transfer: SeenTransfer): string =>
  canonicalJson({ ...transfer, amount: transfer.amount.toString() })
