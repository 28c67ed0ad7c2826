import { Failure } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'
import type {
  AppliedBlock,
  ChainStep,
  Corroborated,
  Reread,
  Rereader,
  ShownBlock,
  WatchSet,
} from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Beside } from '../ballot/ballot.ts'
import { inclusionsOf } from '../ballot/beside.ts'
import { BlockReader } from '../ballot/blocks.ts'
import type { ProviderPoll } from '../ballot/poll.ts'
import { isComplete, judge } from '../block/verdict.ts'
import { inParallel } from '../node/in-parallel.ts'
import { atOnce, type FollowerLimits } from '../node/limits.ts'
import type { EvmNode, Header } from '../node/node.ts'
import type { Fleet } from '../provider/fleet.ts'
import type { Provider } from '../provider/provider.ts'

interface BlockRereaderParts {
  readonly fleet: Fleet
  readonly tokens: readonly string[]
  readonly clock: Clock
  readonly limits: FollowerLimits
  readonly multicall3: string | null
  readonly poll: Pick<ProviderPoll, 'settle' | 'recall'>
}

/** Findings for the next step, and the promise of the caller that waits for it. */
interface WaitingFindings {
  readonly found: readonly Beside<Provider>[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Rescans blocks that were reported before, from every provider, independently of the walk's steps.
 */
export class BlockRereader implements Rereader {
  readonly #parts: BlockRereaderParts
  readonly #tokens: ReadonlySet<string>
  #waiting: readonly WaitingFindings[] = []
  #isClosed = false

  constructor(parts: BlockRereaderParts) {
    this.#parts = parts
    this.#tokens = new Set(parts.tokens)
  }

  reads(token: string | null): boolean {
    return token === null || this.#tokens.has(token)
  }

  async blockAt(at: Instant): Promise<number> {
    const [visit] = this.#parts.fleet.up.map((provider) => provider.visit)
    if (visit === undefined || visit === null) throw unavailable('No provider is connected.')
    const { node } = visit
    const isAfter = async (number: number): Promise<boolean> => {
      const header = await node.byNumber(number, false)
      if (header === null) throw unavailable(`A provider does not have block ${number}.`)
      return header.ref.minedAt > at
    }
    let [low, high] = [0, (await node.latest()).ref.number + 1]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (await isAfter(middle)) high = middle
      else low = middle
    }
    return low
  }

  async read(from: number, to: number, watch: WatchSet): Promise<Reread> {
    const { providers } = this.#parts.fleet
    // Wait while a provider connects: soon it is either readable or known to be down.
    const arriving = providers.find(({ isUp, isArriving }) => !isUp && isArriving)
    if (arriving !== undefined)
      throw unavailable(`The provider ${arriving.name} is still connecting.`)
    const numbers = Array.from({ length: to - from + 1 }, (_, at) => from + at)
    const read = await Promise.allSettled(
      providers.map(async (provider) => ({
        provider,
        ...(await this.#readFrom(provider, numbers, watch)),
      })),
    )
    const done = read.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    const failed = read.find((one) => one.status === 'rejected')
    const agreed = largest(done, ({ blocks }) => blocks.map(hashOf).join())
    const chosen = agreed.find(({ isUnread }) => !isUnread) ?? agreed[0]
    if (chosen === undefined) {
      throw unavailable(`No provider has all of the blocks ${from} to ${to}.`, failed?.reason)
    }
    const isAgreed = (provider: Provider): boolean =>
      agreed.some((one) => one.provider === provider)
    const { yes = [], no = [] } = Object.groupBy(providers, (one) => (isAgreed(one) ? 'yes' : 'no'))
    return {
      readFrom: yes.map(({ name }) => name),
      notReadFrom: no.map(({ name }) => name),
      blocks: chosen.blocks,
      shown: agreed.flatMap(({ provider, applied }) =>
        applied
          .map((one) => (provider === chosen.provider ? one : withoutInner(one)))
          .filter(pays)
          .map((one) => ({ source: provider.source, applied: one })),
      ),
      isUnread: chosen.isUnread,
    }
  }

  async recordMissing(shown: readonly ShownBlock[]): Promise<void> {
    const { fleet, poll } = this.#parts
    const found = shown.flatMap(({ source, applied }) => {
      const provider = fleet.providers.find((one) => one.source === source)
      return provider === undefined ? [] : { provider, applied }
    })
    await Promise.all(found.map((one) => poll.settle([one.applied], one.provider)))
    if (this.#isClosed) throw closed()
    return new Promise((resolve, reject) => {
      this.#waiting = [...this.#waiting, { found: onceEach(found), resolve, reject }]
    })
  }

  doubt(inclusions: readonly Corroborated[]): void {
    this.#parts.poll.recall(inclusions)
  }

  /** The findings for the next step, in canonical blocks. Rejects callers whose blocks are gone. */
  found(isCanonical: (block: BlockRef) => boolean): readonly Beside<Provider>[] {
    const isInPlace = ({ applied }: Beside<Provider>): boolean => isCanonical(applied.block)
    const gone = this.#waiting.filter(({ found }) => !found.every(isInPlace))
    this.#waiting = this.#waiting.filter((one) => !gone.includes(one))
    for (const { reject } of gone) reject(unavailable('The chain changed during the rescan.'))
    return this.#waiting.flatMap(({ found }) => found)
  }

  /** Resolves the callers whose findings were stored with this step. */
  stored({ late = [] }: ChainStep): void {
    const delivered = new Set(late.flatMap(inclusionsOf).map(inclusionKey))
    const isStored = ({ found }: WaitingFindings): boolean =>
      found.every(({ applied }) =>
        inclusionsOf(applied).every((one) => delivered.has(inclusionKey(one))),
      )
    for (const { resolve } of this.#waiting.filter(isStored)) resolve()
    this.#waiting = this.#waiting.filter((one) => !isStored(one))
  }

  /** Rejects callers that still wait. */
  close(): void {
    this.#isClosed = true
    for (const { reject } of this.#waiting) reject(closed())
    this.#waiting = []
  }

  async #readFrom(provider: Provider, numbers: readonly number[], watch: WatchSet) {
    const { visit, name } = provider
    if (visit === null) throw unavailable(`The provider ${name} is not connected.`)
    const { node } = visit
    const headers = await this.#headers(node, numbers, watch.wantsNative)
    const { clock, limits, tokens, multicall3 } = this.#parts
    const reader = new BlockReader({ clock, limits, tokens, multicall3, watch })
    const contents = await reader.read(node, headers)
    while (!contents.every((block) => isComplete(block, watch)))
      await reader.complete(node, contents)
    return {
      blocks: headers.map(({ ref }) => ref),
      applied: contents.map((block) => judge(block, watch)).filter(pays),
      isUnread: watch.wantsNative && reader.isUnread,
    }
  }

  /** The headers of these numbers, each the child of the one before. */
  async #headers(node: EvmNode, numbers: readonly number[], whole: boolean): Promise<Header[]> {
    const headers = await inParallel(numbers, atOnce.questions, async (number) => {
      const header = await node.byNumber(number, whole)
      if (header === null) throw unavailable(`A provider does not have block ${number}.`)
      return header
    })
    const isBroken = headers.some(
      ({ ref }, at) => at > 0 && ref.parentHash !== headers[at - 1]?.ref.hash,
    )
    if (isBroken) throw unavailable('The chain changed during the rescan.')
    return headers
  }
}

const hashOf = ({ hash }: BlockRef): string => hash
const inclusionKey = ({ block, txHash }: Corroborated): string => `${block.hash} ${txHash}`
const pays = ({ transfers }: AppliedBlock): boolean => transfers.length > 0

/**
 * Contract payments are taken from one provider only: one may trace them and another find them by
 * balance, which would count them twice.
 */
const withoutInner = (applied: AppliedBlock): AppliedBlock => ({
  ...applied,
  transfers: applied.transfers.filter(({ token, part }) => token !== null || part === 'top'),
})

/** The largest group of equal items; throws when the two largest are of equal size. */
function largest<Item>(items: readonly Item[], keyOf: (item: Item) => string): readonly Item[] {
  const [first, second] = [...Map.groupBy(items, keyOf).values()].sort(
    (a, b) => b.length - a.length,
  )
  if (first === undefined) return []
  if (first.length !== second?.length) return first
  throw unavailable('The providers have different blocks in that range.')
}

/** Each transaction of a block, as its first provider shows it. */
function onceEach(found: readonly Beside<Provider>[]): readonly Beside<Provider>[] {
  const taken = new Set<string>()
  return found.flatMap(({ provider, applied }) => {
    const fresh = new Set(
      inclusionsOf(applied).flatMap((one) => (taken.has(inclusionKey(one)) ? [] : one.txHash)),
    )
    for (const txHash of fresh)
      taken.add(inclusionKey({ txHash, block: applied.block, transfers: [] }))
    const transfers = applied.transfers.filter(({ txHash }) => fresh.has(txHash))
    return transfers.length === 0 ? [] : { provider, applied: { ...applied, transfers } }
  })
}

const unavailable = (message: string, cause?: unknown): Failure =>
  new Failure('chain_unavailable', message, { cause })

const closed = (): Failure => unavailable('This process no longer follows the chain.')
