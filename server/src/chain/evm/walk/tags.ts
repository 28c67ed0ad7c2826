import type { BlockRef } from '@settlewire/core/payment/observation'
import type { Clock } from '../../../ports/clock.ts'
import type { FollowerLimits } from '../node/limits.ts'
import type { EvmNode } from '../node/node.ts'
import { within } from '../node/within.ts'
import type { Provider } from '../provider/provider.ts'

export type Tag = 'safe' | 'finalized'

interface TagsParts {
  /** The tags that the chain's nodes report truthfully: others are not asked for. */
  readonly tags: readonly Tag[]
  /** The providers that are up now. */
  readonly providers: () => readonly Provider[]
  /** How many providers could report it, and how many of them must. */
  readonly witnesses: () => number
  readonly quorum: number
  readonly clock: Clock
  readonly limits: Pick<FollowerLimits, 'corroborateWithinMs'>
}

/**
 * The block of a tag, as the providers agree on it. A final block is never reverted, so one of
 * several providers alone must not declare it. The highest block that enough of them have reached
 * counts.
 */
export class Tags {
  readonly #parts: TagsParts
  /**
   * The last answer per connection: a tagged block stays tagged, so an old answer is only too low.
   */
  readonly #answers = new WeakMap<EvmNode, Map<Tag, BlockRef | null>>()
  readonly #asking = new WeakMap<EvmNode, Map<Tag, Promise<void>>>()

  constructor(parts: TagsParts) {
    this.#parts = parts
  }

  /**
   * The highest block that enough providers have reached under a tag, this node included. A block
   * that is not above `above` is returned without asking the others. Null for a tag that is not
   * trusted, or that the node does not show now.
   */
  async read(
    tag: Tag,
    { node, provider, above }: { node: EvmNode; provider: Provider; above: number | null },
  ): Promise<BlockRef | null> {
    const { tags, providers, witnesses, quorum, clock, limits } = this.#parts
    if (!tags.includes(tag)) return null
    // A refusal does not hold up the block: the next step asks again.
    const own = await node.tagged(tag).catch(() => null)
    if (own === null || own.number <= (above ?? -1)) return own
    const others = providers().flatMap((one) =>
      one === provider || one.visit === null ? [] : [one.visit.node],
    )
    const answered = others.map((other) => this.#ask(other, tag))
    if (answered.length > 0) await within(clock, Promise.all(answered), limits.corroborateWithinMs)
    const answers = others.map((other) => this.#answers.get(other)?.get(tag))
    // A provider without the tag has no vote and does not count for the quorum; a late one does.
    const withoutTag = answers.filter((one) => one === null).length
    const needed = Math.max(
      Math.min(witnesses() - withoutTag, Math.max(2, quorum)),
      Math.min(witnesses(), quorum),
    )
    const reached = [own, ...answers.filter((one) => one !== null && one !== undefined)]
    const byHeight = reached.toSorted((a, b) => b.number - a.number)
    return byHeight[Math.max(1, needed) - 1] ?? null
  }

  /** One question at a time per node and tag; its answer is kept, however late. Never rejects. */
  #ask(node: EvmNode, tag: Tag): Promise<void> {
    const asking = this.#asking.get(node) ?? new Map<Tag, Promise<void>>()
    this.#asking.set(node, asking)
    const running = asking.get(tag)
    if (running !== undefined) return running
    const answered = node
      .tagged(tag)
      .then((block) => {
        const answers = this.#answers.get(node) ?? new Map<Tag, BlockRef | null>()
        this.#answers.set(node, answers.set(tag, block))
      })
      // A provider that fails now is asked again at the next step.
      .catch(() => undefined)
      .finally(() => asking.delete(tag))
    asking.set(tag, answered)
    return answered
  }
}
