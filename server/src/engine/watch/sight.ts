import type { Instant } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment/payment'
import type { ChainHealth, Visibility } from '../../ports/chain.ts'

/**
 * How well one chain is seen, as of what is stored of it. Plain data, so that it can be serialized.
 */
export interface ChainSight extends ChainHealth {
  /**
   * Until when the chain was read: the header time of the last block whose effects are stored, but
   * no later than the time of storing. Null before the first block.
   */
  readonly scannedThrough: Instant | null
}

/** A chain's sight for clients, with the age of the last stored block. */
export type ListedSight = Pick<ChainHealth, 'chain' | 'visibility' | 'head'> & {
  readonly lagMs: number | null
}

/** How well several chains are seen: the worst of them, and each one. */
export interface SightSummary {
  readonly visibility: Visibility
  readonly chains: readonly ListedSight[]
}

const blindness: Readonly<Record<Visibility, number>> = { ok: 0, degraded: 1, blind: 2 }

/** How well these chains are seen now. A chain without a sight is blind. */
export function sightOf(
  all: readonly ChainSight[],
  names: readonly string[],
  now: Instant,
): SightSummary {
  const chains = names.map((chain): ListedSight => {
    const known = all.find((sight) => sight.chain === chain)
    if (known === undefined) return { chain, visibility: 'blind', head: null, lagMs: null }
    return { chain, visibility: known.visibility, head: known.head, lagMs: lagOf(known, now) }
  })
  return { visibility: worstOf(chains.map(({ visibility }) => visibility)), chains }
}

/** A payment is seen as well as its worst chain. */
const worstOf = (all: readonly Visibility[]): Visibility =>
  all.reduce((worst, one) => (blindness[one] > blindness[worst] ? one : worst), 'ok')

/**
 * The age of the last stored block. A header time ahead of our clock does not make it younger: the
 * age counts at least from when the block was stored.
 */
export const lagOf = (
  { scannedThrough }: Pick<ChainSight, 'scannedThrough'>,
  now: Instant,
): number | null => (scannedThrough === null ? null : Math.max(0, now - scannedThrough))

/** The chains that a payment can be paid on, without duplicates. */
export const chainsOf = ({ terms }: Pick<Payment, 'terms'>): readonly string[] => [
  ...new Set(terms.accept.map(({ chain }) => chain)),
]
