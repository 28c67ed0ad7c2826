import type { Visibility } from '../../../ports/chain.ts'

/** Why a provider is not trusted for now: it is on a chain that cannot be ours. */
export type ProviderRefusal = 'chain_mismatch' | 'reorg_below_finality' | 'reorg_too_deep'

/** How long each kind of trouble must last before it is reported. */
export interface SightLimits {
  /** No provider is up and shows a head: blind. Until then there is time to reconnect. */
  readonly unreachableAfterMs: number
  /** A known block is not stored: degraded. */
  readonly behindAfterMs: number
  /** A known block is not stored, or no provider can be read and nothing was stored: blind. */
  readonly blindAfterMs: number
  /** No provider shows a new block: degraded. Null: blocks are made on demand. */
  readonly headSilentAfterMs: number | null
}

export const sightLimits: SightLimits = {
  unreachableAfterMs: 3_000,
  behindAfterMs: 5_000,
  blindAfterMs: 30_000,
  headSilentAfterMs: 30_000,
}

/**
 * The thresholds of a chain: all but `unreachableAfterMs` last at least a number of its blocks.
 * `blockMs` 0: the block time is unknown.
 */
export function sightTimes(limits: SightLimits, blockMs: number): SightLimits {
  const least = (blocks: number, ms: number): number => Math.max(ms, blocks * blockMs)
  const { unreachableAfterMs, behindAfterMs, blindAfterMs, headSilentAfterMs } = limits
  return {
    unreachableAfterMs,
    behindAfterMs: least(2, behindAfterMs),
    blindAfterMs: least(5, blindAfterMs),
    headSilentAfterMs: headSilentAfterMs === null ? null : least(5, headSilentAfterMs),
  }
}

/** Everything but time that decides how well a chain is seen. */
export interface SightFacts {
  /** The store fails, so blocks that were read cannot be stored. */
  readonly storeFails: boolean
  /** Too many providers show another chain below a final block. */
  readonly isHalted: boolean
  readonly providers: readonly ProviderSight[]
  /** No step was stored yet, and the stored cursor was not yet found to be the head. */
  readonly isStarting: boolean
  /**
   * Since a provider was last up, the stored cursor was found to be the head or an ancestor of it.
   */
  readonly isConfirmed: boolean
  /** The head of every provider is below the stored cursor. */
  readonly isBehind: boolean
  /** A known block is not stored. */
  readonly isOwed: boolean
  /** How far the stored cursor is behind the head, also while steps are being stored. */
  readonly lagMs: number
  /**
   * Providers are on different branches, or as many deny a reported transaction as show it.
   */
  readonly disagree: boolean
  /** Contract payments may be missing because balances could not be read. */
  readonly balancesUnread: boolean
}

/** How one provider of the chain is doing. */
export interface ProviderSight {
  /** It is connected, trusted, and has reported a head since. */
  readonly isUp: boolean
  readonly refusal: ProviderRefusal | null
  readonly isFailing: boolean
  readonly isSilent: boolean
  /** It refuses for now to notify of heads or pending transactions. */
  readonly isDeaf: boolean
  /** More blocks behind the best provider than a normal short delay explains. */
  readonly lags: boolean
}

/** The times that decide how well a chain is seen. */
export interface Lapse {
  /** Since a step was stored, or since the chain was last seen with every block stored. */
  readonly stalledMs: number
  /** It was blind, and nothing was stored since. A reconnect alone does not end this. */
  readonly wasBlind: boolean
  readonly times: SightLimits
}

export interface SightVerdict {
  readonly visibility: Visibility
  /** Null when it is `ok`. */
  readonly reason: SightReason | null
}

interface RuleInput extends SightFacts, Lapse {
  readonly up: readonly ProviderSight[]
}

interface SightRule {
  /** Left out: this reason never makes the chain blind. */
  readonly isBlind?: (seen: RuleInput) => boolean
  readonly holds: (seen: RuleInput) => boolean
}

const always = (): boolean => true
const noneUp = (refusal: ProviderRefusal) => ({
  isBlind: always,
  holds: ({ providers, up }: RuleInput) =>
    up.length === 0 && providers.some((one) => one.refusal === refusal),
})
const whenStalled = ({ stalledMs, times }: RuleInput): boolean => stalledMs >= times.blindAfterMs
const behindMs = ({ isOwed, stalledMs, lagMs }: RuleInput): number =>
  isOwed ? Math.max(stalledMs, lagMs) : 0

