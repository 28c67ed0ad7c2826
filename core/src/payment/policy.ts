import { parseAmount, rescale } from '../money/amount.ts'

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
  /** Other levels than `settled` by amount, per asset symbol; `*` is for assets that are not named. */
  readonly tiers?: Readonly<Record<string, readonly Tier[]>>
}

/** A level for small or large amounts. Of an asset's tiers, in rising order, the first that fits holds. */
export interface Tier {
  /** A decimal string in the asset's own unit, included; null: however much. */
  readonly upTo: string | null
  readonly settled: Level
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
  /** Providers that are up, on this chain, and not behind or not for long. Left out: one. */
  readonly witnesses?: number
  /** Whether providers name different blocks at one height, deeper than may pass by itself. */
  readonly disagree?: boolean
}

/** The level that holds for a payment, and the tier that named it; null where none did. */
export interface Required {
  readonly settled: Level
  readonly tier: Tier | null
}

/** What a chain asks for in an asset, for a payment of this amount in units of `10^-decimals`. */
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

/** Blocks on top of and including `block`, or 0 when the head is behind it. */
export const confirmationsOf = (block: number, head: number): number =>
  Math.max(0, head - block + 1)

/** Whether a block has reached a level under this head. */
export function reached(level: Level, block: number, head: ChainHead): boolean {
  if (level === 'safe') return head.safe !== null && block <= head.safe
  if (level === 'finalized') return head.finalized !== null && block <= head.finalized
  return confirmationsOf(block, head.head) >= level
}
