import type { Instant } from '@settlewire/core/instant'
import type { ChainHead } from '@settlewire/core/payment/policy'
import type { ChainHealth, Visibility } from '../../ports/chain.ts'
import type { Fence } from '../../ports/processes.ts'
import { type Pace, PaceMeter } from './pace.ts'
import type { ChainSight } from './sight.ts'
import type { WatchedChain } from './watched-chain.ts'

/** What the watcher knows about one chain. */
export interface ChainState {
  readonly watched: WatchedChain
  readonly pace: PaceMeter
  /** The head as of the last stored step. */
  head: ChainHead | null
  /** The header time of the last block whose effects are stored; null before the first one. */
  headAt: Instant | null
  scannedThrough: ChainSight['scannedThrough']
  /** The last report of the follower. */
  health: ChainHealth
  /** The visibility that listeners were last notified of. */
  notified: Visibility
  /** Set while another process follows the chain: the pace that it published, if any. */
  elsewhere: { pace: Pace | null } | null
  /** The lease for the steps of this chain; null where only one process runs. */
  fence: Fence | null
  /** Whether a step was, or may have been, stored in part: then the position is read again. */
  isUnsure: boolean
}

/** The state of a chain before anything of it is read. */
export const unreadChain = (chain: string, watched: WatchedChain): ChainState => ({
  watched,
  pace: new PaceMeter(),
  health: { chain, visibility: 'blind', reason: 'not_started', head: null, headAt: null },
  head: null,
  headAt: null,
  scannedThrough: null,
  notified: 'blind',
  elsewhere: null,
  fence: null,
  isUnsure: false,
})
