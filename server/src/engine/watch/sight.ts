import type { Instant } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment/payment'
import type { ChainHealth, Visibility } from '../../ports/chain.ts'

/** How well one chain is seen by what is stored of it. Plain data, so that it can be handed on. */
export interface ChainSight extends ChainHealth {
  /**
   * Up to when the chain was read: the header time of the last block whose effects are stored, but no
   * later than when it was stored. Null while none is.
   */
  readonly scannedThrough: Instant | null
}

/** One chain as it is told: with how long ago the last thing that is known of it was so. */
export type ToldSight = Pick<ChainHealth, 'chain' | 'visibility' | 'head'> & {
  readonly lagMs: number | null
}

/** How well several chains are seen: as well as the worst of them, and each for itself. */
export interface Sight {
  readonly visibility: Visibility
  readonly chains: readonly ToldSight[]
}

const blindness: Readonly<Record<Visibility, number>> = { ok: 0, degraded: 1, blind: 2 }

/** How well these chains are seen now. One that is not followed is not seen. */
export function sightOf(all: readonly ChainSight[], names: readonly string[], now: Instant): Sight {
  const chains = names.map((chain): ToldSight => {
    const known = all.find((sight) => sight.chain === chain)
    if (known === undefined) return { chain, visibility: 'blind', head: null, lagMs: null }
    return { chain, visibility: known.visibility, head: known.head, lagMs: lagOf(known, now) }
  })
  return { visibility: worstOf(chains.map(({ visibility }) => visibility)), chains }
}

/** A payment is seen as well as the worst of its chains. */
const worstOf = (all: readonly Visibility[]): Visibility =>
  all.reduce((worst, one) => (blindness[one] > blindness[worst] ? one : worst), 'ok')

/**
 * How old what is known of a chain is. A header time that is ahead of our clock does not make it
 * young: it is no younger than the time since that block was stored.
 */
export const lagOf = (
  { scannedThrough }: Pick<ChainSight, 'scannedThrough'>,
  now: Instant,
): number | null => (scannedThrough === null ? null : Math.max(0, now - scannedThrough))

/** The chains that a payment can be paid on, each once. */
export const chainsOf = ({ terms }: Pick<Payment, 'terms'>): readonly string[] => [
  ...new Set(terms.accept.map(({ chain }) => chain)),
]
