import type { FeedEntry, FeedKey } from '../../ports/processes.ts'
import { arrayOf } from '../binary-array.ts'
import type { Database } from '../database.ts'

/** Every feed with its last position; an empty list if their sum is still `knownSum`. */
export async function feeds(
  database: Database,
  knownSum: number,
): Promise<readonly (FeedKey & { readonly position: number })[]> {
  const rows = await database.query<FeedRow>(
    {
      name: 'feeds',
      text: `select merchant_id, livemode, position from merchant_feed
        where (select coalesce(sum(position), 0) from merchant_feed) <> $1`,
    },
    [knownSum],
  )
  return rows.map(feedOf)
}

/** The last position of each of these feeds; 0 for a feed without events. */
export async function feedHeads(
  database: Database,
  feeds: readonly FeedKey[],
): Promise<readonly (FeedKey & { readonly position: number })[]> {
  const rows = await database.query<FeedRow>(
    {
      name: 'feed_heads',
      text: `select merchant_id, livemode, coalesce(f.position, 0) as position
        from unnest($1::text[], $2::boolean[]) as w (merchant_id, livemode)
        left join merchant_feed f using (merchant_id, livemode)`,
    },
    [
      arrayOf.text(feeds.map(({ merchantId }) => merchantId)),
      arrayOf.boolean(feeds.map(({ livemode }) => livemode)),
    ],
  )
  return rows.map(feedOf)
}

/**
 * The subjects and sequences of a feed's events after a position. An append takes the counter of
 * the feed last and holds it until the commit, so no position below a visible one can appear later.
 */
export async function entries(
  database: Database,
  { merchantId, livemode }: FeedKey,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly FeedEntry[]> {
  const rows = await database.query<EntryRow>(
    {
      name: 'feed_entries',
      text: `select position, kind, subject_id, sequence from event
        where merchant_id = $1 and livemode = $2 and position > $3 order by position limit $4`,
    },
    [merchantId, livemode, after, limit],
  )
  return rows.map(({ position, kind, subject_id, sequence }) => ({
    position,
    subject: { kind, id: subject_id },
    sequence,
  }))
}

/** Those of these subjects whose watch has ended. */
export async function ended(
  database: Database,
  ids: readonly string[],
): Promise<readonly string[]> {
  const rows = await database.query<{ id: string }>(
    {
      name: 'ended',
      text: 'select id from subject where id = any ($1::text[]) and due_at is null',
    },
    [arrayOf.text(ids)],
  )
  return rows.map(({ id }) => id)
}

interface FeedRow {
  readonly merchant_id: string
  readonly livemode: boolean
  readonly position: number
}

const feedOf = ({ merchant_id, livemode, position }: FeedRow) => ({
  merchantId: merchant_id,
  livemode,
  position,
})

interface EntryRow {
  readonly position: number
  readonly kind: string
  readonly subject_id: string
  readonly sequence: number
}
