/** How sure a chain must be before a transfer counts as settled: so many blocks, or a tag the node answers. */
export type Level = number | 'safe' | 'finalized'

/** The rule of one chain. */
export interface ChainPolicy {
  /** A transfer at this level is settled. A count includes the block that holds the transfer. */
  readonly settled: Level
  /** From this level on nothing is expected to change: the payment's `finality` becomes `final`. */
  readonly final: Level
  /** Sources that must have seen a transfer included before success; with fewer it is `single_source`. */
  readonly quorum: number
}

/** Versioned configuration. Every decision stores the version that made it. */
export interface Policy {
  readonly version: string
  readonly chains: Readonly<Record<string, ChainPolicy>>
}

/** How far a chain has grown, as the follower last stored it. */
export interface ChainHead {
  readonly view: number
  readonly head: number
  readonly safe: number | null
  readonly finalized: number | null
}

/** Blocks on top of and including `block`, or 0 when the head is behind it. */
export const confirmationsOf = (block: number, head: number): number =>
  Math.max(0, head - block + 1)

/** Whether a block has reached a level under this head. */
export function reached(level: Level, block: number, head: ChainHead): boolean {
  if (level === 'safe') return head.safe !== null && block <= head.safe
  if (level === 'finalized') return head.finalized !== null && block <= head.finalized
  return confirmationsOf(block, head.head) >= level
}
