import type { Instant } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment'
import type { ChainHealth, Visibility } from '../ports.ts'

/** How well one chain is seen, and how old what is seen of it is. */
export interface ChainSight {
  readonly chain: string
  readonly visibility: Visibility
  /** The last block whose effects are stored; null before the first. */
  readonly head: number | null
  /** The age of that block; null before the first. */
  readonly lagMs: number | null
}

/** How well several chains are seen: as well as the worst of them, and each for itself. */
export interface Sight {
  readonly visibility: Visibility
  readonly chains: readonly ChainSight[]
}

const blindness: Readonly<Record<Visibility, number>> = { ok: 0, degraded: 1, blind: 2 }

/** How well these chains are seen now. One that is not followed is not seen. */
export function sightOf(
  all: readonly ChainHealth[],
  names: readonly string[],
  now: Instant,
): Sight {
  const chains = names.map((chain): ChainSight => {
    const known = all.find((health) => health.chain === chain)
    if (known === undefined) return { chain, visibility: 'blind', head: null, lagMs: null }
    return { chain, visibility: known.visibility, head: known.head, lagMs: lagOf(known, now) }
  })
  const worst = chains.reduce<Visibility>(
    (sofar, { visibility }) => (blindness[visibility] > blindness[sofar] ? visibility : sofar),
    'ok',
  )
  return { visibility: worst, chains }
}

/** The age of the last stored block. A chain's clock may be ahead of ours: then it is fresh. */
export const lagOf = ({ headAt }: Pick<ChainHealth, 'headAt'>, now: Instant): number | null =>
  headAt === null ? null : Math.max(0, now - headAt)

/** The chains that a payment can be paid on, each once. */
export const chainsOf = ({ terms }: Pick<Payment, 'terms'>): readonly string[] => [
  ...new Set(terms.accept.map(({ chain }) => chain)),
]
