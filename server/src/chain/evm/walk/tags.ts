import type { BlockRef } from '@settlewire/core/payment/observation'
import type { Clock } from '../../../ports/clock.ts'
import type { Limits } from '../node/limits.ts'
import type { EvmNode } from '../node/node.ts'
import { within } from '../node/within.ts'
import type { Provider } from '../provider/provider.ts'

export type Tag = 'safe' | 'finalized'

interface Parts {
  /** What the chain's nodes answer truthfully: the others are not asked for. */
  readonly tags: readonly Tag[]
  /** Those that are up now. */
  readonly providers: () => readonly Provider[]
  /** How many could say it, and how many of them must. */
  readonly witnesses: () => number
  readonly quorum: number
  readonly clock: Clock
  readonly limits: Pick<Limits, 'corroborateWithinMs'>
}

/**
 * What the providers have under a tag. What is final is never undone, by nobody: so where several are
 * there, one of them alone must not say it. The highest block that enough of them have reached counts.
 */
export class Tags {
  readonly #parts: Parts
  /** By connection, what it said last: what was so stays so, an old word is only a low one. */
  readonly #said = new WeakMap<EvmNode, Map<Tag, BlockRef | null>>()
  readonly #asking = new WeakMap<EvmNode, Map<Tag, Promise<void>>>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * What the node that is read from has under a tag, unless the others have not come so far. Null for
   * a tag that is not believed.
   */
  async read(
    tag: Tag,
    { node, provider, above }: { node: EvmNode; provider: Provider; above: number | null },
  ): Promise<BlockRef | null> {
    const { tags, providers, witnesses, quorum, clock, limits } = this.#parts
    if (!tags.includes(tag)) return null
    // Refused, it is not known, which is no reason to hold the block: the next step asks again.
    const own = await node.tagged(tag).catch(() => null)
    if (own === null || own.number <= (above ?? -1)) return own
    const others = providers().flatMap((one) =>
      one === provider || one.visit === null ? [] : [one.visit.node],
    )
    const asked = others.map((other) => this.#ask(other, tag))
    if (asked.length > 0) await within(clock, Promise.all(asked), limits.corroborateWithinMs)
    const said = others.map((other) => this.#said.get(other)?.get(tag))
    // One that knows no such tag has no say in it, and makes up no quorum; one that is late has, and will.
    const mute = said.filter((one) => one === null).length
    const needed = Math.max(
      Math.min(witnesses() - mute, Math.max(2, quorum)),
      Math.min(witnesses(), quorum),
    )
    const reached = [own, ...said.filter((one) => one !== null && one !== undefined)]
    const byHeight = reached.toSorted((a, b) => b.number - a.number)
    return byHeight[Math.max(1, needed) - 1] ?? null
  }

  /** One question at a time; its answer is kept, however late. Never rejects. */
  #ask(node: EvmNode, tag: Tag): Promise<void> {
    const asking = this.#asking.get(node) ?? new Map<Tag, Promise<void>>()
    this.#asking.set(node, asking)
    const running = asking.get(tag)
    if (running !== undefined) return running
    const asked = node
      .tagged(tag)
      .then((block) => {
        const said = this.#said.get(node) ?? new Map<Tag, BlockRef | null>()
        this.#said.set(node, said.set(tag, block))
      })
      // Who cannot say it now is asked again with the next step.
      .catch(() => undefined)
      .finally(() => asking.delete(tag))
    asking.set(tag, asked)
    return asked
  }
}
