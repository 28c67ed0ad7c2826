import { parseAmount, rescale } from '../money/amount.ts'

/**
 * How deep a transfer must be to count as settled: a number of blocks, or a tag that nodes report.
 */
export type Level = number | 'safe' | 'finalized'

/** The rule of one chain. */
export interface ChainPolicy {
  /** A transfer at this level is settled. A count includes the block that holds the transfer. */
  readonly settled: Level
  /** From this level on no change is expected: the payment's `finality` becomes `final`. */
  readonly final: Level
  /**
   * Sources that must show the inclusion before success. If fewer providers than that are up, fewer
   * are enough, and the payment gets the flag `single_source`.
   */
  readonly quorum: number
  /** Levels by amount that replace `settled`, per asset symbol; `*` is for all other assets. */
  readonly tiers?: Readonly<Record<string, readonly Tier[]>>
}

/** A level for an amount. Of an asset's tiers, in rising order, the first one that fits applies. */
export interface Tier {
  /** Inclusive, a decimal string in the asset's own unit; null: no upper limit. */
  readonly upTo: string | null
  readonly settled: Level
}

/** Versioned configuration. Every decision stores the version that it was made under. */
export interface Policy {
  readonly version: string
  readonly chains: Readonly<Record<string, ChainPolicy>>
}

/**
 * How far a chain has grown, as the follower last stored it. A tag is null if no node reports it.
 */
export interface ChainHead {
  readonly view: number
  readonly head: number
  readonly safe: number | null
  readonly finalized: number | null
  /** Number of providers that are up, on this chain and at most briefly behind. Left out: one. */
  readonly witnesses?: number
  /** Whether providers name different blocks at one height, deeper than a brief fork explains. */
  readonly disagree?: boolean
}

/** The level that a payment needs. */
export interface Required {
  readonly settled: Level
  /** The tier that set the level; null if no tier applies. */
  readonly tier: Tier | null
}

/** The level for an asset of a chain and an amount in units of `10^-decimals`. */
export function requiredFor(
  policy: ChainPolicy,
  asset: string | null,
  { amount, decimals }: { readonly amount: bigint; readonly decimals: number },
): Required {
  const tiers = policy.tiers?.[asset ?? '*'] ?? policy.tiers?.['*'] ?? []
  const tier = tiers.find(({ upTo }) => upTo === null || isWithin(amount, decimals, upTo)) ?? null
  return { settled: tier?.settled ?? policy.settled, tier }
}

function isWithin(amount: bigint, decimals: number, upTo: string): boolean {
  const scale = Math.max(decimals, upTo.split('.')[1]?.length ?? 0)
  return rescale(amount, decimals, scale) <= parseAmount(upTo, scale)
}

/** The number of blocks from `block` up to the head; 0 when the head is behind it. */
export const confirmationsOf = (block: number, head: number): number =>
  Math.max(0, head - block + 1)

/** Whether a block has reached a level under this head. */
export function reached(level: Level, block: number, head: ChainHead): boolean {
  if (level === 'safe') return head.safe !== null && block <= head.safe
  if (level === 'finalized') return head.finalized !== null && block <= head.finalized
  return confirmationsOf(block, head.head) >= level
}
