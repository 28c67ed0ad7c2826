import type { Reason } from './health.ts'
import type { Refusal } from './provider.ts'

/** All that decides how well a chain is seen. */
export interface Sight {
  /** What was read cannot be stored. */
  readonly storeFails: boolean
  /** Too many providers show another chain below what is final. */
  readonly isHalted: boolean
  readonly providers: readonly ProviderSight[]
  /** Nothing was read yet. */
  readonly isStarting: boolean
  /** Every provider shows less than is stored. */
  readonly isBehind: boolean
  /** Blocks are missing that are there to be read. */
  readonly isCatchingUp: boolean
  readonly disagree: boolean
  /** What addresses hold after the last block could not be read. */
  readonly balancesUnread: boolean
  readonly finalityStalled: boolean
}

/** What each provider adds to it. */
export interface ProviderSight {
  readonly isUp: boolean
  readonly refusal: Refusal | null
  readonly isFailing: boolean
  readonly isSilent: boolean
  /** More blocks behind the best one than may pass by itself. */
  readonly lags: boolean
}

type Rule = readonly [Reason, (sight: Sight, up: readonly ProviderSight[]) => boolean]

const noneUp = (refusal: Refusal): Rule => [
  refusal,
  ({ providers }, up) => up.length === 0 && providers.some((one) => one.refusal === refusal),
]

/** The gravest first: the first that holds is what is said. */
const rules: readonly Rule[] = [
  ['reorg_below_finality', ({ isHalted }) => isHalted],
  noneUp('reorg_below_finality'),
  noneUp('reorg_too_deep'),
  noneUp('chain_mismatch'),
  ['store_failing', ({ storeFails }) => storeFails],
  ['socket_down', (_, up) => up.length === 0],
  ['node_failing', (_, up) => up.every(({ isFailing }) => isFailing)],
  ['starting', ({ isStarting }) => isStarting],
  ['sources_disagree', ({ disagree }) => disagree],
  ['node_behind', ({ isBehind }) => isBehind],
  ['no_new_head', (_, up) => up.every(({ isSilent }) => isSilent)],
  ['catching_up', ({ isCatchingUp }) => isCatchingUp],
  ['balances_unread', ({ balancesUnread }) => balancesUnread],
  ['finality_stalled', ({ finalityStalled }) => finalityStalled],
  ['provider_quarantined', ({ providers }) => providers.some(({ refusal }) => refusal !== null)],
  ['provider_down', ({ providers }) => providers.some(({ isUp }) => !isUp)],
  ['provider_failing', (_, up) => up.some(({ isFailing }) => isFailing)],
  ['provider_behind', (_, up) => up.some(({ lags, isSilent }) => lags || isSilent)],
]

/** Why a chain is not seen as it should be; null when it is. */
export function reasonOf(sight: Sight): Reason | null {
  const up = sight.providers.filter(({ isUp }) => isUp)
  return rules.find(([, holds]) => holds(sight, up))?.[0] ?? null
}
