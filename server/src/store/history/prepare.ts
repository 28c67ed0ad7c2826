import { assert } from '@settlewire/core/assert'
import { noSeal, type Sealable, seal } from '@settlewire/core/history/seal'
import type { Projection } from '@settlewire/core/history/subject-kind'
import type { Instant } from '@settlewire/core/instant'
import type { Append, StoredEvent } from '../../ports/history.ts'
import { type Changed, changedIn, rowsOf, type WrittenRows } from './changed-rows.ts'
import { digest } from './digest.ts'

/** The cached head of a subject: the end of its chain of seals. */
export interface Head {
  readonly sequence: number
  readonly seal: string
  /** The rows of the subject as last written; null if they are not known. */
  readonly written: WrittenRows | null
}

/** One subject's sealed share of a batch. */
export interface Share {
  readonly append: Append
  /** The seal that the subject must still have when the batch is stored. */
  readonly baseSeal: string
  readonly head: Head
  /** Whether status, flags or deadline differ from those last written. */
  readonly hasMoved: boolean
  /** The transactions that differ from their last written rows. */
  readonly transactions: readonly Changed[]
}

/** The feed of one merchant and mode, and how many events of the batch go into it. */
export interface BatchFeed {
  readonly number: number
  readonly merchantId: string
  readonly livemode: boolean
  count: number
}

/** A sealed event of a batch, with its place among the batch's events of the same feed. */
export interface Placed {
  readonly event: Sealable
  readonly seal: string
  readonly feed: BatchFeed
  /** From 1. */
  readonly place: number
}

/** A batch, ready to be sent. */
export interface Prepared {
  /** Sorted by id, the order in which every process locks. */
  readonly shares: readonly Share[]
  readonly placed: readonly Placed[]
  readonly feeds: readonly BatchFeed[]
}

/** Seals every event to the one before it. `headOf` returns the head of a subject that exists. */
export function prepare(
  appends: readonly Append[],
  headOf: (append: Append) => Head | undefined,
): Prepared {
  const feeds: BatchFeed[] = []
  const placed: Placed[] = []
  const shares = appends.map((append): Share => {
    const { subject, merchantId, livemode, expectedSequence, events, projection } = append
    const before = expectedSequence === 0 ? opening : headOf(append)
    assert(before?.sequence === expectedSequence, 'the seal before every event is known')
    const feed = feedOf(append, feeds)
    let last = before.seal
    for (const texts of events) {
      const event: Sealable = { subject, merchantId, livemode, ...texts }
      last = seal(event, last, digest)
      feed.count += 1
      placed.push({ event, seal: last, feed, place: feed.count })
    }
    const written = { stateText: stateTextOf(projection), transactions: rowsOf(projection) }
    const sequence = expectedSequence + events.length
    return {
      append,
      baseSeal: before.seal,
      head: { sequence, seal: last, written },
      hasMoved: written.stateText !== before.written?.stateText,
      transactions: changedIn(projection, before.written),
    }
  })
  return { shares: shares.sort(byId), placed, feeds }
}

const byId = (a: Share, b: Share): number => (a.append.subject.id < b.append.subject.id ? -1 : 1)

/** Status, flags and deadline as one text, to detect changes. */
const stateTextOf = ({ status, flags, dueAt }: Projection): string =>
  `${status} ${flags.join()} ${dueAt}`

const opening: Head = { sequence: 0, seal: noSeal, written: null }

/** The stored events of a batch: their positions follow from the last position of each feed. */
export function storedEvents(
  { placed }: Prepared,
  lastPositions: ReadonlyMap<number, number>,
  committedAt: Instant,
): StoredEvent[] {
  return placed.map(({ event, feed, place }) => {
    const last = lastPositions.get(feed.number)
    assert(last !== undefined, 'every feed of the batch was moved')
    const { evidenceJson: _, ...open } = event
    return { ...open, position: last - feed.count + place, committedAt }
  })
}

/** Checks the engine's guarantees for a batch. If one were broken, the history would stay wrong. */
export function check(appends: readonly Append[]): void {
  const ids = new Set(appends.map(({ subject }) => subject.id))
  assert(ids.size === appends.length, 'a batch has one share per subject')
  for (const { subject, expectedSequence, events } of appends) {
    assert(events.length > 0, 'an append has events')
    for (const [index, { sequence, type }] of events.entries()) {
      assert(sequence === expectedSequence + index + 1, 'sequences have no gap')
      assert(type.startsWith(`${subject.kind}.`), 'an event is named after the kind of its subject')
    }
  }
}

/** A batch has few merchants, and consecutive events are mostly of the same one. */
function feedOf({ merchantId, livemode }: Append, feeds: BatchFeed[]): BatchFeed {
  const known = feeds.findLast(
    (feed) => feed.merchantId === merchantId && feed.livemode === livemode,
  )
  if (known !== undefined) return known
  const feed = { number: feeds.length + 1, merchantId, livemode, count: 0 }
  feeds.push(feed)
  return feed
}
