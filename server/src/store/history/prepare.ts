import { assert } from '@settlewire/core/assert'
import { noSeal, type Sealable, seal } from '@settlewire/core/history/seal'
import type { Projection } from '@settlewire/core/history/subject-kind'
import type { Instant } from '@settlewire/core/instant'
import type { Append, StoredEvent } from '../../ports/history.ts'
import { type Changed, changedIn, rowsOf, type Written } from './changed-rows.ts'
import { digest } from './digest.ts'

/** What the store knows of a subject without asking: where its chain of seals is. */
export interface Head {
  readonly sequence: number
  readonly seal: string
  /** Its rows as they were last written; null when that is not known. */
  readonly written: Written | null
}

/** One subject's share of a batch, sealed. */
export interface Share {
  readonly append: Append
  /** The seal that the subject must still be at. */
  readonly baseSeal: string
  readonly head: Head
  /** Whether the last append wrote something else. */
  readonly hasMoved: boolean
  /** The transactions that are not as they were last written. */
  readonly transactions: readonly Changed[]
}

/** The feed of one merchant and mode, and how many events of the batch go into it. */
export interface Feed {
  readonly number: number
  readonly merchantId: string
  readonly livemode: boolean
  count: number
}

/** An event of a batch, sealed, with its place among those of its feed. */
export interface Placed {
  readonly event: Sealable
  readonly seal: string
  readonly feed: Feed
  /** From 1. */
  readonly place: number
}

/** A batch, ready to be sent. */
export interface Prepared {
  /** By id, which is the order in which everybody locks. */
  readonly shares: readonly Share[]
  readonly placed: readonly Placed[]
  readonly feeds: readonly Feed[]
}

/** Seals every event to the one before it. `headOf` knows the head of each subject that goes on. */
export function prepare(
  appends: readonly Append[],
  headOf: (append: Append) => Head | undefined,
): Prepared {
  const feeds: Feed[] = []
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
    const written = { standing: standingOf(projection), transactions: rowsOf(projection) }
    const sequence = expectedSequence + events.length
    return {
      append,
      baseSeal: before.seal,
      head: { sequence, seal: last, written },
      hasMoved: written.standing !== before.written?.standing,
      transactions: changedIn(projection, before.written),
    }
  })
  return { shares: shares.sort(byId), placed, feeds }
}

const byId = (a: Share, b: Share): number => (a.append.subject.id < b.append.subject.id ? -1 : 1)

/** What a subject is found by, as one text that tells whether it changed. */
const standingOf = ({ status, flags, dueAt }: Projection): string =>
  `${status} ${flags.join()} ${dueAt}`

const opening: Head = { sequence: 0, seal: noSeal, written: null }

/** What became of a batch: each event with its position, given where each feed now ends. */
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

/** What the engine promises with a batch. Broken, the history would be wrong for ever. */
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

/** A batch is of few merchants, and mostly of the one it was of a moment ago. */
function feedOf({ merchantId, livemode }: Append, feeds: Feed[]): Feed {
  const known = feeds.findLast(
    (feed) => feed.merchantId === merchantId && feed.livemode === livemode,
  )
  if (known !== undefined) return known
  const feed = { number: feeds.length + 1, merchantId, livemode, count: 0 }
  feeds.push(feed)
  return feed
}
