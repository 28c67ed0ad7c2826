import { Failure } from '@settlewire/core/errors'
import { toRfc3339 } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'
import type { ChainPosition, Unfinished } from '../../ports/history.ts'
import type { Database } from '../database.ts'

/** How far a chain was read: its cursor and the stored window of blocks. */
export async function position(database: Database, chain: string): Promise<ChainPosition | null> {
  // In one statement, which reads one snapshot: cursor and blocks are always of the same step.
  const rows = await database.query<PositionRow>(
    {
      name: 'position',
      text: `select c.genesis_hash, c.view, c.head, c.safe, c.finalized, c.is_open,
          b.number, b.hash, b.parent_hash, b.mined_at,
          case when row_number() over (order by b.number desc) = 1 then c.unfinished end as unfinished
        from chain_cursor c left join chain_block b on b.chain = c.chain
        where c.chain = $1 order by b.number desc`,
    },
    [chain],
  )
  const [cursor] = rows
  if (cursor === undefined) return null
  const { view, head, safe, finalized, is_open: isOpen, unfinished } = cursor
  return {
    genesisHash: cursor.genesis_hash,
    head: { view, head, safe, finalized },
    recent: rows.flatMap(blockOf),
    ...(unfinished !== null && { unfinished: unfinishedOf(unfinished, isOpen) }),
  }
}

/** Starts a chain, or returns its position. Throws `chain_mismatch` on another genesis. */
export async function begin(
  database: Database,
  chain: string,
  start: { readonly genesisHash: string; readonly at: BlockRef },
): Promise<ChainPosition> {
  const { genesisHash, at } = start
  await database.query(
    {
      name: 'begin',
      text: `with cursor as (
          insert into chain_cursor (chain, genesis_hash, view, head) values ($1, $2, 0, $3)
          on conflict (chain) do nothing returning chain
        )
        insert into chain_block (chain, number, hash, parent_hash, mined_at)
        select chain, $3, $4, $5, $6 from cursor`,
    },
    [chain, genesisHash, at.number, at.hash, at.parentHash, toRfc3339(at.minedAt)],
  )
  const found = await position(database, chain)
  if (found === null)
    throw new Failure('store_unavailable', 'The chain was removed from the database meanwhile.')
  if (found.genesisHash !== genesisHash) {
    throw new Failure(
      'chain_mismatch',
      `${chain} was first followed with genesis ${found.genesisHash}, but this node has ${genesisHash}.`,
    )
  }
  return found
}

interface PositionRow {
  readonly genesis_hash: string
  readonly view: number
  readonly head: number
  readonly safe: number | null
  readonly finalized: number | null
  readonly is_open: boolean
  readonly unfinished: string | null
  readonly number: number | null
  readonly hash: string | null
  readonly parent_hash: string | null
  readonly mined_at: number | null
}

function blockOf({ number, hash, parent_hash, mined_at }: PositionRow): BlockRef[] {
  if (number === null || hash === null || parent_hash === null || mined_at === null) return []
  return [{ number, hash, parentHash: parent_hash, minedAt: mined_at }]
}

/** Parses the text as `append` encodes it. */
function unfinishedOf(text: string, isOpen: boolean): Unfinished {
  const left = JSON.parse(text) as Omit<Unfinished, 'isOpen'>
  return { isOpen, ...left }
}
