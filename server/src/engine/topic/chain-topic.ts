import type { Bulletin, Told } from '../../ports/processes.ts'
import type { Topic } from '../../ports/topic.ts'

/** What the sight of a chain is followed by. */
export const chainKey = (chain: string): string => `chain:${chain}`

/** How a chain is seen, by the revisions that its follower has published. Only the last one is kept. */
export const chainTopic = (chain: string, bulletin: Pick<Bulletin, 'told'>): Topic<Told> => ({
  key: chainKey(chain),
  read: async (after) =>
    (await bulletin.told()).filter((told) => told.chain === chain && told.revision > after),
  positionOf: ({ revision }) => revision,
})
