import type { BlockRef } from '@settlewire/core/observation'
import type { AppliedBlock, Clock, WatchSet } from '../../ports.ts'
import type { BlockReader } from './blocks.ts'
import { inParallel } from './in-parallel.ts'
import type { Provider } from './provider.ts'
import { isComplete, judge } from './verdict.ts'

interface Parts {
  /** Those that are up now. */
  readonly providers: () => readonly Provider[]
  readonly reader: BlockReader
  readonly watch: WatchSet
  readonly clock: Clock
  /** A wait between tries, when no provider could be read. */
  readonly againMs: number
  readonly tell: (applied: AppliedBlock) => void
}

const blocksAtOnce = 4
/** So often is a block asked for that a provider does not show: it may lag, or the block was undone. */
const triesMax = 8

/**
 * Finds in blocks that were stored before this process began what still waits for other providers:
 * nobody else remembers who was asked. Reads a block only if it holds a transaction that is tracked.
 * Takes its time, and never rejects.
 */
export async function recall(
  blocks: readonly BlockRef[],
  parts: Parts,
  signal: AbortSignal,
): Promise<void> {
  let left = [...blocks]
  for (let tries = 0; left.length > 0 && !signal.aborted; tries++) {
    const up = parts.providers()
    const provider = up[tries % Math.max(1, up.length)]
    if (tries >= triesMax && provider !== undefined) {
      // Nobody has its first block any more: it was undone meanwhile.
      left = left.slice(1)
      tries = 0
    }
    const found = provider === undefined ? [] : await readSome(left, provider, parts)
    left = left.slice(found.length)
    for (const applied of found) if (applied !== null) parts.tell(applied)
    if (found.length === 0) await parts.clock.sleep(parts.againMs, signal)
    else tries = 0
  }
}

/** The first blocks, up to one that could not be read; null for those with nothing to tell. */
async function readSome(
  blocks: readonly BlockRef[],
  provider: Provider,
  parts: Parts,
): Promise<(AppliedBlock | null)[]> {
  const some = blocks.slice(0, 4 * blocksAtOnce)
  const read = await inParallel(some, blocksAtOnce, (block) =>
    // The walk shows what is wrong with a provider; this is tried again.
    readOne(block, provider, parts).catch(() => undefined),
  )
  const end = read.indexOf(undefined)
  return (end < 0 ? read : read.slice(0, end)).map((applied) => applied ?? null)
}

async function readOne(
  { hash }: BlockRef,
  { visit }: Provider,
  { reader, watch }: Parts,
): Promise<AppliedBlock | null> {
  if (visit === null) throw new Error('the provider is gone')
  const header = await visit.node.byHash(hash, false)
  if (header === null) throw new Error('the provider does not show the block')
  if (!header.txHashes?.some((txHash) => watch.tracks(txHash))) return null
  const [block] = await reader.read(visit.node, [header])
  if (block === undefined) return null
  while (!isComplete(block, watch)) await reader.complete(visit.node, [block])
  const applied = judge(block, watch)
  return applied.transfers.length === 0 ? null : applied
}
