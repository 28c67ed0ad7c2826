import { assert } from '@settlewire/core/assert'
import type { PaymentEvent } from '@settlewire/core/event'
import { evidenceText } from '@settlewire/core/event-text'
import type { Instant } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment'
import { noSeal, type Sealable, seal } from '@settlewire/core/seal'
import { encodeData, wireType } from '@settlewire/core/wire'
import type { Append, StoredEvent } from '../ports.ts'
import { digest } from './digest.ts'
import { type Findable, findableOf } from './projection.ts'

/** What the store knows of a subject without asking: where its chain of seals is. */
export interface Head {
  readonly sequence: number
  readonly seal: string
  /** What it can be found by, as it was last written; null when that is not known. */
  readonly written: Pick<Findable, 'standingText' | 'transactionsText'> | null
}

/** One payment's share of a batch, sealed. */
export interface Share {
  readonly append: Append
  /** The seal that the subject must still be at. */
  readonly baseSeal: string
  readonly head: Head
  readonly findable: Findable
  /** Whether the last append wrote something else. */
  readonly hasMoved: { readonly standing: boolean; readonly transactions: boolean }
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

/** Seals every event to the one before it. `headOf` knows the head of each payment that goes on. */
export function prepare(
  appends: readonly Append[],
  headOf: (append: Append) => Head | undefined,
): Prepared {
  const feeds: Feed[] = []
  const placed: Placed[] = []
  const shares = appends.map((append): Share => {
    const { expectedSequence, events, state } = append
    const before = expectedSequence === 0 ? opening : headOf(append)
    assert(before?.sequence === expectedSequence, 'the seal before every event is known')
    const feed = feedOf(state, feeds)
    let last = before.seal
    for (const event of events) {
      const sealable = sealableOf(state, event)
      last = seal(sealable, last, digest)
      feed.count += 1
      placed.push({ event: sealable, seal: last, feed, place: feed.count })
    }
    const findable = findableOf(state)
    return {
      append,
      baseSeal: before.seal,
      head: { sequence: state.sequence, seal: last, written: findable },
      findable,
      hasMoved: {
        standing: findable.standingText !== before.written?.standingText,
        transactions: findable.transactionsText !== (before.written?.transactionsText ?? ''),
      },
    }
  })
  return { shares: shares.sort(byId), placed, feeds }
}

const sealableOf = (state: Payment, event: PaymentEvent): Sealable => ({
  subject: { kind: 'payment_intent', id: state.id },
  merchantId: state.merchantId,
  livemode: state.livemode,
  sequence: event.data.sequence,
  id: event.id,
  type: wireType(event.type),
  at: event.at,
  dataJson: encodeData(event.data),
  evidenceJson: evidenceText(event.evidence),
})

const byId = (a: Share, b: Share): number => (a.append.state.id < b.append.state.id ? -1 : 1)

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
  const ids = new Set(appends.map(({ state }) => state.id))
  assert(ids.size === appends.length, 'a batch has one share per payment')
  for (const append of appends) checkShare(append)
}

function checkShare({ expectedSequence, events, state }: Append): void {
  assert(events.length > 0, 'an append has events')
  for (const [index, { data }] of events.entries()) {
    assert(data.id === state.id, 'the events are of the payment')
    assert(data.sequence === expectedSequence + index + 1, 'sequences have no gap')
  }
  assert(state.sequence === expectedSequence + events.length, 'the state is that after the events')
  assert(state.head.eventId === events.at(-1)?.id, 'the head is the last event')
}

/** A batch is of few merchants, and mostly of the one it was of a moment ago. */
function feedOf({ merchantId, livemode }: Payment, feeds: Feed[]): Feed {
  const known = feeds.findLast(
    (feed) => feed.merchantId === merchantId && feed.livemode === livemode,
  )
  if (known !== undefined) return known
  const feed = { number: feeds.length + 1, merchantId, livemode, count: 0 }
  feeds.push(feed)
  return feed
}
