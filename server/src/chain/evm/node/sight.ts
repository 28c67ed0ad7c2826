import type { Visibility } from '../../../ports/chain.ts'

/** Why nothing that a provider says is believed, for now: it is on a chain that cannot be ours. */
export type Refusal = 'chain_mismatch' | 'reorg_below_finality' | 'reorg_too_deep'

/** The least that each kind of trouble lasts before it is said. */
export interface SightLimits {
  /** No provider is up and shows a head: blind. Until then a connection may be made anew. */
  readonly unreachableAfterMs: number
  /** A block is known to exist and is not stored: degraded. */
  readonly behindAfterMs: number
  /** The same, or nothing was stored and no provider can be read: blind. */
  readonly blindAfterMs: number
  /** No provider shows a new block: degraded. Null: blocks are made on demand. */
  readonly headSilentAfterMs: number | null
}

export const sightLimits: SightLimits = {
  ...{ unreachableAfterMs: 3_000, behindAfterMs: 5_000 },
  ...{ blindAfterMs: 30_000, headSilentAfterMs: 30_000 },
}

/** The thresholds of a chain: no shorter than so many of its blocks. Null: how far they are apart is not known. */
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

/** All that decides how well a chain is seen, but time. */
export interface Sight {
  /** What was read cannot be stored. */
  readonly storeFails: boolean
  /** Too many providers show another chain below what is final. */
  readonly isHalted: boolean
  readonly providers: readonly ProviderSight[]
  /** Nothing was stored yet, nor was what is stored found to be the head. */
  readonly isStarting: boolean
  /** What is stored was found to be the head, or to join it, since a provider was last up. */
  readonly isConfirmed: boolean
  /** Every provider shows less than is stored. */
  readonly isBehind: boolean
  /** A block is known to exist that is not stored. */
  readonly isOwed: boolean
  /** How far what is stored is behind the head, also while steps are stored. */
  readonly lagMs: number
  readonly disagree: boolean
  /** What addresses hold after the last block could not be read. */
  readonly balancesUnread: boolean
}

/** What each provider adds to it. */
export interface ProviderSight {
  /** It is connected, believed, and has told a head since. */
  readonly isUp: boolean
  readonly refusal: Refusal | null
  readonly isFailing: boolean
  readonly isSilent: boolean
  /** It refuses for now to tell heads or pending transactions as they come. */
  readonly isDeaf: boolean
  /** More blocks behind the best one than may pass by itself. */
  readonly lags: boolean
}

/** What time adds to it. */
export interface Lapse {
  /** Since a step was stored, or the chain was seen and all of it was stored. */
  readonly stalledMs: number
  /** It was blind, and nothing was stored since: a provider that came back is no progress. */
  readonly wasBlind: boolean
  readonly times: SightLimits
}

export interface Verdict {
  readonly visibility: Visibility
  /** Null when it is `ok`. */
  readonly reason: Reason | null
}

interface Seen extends Sight, Lapse {
  readonly up: readonly ProviderSight[]
}

interface Rule {
  /** Left out: it never makes the chain blind. */
  readonly isBlind?: (seen: Seen) => boolean
  readonly holds: (seen: Seen) => boolean
}

const always = (): boolean => true
const noneUp = (refusal: Refusal) => ({
  isBlind: always,
  holds: ({ providers, up }: Seen) =>
    up.length === 0 && providers.some((one) => one.refusal === refusal),
})
const whenStalled = ({ stalledMs, times }: Seen): boolean => stalledMs >= times.blindAfterMs
const behindMs = ({ isOwed, stalledMs, lagMs }: Seen): number =>
  isOwed ? Math.max(stalledMs, lagMs) : 0

