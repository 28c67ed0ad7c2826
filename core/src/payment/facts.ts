import { unreachable } from '../assert.ts'
import { canonicalJson } from '../history/canonical-json.ts'
import { plain } from '../history/plain-json.ts'
import { inOrder, lesser, viewsOf, withDenial, withInclusion } from './inclusion.ts'
import type {
  Claimed,
  ClockRead,
  Contest,
  Denied,
  Dropped,
  HeadMoved,
  Included,
  MempoolSeen,
  MovedNothing,
  Observation,
  Quarantined,
  Reorged,
  Resolved,
  RivalSeen,
} from './observation.ts'
import type { Facts, Resolution, Terms, Transaction } from './payment.ts'
import type { ChainHead } from './policy.ts'
import { isSame, isSameTransaction } from './same.ts'
import {
  findTransaction,
  type TransactionKey,
  transactionName,
  wasSeen,
  weave,
} from './transaction.ts'

/** The facts before the first observation. */
export const noFacts: Facts = { transactions: [], heads: {}, clock: null, withdrawn: null }

/** The merged facts, and the observations that changed them, in their order. */
export interface MergedFacts {
  readonly facts: Facts
  readonly kept: readonly Observation[]
}

/** Merges one observation into the facts. */
export const merge = (facts: Facts, observation: Observation, terms: Terms): Facts =>
  mergeAll(facts, [observation], terms).facts

/**
 * Merges observations into the facts. Commutative, associative and idempotent: any order and any
 * duplication of the same observations gives the same facts. For one transaction in one block the
 * highest view decides whether the block is canonical, and the outcome that shows more counts; the
 * order of arrival never decides. The list of transactions is built once for all observations, so
 * the cost of a block with thousands is linear; it stays the same object if nothing is new.
 */
export function mergeAll(
  known: Facts,
  observations: readonly Observation[],
  terms: Terms,
): MergedFacts {
  const changed = new Map<string, Transaction>()
  const kept: Observation[] = []
  let facts = known
  for (const observation of observations) {
    if (isOfTransaction(observation)) {
      const place = { chain: observation.chain, txHash: hashOf(observation) }
      const name = transactionName(place)
      const before = changed.get(name) ?? findTransaction(known.transactions, place)
      const after = withSeen(before, observation, place)
      if (after === before) continue
      changed.set(name, after)
    } else {
      const after = withOther(facts, observation, terms)
      if (after === facts) continue
      facts = after
    }
    kept.push(observation)
  }
  if (changed.size === 0) return { facts, kept }
  return { facts: { ...facts, transactions: weave(known.transactions, changed) }, kept }
}

type OfTransaction =
  | MempoolSeen
  | RivalSeen
  | Claimed
  | Dropped
  | Included
  | MovedNothing
  | Denied
  | Reorged

const isOfTransaction = (observation: Observation): observation is OfTransaction =>
  'txHash' in observation || observation.kind === 'mempool'

const hashOf = (seen: OfTransaction): string =>
  seen.kind === 'mempool' ? seen.transfer.txHash : seen.txHash

/** Returns the same object when the observation adds nothing to the transaction. */
function withSeen(
  before: Transaction | null,
  seen: OfTransaction,
  place: TransactionKey,
): Transaction {
  const none = { ...place, hint: null, mempool: null, seenAt: seen.at, inclusions: {} }
  const known = before ?? none
  const after = { ...addSeen(known, seen), seenAt: seenAtOf(known, seen) }
  return before !== null && isSameTransaction(before, after) ? before : after
}

function addSeen(known: Transaction, seen: OfTransaction): Transaction {
  switch (seen.kind) {
    case 'mempool':
      return seenPending(known, seen)
    case 'included':
      return seenIncluded(known, seen)
    case 'moved_nothing':
      return seenMovedNothing(known, seen)
    case 'denied':
      return withDenial(known, seen.blockHash, seen)
    case 'reorged':
      return seenReorged(known, seen)
    case 'rival':
      return seenRival(known, seen)
    case 'claimed':
      return { ...known, claimed: true }
    case 'dropped':
      return seenDropped(known, seen)
    default:
      return unreachable(seen)
  }
}

/** Merges facts of the payment or of a chain. Returns the same object when nothing is new. */
function withOther(
  facts: Facts,
  observation: Exclude<Observation, OfTransaction>,
  terms: Terms,
): Facts {
  switch (observation.kind) {
    case 'head':
      return withHead(facts, observation)
    case 'clock':
      return withClock(facts, observation, terms)
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
    case 'quarantined':
      return withHeld(facts, observation)
    case 'taken_up':
      return takenUp(facts, observation.at)
    default:
      return unreachable(observation)
  }
}

function withClock(facts: Facts, { at, scannedThrough }: ClockRead, terms: Terms): Facts {
  const chains = new Set(terms.accept.map((accept) => accept.chain))
  const through = Math.min(...[...chains].map((chain) => scannedThrough[chain] ?? 0))
  const known = facts.clock
  if (known !== null && known.at >= at && known.scannedThrough >= through) return facts
  return {
    ...facts,
    clock: {
      at: Math.max(known?.at ?? 0, at),
      scannedThrough: Math.max(known?.scannedThrough ?? 0, through),
    },
  }
}

/** Kinds that report a transaction as missing, or only as possible. */
const noSightings: ReadonlySet<OfTransaction['kind']> = new Set(['claimed', 'dropped', 'denied'])

/**
 * The first sighting; before it, the start of the search for a claim. A payer's claim is not a
 * sighting.
 */
