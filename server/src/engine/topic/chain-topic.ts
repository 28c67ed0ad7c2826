import type { Bulletin, SightRecord } from '../../ports/processes.ts'
import type { Topic } from '../../ports/topic.ts'

/** The key of the topic with the sight of a chain. */
export const chainKey = (chain: string): string => `chain:${chain}`

/**
 * The sight of a chain, by the revisions that its follower publishes. Only the last one is kept.
 */
export const chainTopic = (
  chain: string,
  bulletin: Pick<Bulletin, 'told'>,
): Topic<SightRecord> => ({
  key: chainKey(chain),
  read: async (after) =>
    (await bulletin.told()).filter((told) => told.chain === chain && told.revision > after),
  positionOf: ({ revision }) => revision,
})
