import { unreachable } from './assert.ts'
import { canonicalJson } from './canonical-json.ts'
import type {
  BlockRef,
  Claimed,
  Dropped,
  HeadMoved,
  Included,
  MempoolSeen,
  MovedNothing,
  Observation,
  Reorged,
  Resolved,
  RivalSeen,
  SeenTransfer,
  Slot,
} from './observation.ts'
import type { Facts, Inclusion, Resolution, Terms, Transaction } from './payment.ts'
import { plain } from './plain-json.ts'
import type { ChainHead } from './policy.ts'
import { wasSeen } from './transaction.ts'

/** Nothing observed yet. */
export const noFacts: Facts = { transactions: [], heads: {}, clock: null, withdrawn: null }

/**
 * Adds one observation to what is known. Commutative, associative and idempotent: any order and any
 * duplication of the same observations gives the same facts. What a block says of a transaction is
 * decided by the highest view, never by what arrived last.
 */
export function merge(facts: Facts, observation: Observation, terms: Terms): Facts {
  switch (observation.kind) {
    case 'mempool':
      return withTransaction(facts, observation, seenPending)
    case 'included':
      return withTransaction(facts, observation, seenIncluded)
    case 'moved_nothing':
      return withTransaction(facts, observation, seenMovedNothing)
    case 'reorged':
      return withTransaction(facts, observation, seenReorged)
    case 'rival':
      return withTransaction(facts, observation, seenRival)
    case 'claimed':
      return withTransaction(facts, observation, (known) => ({ ...known, claimed: true }))
    case 'dropped':
      return withTransaction(facts, observation, seenDropped)
    case 'head':
      return withHead(facts, observation)
    case 'clock': {
      const chains = new Set(terms.accept.map((accept) => accept.chain))
      const through = [...chains].map((chain) => observation.scannedThrough[chain] ?? 0)
      const at = Math.max(facts.clock?.at ?? 0, observation.at)
      const scannedThrough = Math.max(facts.clock?.scannedThrough ?? 0, Math.min(...through))
      return { ...facts, clock: { at, scannedThrough } }
    }
    case 'withdrawn': {
      const { at, reason } = observation
      const { withdrawn } = facts
      const isFirst =
        withdrawn === null ||
        at < withdrawn.at ||
        (at === withdrawn.at && reason < withdrawn.reason)
      return isFirst ? { ...facts, withdrawn: { at, reason } } : facts
    }
    case 'resolved':
      return withResolution(facts, observation)
    default:
      return unreachable(observation)
  }
}

type OfTransaction = MempoolSeen | RivalSeen | Claimed | Dropped | Included | MovedNothing | Reorged

const hashOf = (seen: OfTransaction): string =>
  seen.kind === 'mempool' ? seen.transfer.txHash : seen.txHash

/** Answers the very same facts when the observation adds nothing to its transaction. */
function withTransaction<Seen extends OfTransaction>(
  facts: Facts,
  seen: Seen,
  add: (known: Transaction, seen: Seen) => Transaction,
): Facts {
  const { transactions } = facts
  const place = { chain: seen.chain, txHash: hashOf(seen) }
  const at = transactions.findIndex((transaction) => !isBefore(transaction, place))
  const found = at < 0 ? undefined : transactions[at]
  const isKnown = found?.chain === place.chain && found.txHash === place.txHash
  const none = { ...place, hint: null, mempool: null, seenAt: seen.at, inclusions: {} }
  const known = isKnown ? found : none
  const next = { ...add(known, seen), seenAt: seenAtOf(known, seen) }
  if (isKnown && textOf(known) === textOf(next)) return facts
  const into = at < 0 ? transactions.length : at
  return { ...facts, transactions: transactions.toSpliced(into, isKnown ? 1 : 0, next) }
}

/** The first sighting; while there is none, since when it is looked for. A payer's word is no sighting. */
function seenAtOf(known: Transaction, seen: OfTransaction): number {
  const isSighting = seen.kind !== 'claimed' && seen.kind !== 'dropped'
  if (isSighting === wasSeen(known)) return Math.min(known.seenAt, seen.at)
  return isSighting ? seen.at : known.seenAt
}

type Place = Pick<Transaction, 'chain' | 'txHash'>

const isBefore = (a: Place, b: Place): boolean =>
  a.chain === b.chain ? a.txHash < b.txHash : a.chain < b.chain

const textOf = (transaction: Transaction): string => canonicalJson(plain(transaction))

function seenPending(known: Transaction, seen: MempoolSeen): Transaction {
  const hint = known.hint === null ? seen.transfer : lesser(known.hint, seen.transfer)
  const mempool = laterMempool(known.mempool, { view: seen.view, known: true })
  return {
    ...{ ...known, hint, mempool },
    ...slotOf(known, seen.slot),
    ...(seen.preconfirmed === true && { preconfirmed: true }),
  }
}

function seenRival(known: Transaction, seen: RivalSeen): Transaction {
  const mempool = laterMempool(known.mempool, { view: seen.view, known: true })
  return { ...known, mempool, ...slotOf(known, seen.slot) }
}

function seenDropped(known: Transaction, { view }: Dropped): Transaction {
  return { ...known, droppedView: Math.max(known.droppedView ?? 0, view) }
}

/** A hash fixes its slot, so two slots of one hash that differ are a lie: the first in order is kept. */
function slotOf(known: Transaction, slot: Slot | undefined): { slot?: Slot } {
  if (slot === undefined) return {}
  if (known.slot === undefined || known.slot === null) return { slot }
  return { slot: slotText(known.slot) <= slotText(slot) ? known.slot : slot }
}