function seenAtOf(known: Transaction, seen: OfTransaction): number {
  const isSighting = !noSightings.has(seen.kind)
  if (isSighting === wasSeen(known)) return Math.min(known.seenAt, seen.at)
  return isSighting ? seen.at : known.seenAt
}

function seenPending(known: Transaction, seen: MempoolSeen): Transaction {
  const hint = known.hint === null ? seen.transfer : lesser(known.hint, seen.transfer)
  const mempool = laterMempool(known.mempool, { view: seen.view, known: true })
  return {
    ...{ ...known, hint, mempool },
    ...contestOf(known, seen.contest),
    ...(seen.preconfirmed === true && { preconfirmed: true }),
  }
}

function seenRival(known: Transaction, seen: RivalSeen): Transaction {
  const mempool = laterMempool(known.mempool, { view: seen.view, known: true })
  return { ...known, mempool, ...contestOf(known, seen.contest) }
}

function seenDropped(known: Transaction, { view }: Dropped): Transaction {
  return { ...known, droppedView: Math.max(known.droppedView ?? 0, view) }
}

/**
 * A transaction hash fixes its contest. If two contests differ, one is false; keep the lesser text.
 */
function contestOf(known: Transaction, contest: Contest | undefined): { contest?: Contest } {
  if (contest === undefined) return {}
  if (known.contest === undefined || known.contest === null) return { contest }
  if (isSame(known.contest, contest)) return { contest: known.contest }
  return { contest: contestText(known.contest) <= contestText(contest) ? known.contest : contest }
}

const contestText = (contest: Contest): string => canonicalJson(plain(contest))

type MempoolState = NonNullable<Transaction['mempool']>

function laterMempool(a: MempoolState | null, b: MempoolState): MempoolState {
  if (a === null || b.view > a.view) return b
  return a.view > b.view ? a : { view: a.view, known: a.known || b.known }
}

function seenIncluded(known: Transaction, seen: Included): Transaction {
  const called = {
    ...(seen.hint && { hint: known.hint === null ? seen.hint : lesser(known.hint, seen.hint) }),
    ...contestOf(known, seen.contest),
  }
  return withInclusion({ ...known, ...called }, seen.block.hash, {
    view: seen.view,
    canonical: true,
    outcome: 'paid',
    block: seen.block,
    transfers: inOrder(seen.transfers),
    shownBy: viewsOf([seen.source, ...(seen.alsoSeenBy ?? [])], seen.view),
  })
}

function seenMovedNothing(known: Transaction, seen: MovedNothing): Transaction {
  // A source whose receipt shows no movement denies the transfers that other sources show.
  const isRead = seen.reason !== 'replaced'
  const denied = isRead ? withDenial(known, seen.block.hash, seen) : known
  return withInclusion(denied, seen.block.hash, {
    view: seen.view,
    canonical: true,
    outcome: seen.reason,
    block: seen.block,
    transfers: [],
    shownBy: viewsOf([seen.source], seen.view),
  })
}

function seenReorged(known: Transaction, seen: Reorged): Transaction {
  const reorged = withInclusion(known, seen.blockHash, {
    view: seen.view,
    canonical: false,
    outcome: 'unknown',
    block: null,
    transfers: [],
    shownBy: {},
  })
  const mempool = laterMempool(known.mempool, { view: seen.view, known: seen.inMempool })
  return { ...reorged, mempool }
}

function withResolution(facts: Facts, { kind: _, source: __, ...resolution }: Resolved): Facts {
  const known = facts.resolutions ?? []
  const text = resolutionText(resolution)
  if (known.some((one) => resolutionText(one) === text)) return facts
  const resolutions = [...known, resolution].sort(
    (a, b) => a.at - b.at || (resolutionText(a) < resolutionText(b) ? -1 : 1),
  )
  return { ...facts, resolutions }
}

/**
 * Ignores an entry from before the last retry of held observations, in whatever order they arrive.
 */
function withHeld(facts: Facts, { at, held }: Quarantined): Facts {
  const known = facts.held ?? []
  const isKnown = known.some((one) => one.at === at && one.held === held)
  if (isKnown || at <= (facts.takenUpAt ?? Number.NEGATIVE_INFINITY)) return facts
  const all = [...known, { at, held }].sort((a, b) => a.at - b.at || (a.held < b.held ? -1 : 1))
  return { ...facts, held: all }
}

function takenUp(facts: Facts, at: number): Facts {
  if (at <= (facts.takenUpAt ?? Number.NEGATIVE_INFINITY)) return facts
  const { held = [], ...rest } = facts
  const left = held.filter((one) => one.at > at)
  return { ...rest, ...(left.length > 0 && { held: left }), takenUpAt: at }
}

const resolutionText = (resolution: Resolution): string => canonicalJson(plain(resolution))

function withHead(
  facts: Facts,
  { kind: _, source: __, at: ___, chain, ...report }: HeadMoved,
): Facts {
  const known = facts.heads[chain]
  const head = known === undefined ? headOf(report) : laterHead(known, headOf(report))
  return head === known ? facts : { ...facts, heads: { ...facts.heads, [chain]: head } }
}

/** Leaves out default values, as in heads that were stored before these fields existed. */
const headOf = ({ witnesses = 1, disagree = false, ...head }: ChainHead): ChainHead => ({
  ...head,
  ...(witnesses !== 1 && { witnesses }),
  ...(disagree && { disagree }),
})

/**
 * The later view, then the longer branch. Of two reports on one head, keep the more careful one.
 */
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
  return isSame(a, both) ? a : both
}

const furthest = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b)
