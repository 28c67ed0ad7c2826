import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'
import type { ProviderScore } from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { EvmChain } from '../evm-chain.ts'
import type { FollowerLimits } from '../node/limits.ts'
import type { Header } from '../node/node.ts'
import type { ProviderSight } from '../node/sight.ts'
import { within } from '../node/within.ts'
import type { Provider } from './provider.ts'
import { elect, headRelation, type Voter } from './vote.ts'

/** Which provider to read from, and up to which block. */
export interface Choice {
  readonly provider: Provider
  readonly aim: Header
  /** Whether the follower may leave the stored chain for the provider's one. */
  readonly mayLeave: boolean
}

/** No provider to read from now: none has a new block, or each one that has must rest first. */
export interface NoChoice {
  readonly provider: null
  /** Whether the head of every provider is below the stored cursor. */
  readonly isBehind: boolean
  /** Whether there is no new block because the stored cursor is the head. */
  readonly isAtHead: boolean
  readonly restMs: number | null
}

interface FleetParts {
  readonly chain: Pick<EvmChain, 'toleratedDepth' | 'policy'>
  readonly providers: readonly Provider[]
  readonly clock: Clock
  readonly limits: FollowerLimits
}

interface FleetMember extends Voter {
  readonly provider: Provider
  readonly head: Header
}

/** The providers of one chain, taken together. */
export class Fleet {
  readonly providers: readonly Provider[]
  readonly #parts: FleetParts

  constructor(parts: FleetParts) {
    this.#parts = parts
    this.providers = parts.providers
  }

  /** The providers that are connected, on our chain and subscribed to. */
  get up(): readonly Provider[] {
    return this.providers.filter(({ isUp }) => isUp)
  }

  /** The highest head of the providers that are up; 0 if no provider is. */
  get bestHead(): number {
    return Math.max(0, ...this.up.map(({ head }) => head?.ref.number ?? 0))
  }

  /** Heads may be this many blocks apart without a provider counting as behind. */
  get lagBlocksMax(): number {
    return this.#parts.chain.toleratedDepth + 1
  }

  /**
   * How many providers could show a payment. A provider that lags by number still counts while its
   * blocks are recent: otherwise a provider that fakes blocks faster than the chain makes them
   * would be the only witness, and trusted alone. A provider that is just connecting counts too:
   * otherwise the first one after a start would be.
   */
  get witnesses(): number {
    const { clock, limits } = this.#parts
    const least = this.bestHead - this.lagBlocksMax
    const since = clock.now() - limits.voiceLastsMs
    return this.providers.filter(({ isUp, isArriving, head }) => {
      if (isArriving) return true
      return isUp && head !== null && (head.ref.number >= least || head.ref.minedAt > since)
    }).length
  }

  /**
   * Whether the follower must stop, because too many providers show another chain below a final
   * block: at least as many as must agree on a payment, and at least as many as still show our
   * chain.
   */
  get isHalted(): boolean {
    const refused = this.providers.filter(
      ({ refusal }) => refusal === 'reorg_below_finality',
    ).length
    return refused >= Math.max(2, this.#parts.chain.policy.quorum) && refused >= this.up.length
  }

  /** The state of each provider, which decides how well the chain is seen. */
  sights(): readonly ProviderSight[] {
    const least = this.bestHead - this.lagBlocksMax
    return this.providers.map(({ isUp, refusal, isFailing, isSilent, isDeaf, head }) => ({
      isUp: isUp && head !== null,
      refusal,
      isFailing,
      isSilent,
      isDeaf,
      lags: isUp && head !== null && head.ref.number < least,
    }))
  }

  /** The score of each provider, for metrics and pages. */
  scores(): readonly ProviderScore[] {
    const { bestHead, lagBlocksMax } = this
    return this.providers.map((provider) => {
      const { name, score } = provider
      const head = provider.head?.ref.number ?? null
      const lagBlocks = Math.max(0, bestHead - (head ?? bestHead))
      const reason = provider.reason ?? (lagBlocks > lagBlocksMax ? 'provider_behind' : null)
      const visibility = reason === null ? 'ok' : provider.isUp ? 'degraded' : 'blind'
      const { logsAsked, logsEmpty, disagreements, reconnects, firstSeen, lagMs } = score
      const counts = { logsAsked, logsEmpty, disagreements, reconnects, firstSeen }
      return { name, visibility, reason, head, lagBlocks, lagMs, ...counts }
    })
  }

  /** Chooses a provider; asks for branches only when heads are on several. Never rejects. */
  async choose(recent: readonly BlockRef[]): Promise<Choice | NoChoice> {
    const members = this.#members()
    const relationOf = (member: FleetMember) => headRelation(member, recent)
    if (members.length > 1 && members.some((member) => relationOf(member) === 'apart')) {
      await this.#askAbout(members, recent)
    }
    const apart = members.filter((member) => relationOf(member) === 'apart')
    const ours = members.filter(
      (member) => relationOf(member) !== 'apart' && relationOf(member) !== 'unknown',
    )
    const there = apart.length === 0 ? null : elect(ours, apart)
    const news = there ?? members.filter((member) => /ahead|unknown/.test(relationOf(member)))
    const best = this.#best(news)
    if (best !== null) {
      const { provider, head } = best
      return { provider, aim: head, mayLeave: there !== null || members.length === 1 }
    }
    const isBehind =
      members.length > 0 && members.every((member) => relationOf(member) === 'behind')
    const isAtHead = members.length > 0 && news.length === 0 && !isBehind
    const rests = news.map(({ provider }) => provider.restUntil - this.#parts.clock.now())
    const restMs = rests.length === 0 ? null : Math.min(...rests)
    return { provider: null, isBehind, isAtHead, restMs }
  }

  /** Whether another provider has a block above this number and need not rest. */
  hasOther(provider: Provider, number: number): boolean {
    const now = this.#parts.clock.now()
    return this.up.some(
      (other) =>
        other !== provider &&
        other.restUntil <= now &&
        other.head !== null &&
        other.head.ref.number > number,
    )
  }

  #members(): FleetMember[] {
    const { clock, limits } = this.#parts
    const { bestHead, lagBlocksMax } = this
    return this.up.flatMap((provider) => {
      const { head, ring, headAt } = provider
      if (head === null) return []
      const lags = head.ref.number < bestHead - lagBlocksMax
      const counts = !lags || clock.now() - headAt < limits.voiceLastsMs
      const at = (number: number) => ring.at(number)
      return [{ provider, head, ref: head.ref, at, lags, counts }]
    })
  }

  /** Asks providers for their hashes at the heights of comparison. A slow provider has no vote. */
  async #askAbout(members: readonly FleetMember[], recent: readonly BlockRef[]): Promise<void> {
    const { clock, limits } = this.#parts
    const heights = new Set([...members.map(({ ref }) => ref.number), recent[0]?.number ?? 0])
    const answered = members.flatMap(({ provider, ref }) =>
      [...heights].filter((number) => number < ref.number).map((number) => provider.hashAt(number)),
    )
    await within(clock, Promise.all(answered), limits.patienceMs)
  }

  /** The highest, so newest, head; among equals the fewest failures, then the least lag. */
  #best(news: readonly FleetMember[]): FleetMember | null {
    const now: Instant = this.#parts.clock.now()
    const [best] = news
      .filter(({ provider }) => provider.restUntil <= now)
      .toSorted(
        (a, b) =>
          b.ref.number - a.ref.number ||
          a.provider.readFailures - b.provider.readFailures ||
          a.provider.score.lagMs - b.provider.score.lagMs,
      )
    return best ?? null
  }
}