/** The reasons why a chain is not `ok`, the gravest first, and when each makes it blind. */
const rules = {
  /** The chain was reorganised below a final block: the operator must look. */
  reorg_below_finality: {
    isBlind: always,
    holds: (seen) => seen.isHalted || noneUp('reorg_below_finality').holds(seen),
  },
  /**
   * The chain was reorganised below every remembered block, while no block is known to be final.
   */
  reorg_too_deep: noneUp('reorg_too_deep'),
  /** Every node is on another chain than the configured one, or than the one followed before. */
  chain_mismatch: noneUp('chain_mismatch'),
  store_failing: { isBlind: whenStalled, holds: ({ storeFails }) => storeFails },
  /** No connection to any node that shows a head. */
  socket_down: {
    isBlind: ({ stalledMs, times }) => stalledMs >= times.unreachableAfterMs,
    holds: ({ up }) => up.length === 0,
  },
  /** Every node answers incorrectly, late, or not at all. */
  node_failing: {
    isBlind: whenStalled,
    holds: ({ up }) => up.length > 0 && up.every(({ isFailing }) => isFailing),
  },
  starting: { isBlind: always, holds: ({ isStarting }) => isStarting },
  /** Known blocks were not stored in time: they cannot be read, or there are too many. */
  behind: {
    isBlind: (seen) => behindMs(seen) >= seen.times.blindAfterMs,
    holds: (seen) => seen.wasBlind || behindMs(seen) >= seen.times.behindAfterMs,
  },
  /** The head of every node is older than the stored cursor. */
  node_behind: { isBlind: whenStalled, holds: ({ isBehind }) => isBehind },
  /**
   * Nodes name different blocks at one height, deeper than a normal short reorg; or as many deny a
   * reported transaction as show it.
   */
  sources_disagree: { holds: ({ disagree }) => disagree },
  /** No node shows a new block. Either none is mined, or none reaches the nodes. */
  no_new_head: { holds: ({ up }) => up.length > 0 && up.every(({ isSilent }) => isSilent) },
  /** Balances could not be read: native coin paid by contracts is found later. */
  balances_unread: { holds: ({ balancesUnread }) => balancesUnread },
  /** One node of several is on another chain, and is not trusted. */
  provider_quarantined: {
    holds: ({ providers }) => providers.some(({ refusal }) => refusal !== null),
  },
  /** One node of several cannot be reached. */
  provider_down: { holds: ({ providers }) => providers.some(({ isUp }) => !isUp) },
  /** One node of several answers incorrectly, late, or not at all. */
  provider_failing: { holds: ({ up }) => up.some(({ isFailing }) => isFailing) },
  /** One node of several refuses notifications for now: it is polled instead. */
  subscription_refused: { holds: ({ up }) => up.some(({ isDeaf }) => isDeaf) },
  /** One node of several lags behind the others. */
  provider_behind: { holds: ({ up }) => up.some(({ lags, isSilent }) => lags || isSilent) },
} as const satisfies Record<string, SightRule>

/** The codes of `ChainHealth.reason` for an EVM chain. */
export type SightReason = keyof typeof rules | 'closed'

const inOrder: readonly (readonly [SightReason, SightRule])[] = Object.entries(rules).map(
  ([name, rule]) => [
    // The keys of the table are the reasons, as the type says.
    name as SightReason,
    rule,
  ],
)

const holding = (seen: RuleInput) => inOrder.filter(([, { holds }]) => holds(seen))
const withUp = (sight: SightFacts, lapse: Lapse): RuleInput => ({
  ...sight,
  ...lapse,
  up: sight.providers.filter(({ isUp }) => isUp),
})

/**
 * How well a chain is seen: the stored cursor is compared with the blocks known to exist. A head
 * that moves while no block can be read means `blind`, and a provider that reconnects does not end
 * it.
 */
export function verdictOf(sight: SightFacts, lapse: Lapse): SightVerdict {
  const seen = withUp(sight, lapse)
  const held = holding(seen)
  const blind = held.find(([, { isBlind }]) => lapse.wasBlind || isBlind?.(seen) === true)
  const [reason] = blind ?? held[0] ?? [null]
  return { visibility: blind ? 'blind' : reason === null ? 'ok' : 'degraded', reason }
}

/** Whether every known block is stored, and a new one would be seen. */
export function isWell(sight: SightFacts, times: SightLimits): boolean {
  const seen = withUp(sight, { stalledMs: 0, wasBlind: false, times })
  const isSeen = holding(seen).every(([, { isBlind }]) => isBlind === undefined)
  return isSeen && sight.isConfirmed && !sight.isOwed
}

/** How long until the verdict on the same sight may change by time alone; null: never. */
export function changesInMs(sight: SightFacts, { stalledMs, times }: Lapse): number | null {
  const limits = [times.unreachableAfterMs, times.behindAfterMs, times.blindAfterMs]
  const left = limits.flatMap((limit) => [limit - stalledMs, limit - sight.lagMs])
  const ahead = left.filter((ms) => ms > 0)
  return ahead.length === 0 ? null : Math.min(...ahead)
}
