import type { ChainHead } from '@settlewire/core/payment/policy'
import type { ChainHealth } from '../../ports/chain.ts'
import type { Pace } from './pace.ts'
import type { ChainSight } from './sight.ts'

/** Everything about a chain that the processes which do not follow it need. */
export interface PublishedSight {
  readonly sight: ChainSight
  readonly head: ChainHead | null
  readonly pace: Pace
}

/** An older publication is ignored: the process that follows the chain publishes every second. */
export const publishedSightMs = 5_000

export const sightText = (sight: PublishedSight): string => JSON.stringify(sight)

/** The part whose change is emitted to subscribers of the chain's topic. */
export const summaryOf = ({ visibility, reason }: ChainHealth): string => `${visibility} ${reason}`

/** Parses the text of another process of this server, so it is not validated. */
export const sightOfText = (text: string): PublishedSight => JSON.parse(text) as PublishedSight

/** The health of a chain that, as far as known, no process follows. */
export const unfollowed = (chain: string): ChainHealth => ({
  chain,
  visibility: 'blind',
  reason: 'not_followed',
  head: null,
  headAt: null,
})