/** Why a chain is not seen as it should be, the gravest first, and when that is blindness. */
const rules = {
  /** The chain was left below what was final: a person must look. */
  reorg_below_finality: {
    isBlind: always,
    holds: (seen) => seen.isHalted || noneUp('reorg_below_finality').holds(seen),
  },
  /** It was left below everything remembered, where nothing is known to be final. */
  reorg_too_deep: noneUp('reorg_too_deep'),
  /** Every node is on another chain than the one configured, or followed before. */
  chain_mismatch: noneUp('chain_mismatch'),
  store_failing: { isBlind: whenStalled, holds: ({ storeFails }) => storeFails },
  /** No connection to any node that shows a head. */
  socket_down: {
    isBlind: ({ stalledMs, times }) => stalledMs >= times.unreachableAfterMs,
    holds: ({ up }) => up.length === 0,
  },
  /** Every node answers wrongly, late, or not at all. */
  node_failing: {
    isBlind: whenStalled,
    holds: ({ up }) => up.length > 0 && up.every(({ isFailing }) => isFailing),
  },
  starting: { isBlind: always, holds: ({ isStarting }) => isStarting },
  /** Blocks are known that were not stored in time: they cannot be read, or there are too many. */
  behind: {
    isBlind: (seen) => behindMs(seen) >= seen.times.blindAfterMs,
    holds: (seen) => seen.wasBlind || behindMs(seen) >= seen.times.behindAfterMs,
  },
  /** Every node's head is older than what was read already. */
  node_behind: { isBlind: whenStalled, holds: ({ isBehind }) => isBehind },
  /** Nodes name different blocks at one height, deeper than may pass by itself. */
  sources_disagree: { holds: ({ disagree }) => disagree },
  /** No node shows a new block. Whether none is made, or none arrives there, cannot be told. */
  no_new_head: { holds: ({ up }) => up.length > 0 && up.every(({ isSilent }) => isSilent) },
  /** No node shows what addresses hold now: what contracts pay in the native coin is found later. */
  balances_unread: { holds: ({ balancesUnread }) => balancesUnread },
  /** One node of several is on another chain, and not believed. */
  provider_quarantined: {
    holds: ({ providers }) => providers.some(({ refusal }) => refusal !== null),
  },
  /** One node of several cannot be reached, */
  provider_down: { holds: ({ providers }) => providers.some(({ isUp }) => !isUp) },
  /** or answers wrongly, late, or not at all, */
  provider_failing: { holds: ({ up }) => up.some(({ isFailing }) => isFailing) },
  /** or refuses for now to tell what is new: it is asked instead, */
  subscription_refused: { holds: ({ up }) => up.some(({ isDeaf }) => isDeaf) },
  /** or lags behind the others. */
  provider_behind: { holds: ({ up }) => up.some(({ lags, isSilent }) => lags || isSilent) },
} as const satisfies Record<string, Rule>

/** The codes that `ChainHealth.reason` of an EVM chain may have. */
export type Reason = keyof typeof rules | 'closed'

const inOrder: readonly (readonly [Reason, Rule])[] = Object.entries(rules).map(([name, rule]) => [
  // The keys of the table are what the type says.
  name as Reason,
  rule,
])

const holding = (seen: Seen) => inOrder.filter(([, { holds }]) => holds(seen))
const withUp = (sight: Sight, lapse: Lapse): Seen => ({
  ...{ ...sight, ...lapse },
  up: sight.providers.filter(({ isUp }) => isUp),
})

/**
 * How well a chain is seen. What is stored decides, held against what is known to exist: a head that
 * moves while nothing can be read is blindness, and a provider that comes back is no progress.
 */
export function verdictOf(sight: Sight, lapse: Lapse): Verdict {
  const seen = withUp(sight, lapse)
  const held = holding(seen)
  const blind = held.find(([, { isBlind }]) => lapse.wasBlind || isBlind?.(seen) === true)
  const [reason] = blind ?? held[0] ?? [null]
  return { visibility: blind ? 'blind' : reason === null ? 'ok' : 'degraded', reason }
}

/** Whether all that is known to exist is stored, and more would be seen. */
export function isWell(sight: Sight, times: SightLimits): boolean {
  const seen = withUp(sight, { stalledMs: 0, wasBlind: false, times })
  const isSeen = holding(seen).every(([, { isBlind }]) => isBlind === undefined)
  return isSeen && sight.isConfirmed && !sight.isOwed
}

/** How long until the same sight may be another verdict by itself; null: not at all. */
export function changesInMs(sight: Sight, { stalledMs, times }: Lapse): number | null {
  const limits = [times.unreachableAfterMs, times.behindAfterMs, times.blindAfterMs]
  const left = limits.flatMap((limit) => [limit - stalledMs, limit - sight.lagMs])
  const ahead = left.filter((ms) => ms > 0)
  return ahead.length === 0 ? null : Math.min(...ahead)
}
