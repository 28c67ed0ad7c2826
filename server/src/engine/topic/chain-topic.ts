import type { Bulletin, SightRecord } from '../../ports/processes.ts'
import type { Topic } from '../../ports/topic.ts'

/** The key of the topic with the sight of a chain. */
export const chainKey = (chain: string): string => `chain:${chain}`

/**
 * How well a chain is seen, as the process that follows it last published. The position is the
 * revision of that report; older ones are not kept.
 */
export const chainTopic = (
  chain: string,
  bulletin: Pick<Bulletin, 'published'>,
): Topic<SightRecord> => ({
  key: chainKey(chain),
  read: async (after) =>
    (await bulletin.published()).filter((one) => one.chain === chain && one.revision > after),
  positionOf: ({ revision }) => revision,
})
