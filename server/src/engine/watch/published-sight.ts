import type { ChainHead } from '@settlewire/core/payment/policy'
import type { ChainHealth } from '../../ports/chain.ts'
import type { Pace } from './pace.ts'
import type { ChainSight } from './sight.ts'

/** All that a process which does not follow a chain has to know of it. */
export interface PublishedSight {
  readonly sight: ChainSight
  readonly head: ChainHead | null
  readonly pace: Pace
}

/** Older than this it says nothing: the process that follows the chain says it every second. */
export const publishedSightMs = 5_000

export const sightText = (sight: PublishedSight): string => JSON.stringify(sight)

/** What of it is news to those who follow the chain's topic. */
export const wordOf = ({ visibility, reason }: ChainHealth): string => `${visibility} ${reason}`

/** What one of our own processes wrote. */
export const sightOfText = (text: string): PublishedSight => JSON.parse(text) as PublishedSight

/** A chain that no process is known to follow. */
export const unfollowed = (chain: string): ChainHealth => ({
  ...{ chain, visibility: 'blind', reason: 'not_followed', head: null, headAt: null },
})