const slotText = (slot: Slot): string => canonicalJson(plain(slot))

/** A hash fixes its calldata, so two hints of one hash that differ are a lie: believe the smaller. */
function lesser(a: SeenTransfer, b: SeenTransfer): SeenTransfer {
  if (a.amount !== b.amount) return a.amount < b.amount ? a : b
  return transferText(a) <= transferText(b) ? a : b
}

const transferText = (transfer: SeenTransfer): string =>
  canonicalJson({ ...transfer, amount: transfer.amount.toString() })

type Mempool = NonNullable<Transaction['mempool']>

function laterMempool(a: Mempool | null, b: Mempool): Mempool {
  if (a === null || b.view > a.view) return b
  return a.view > b.view ? a : { view: a.view, known: a.known || b.known }
}

function seenIncluded(known: Transaction, seen: Included): Transaction {
  const called = {
    ...(seen.hint && { hint: known.hint === null ? seen.hint : lesser(known.hint, seen.hint) }),
    ...slotOf(known, seen.slot),
  }
  return withInclusion({ ...known, ...called }, seen.block.hash, {
    view: seen.view,
    canonical: true,
    outcome: 'paid',
    block: seen.block,
    transfers: seen.transfers,
    sources: [...new Set([seen.source, ...(seen.alsoSeenBy ?? [])])].sort(),
  })
}

function seenMovedNothing(known: Transaction, seen: MovedNothing): Transaction {
  return withInclusion(known, seen.block.hash, {
    view: seen.view,
    canonical: true,
    outcome: seen.reason,
    block: seen.block,
    transfers: [],
    sources: [seen.source],
  })
}

function seenReorged(known: Transaction, seen: Reorged): Transaction {
  const reorged = withInclusion(known, seen.blockHash, {
    view: seen.view,
    canonical: false,
    outcome: 'unknown',
    block: null,
    transfers: [],
    sources: [],
  })
  const mempool = laterMempool(known.mempool, { view: seen.view, known: seen.inMempool })
  return { ...reorged, mempool }
}

function withInclusion(known: Transaction, blockHash: string, said: Inclusion): Transaction {
  const before = known.inclusions[blockHash]
  const inclusion = before === undefined ? said : mergeInclusion(before, said)
  return { ...known, inclusions: { ...known.inclusions, [blockHash]: inclusion } }
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
    transfers: outcome === 'paid' ? unionTransfers(a.transfers, b.transfers) : [],
    sources: [...new Set([...a.sources, ...b.sources])].sort(),
  }
}

function withResolution(facts: Facts, { kind: _, source: __, ...said }: Resolved): Facts {
  const known = facts.resolutions ?? []
  const text = resolutionText(said)
  if (known.some((resolution) => resolutionText(resolution) === text)) return facts
  const resolutions = [...known, said].sort(
    (a, b) => a.at - b.at || (resolutionText(a) < resolutionText(b) ? -1 : 1),
  )
  return { ...facts, resolutions }
}

const resolutionText = (resolution: Resolution): string => canonicalJson(plain(resolution))

function withHead(
  facts: Facts,
  { kind: _, source: __, at: ___, chain, ...said }: HeadMoved,
): Facts {
  const known = facts.heads[chain]
  const head = known === undefined ? headOf(said) : laterHead(known, headOf(said))
  return head === known ? facts : { ...facts, heads: { ...facts.heads, [chain]: head } }
}

/** What says nothing is left out, as in heads that were stored before anybody counted. */
const headOf = ({ witnesses = 1, disagree = false, ...head }: ChainHead): ChainHead => ({
  ...head,
  ...(witnesses !== 1 && { witnesses }),
  ...(disagree && { disagree }),
})

/** The later view, then the longer branch. Of two words on one head the more careful one is kept. */
function laterHead(a: ChainHead, b: ChainHead): ChainHead {
  if (a.view !== b.view) return a.view > b.view ? a : b
  if (a.head !== b.head) return a.head > b.head ? a : b
  const both = headOf({
    ...{ view: a.view, head: a.head },
    safe: furthest(a.safe, b.safe),
    finalized: furthest(a.finalized, b.finalized),
    witnesses: Math.max(a.witnesses ?? 1, b.witnesses ?? 1),
    disagree: a.disagree === true || b.disagree === true,
  })
  return canonicalJson(a) === canonicalJson(both) ? a : both
}

const furthest = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b)

/** One hash is one block; should two sources still disagree on its time, the earlier one counts. */
function sameBlock(a: BlockRef | null, b: BlockRef | null): BlockRef | null {
  if (a === null || b === null) return a ?? b
  if (a.minedAt !== b.minedAt) return a.minedAt < b.minedAt ? a : b
  return canonicalJson(a) <= canonicalJson(b) ? a : b
}

function unionTransfers(
  a: readonly SeenTransfer[],
  b: readonly SeenTransfer[],
): readonly SeenTransfer[] {
  const byOrdinal = new Map<string, SeenTransfer>()
  for (const transfer of [...a, ...b]) {
    const key = String(transfer.ordinal)
    const known = byOrdinal.get(key)
    byOrdinal.set(key, known === undefined ? transfer : lesser(known, transfer))
  }
  return [...byOrdinal.entries()]
    .sort(([x], [y]) => (x < y ? -1 : 1))
    .map(([, transfer]) => transfer)
}
