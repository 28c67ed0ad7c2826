import { assert } from '@settlewire/core/assert'
import { Failure, failedWith } from '@settlewire/core/errors'
import type { BlockRef } from '@settlewire/core/payment/observation'
import type { ChainHead } from '@settlewire/core/payment/policy'
import type {
  ChainFollower,
  ChainHealth,
  ChainSink,
  LookUp,
  Sighting,
  WatchSet,
} from '../../ports/chain.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ChainPosition, EventStore } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Metrics } from '../../ports/metrics.ts'
import type { Stop } from '../../ports/stop.ts'
import { ProviderPoll } from './ballot/poll.ts'
import { type EvmChain, tokensOf } from './evm-chain.ts'
import { ReadAttempt } from './node/attempt.ts'
import { backoffMs } from './node/backoff.ts'
import { Bell } from './node/bell.ts'
import { type Connect, connectByUrl } from './node/connect.ts'
import { defaultLimits, type FollowerLimits } from './node/limits.ts'
import { EvmNode } from './node/node.ts'
import { Firsts } from './node/scores.ts'
import { Agreement } from './provider/agreement.ts'
import { type Choice, Fleet } from './provider/fleet.ts'
import { lookUp } from './provider/look-up.ts'
import { Outlook } from './provider/outlook.ts'
import { Provider, type ProviderRefusal } from './provider/provider.ts'
import { BlockRereader } from './walk/block-rereader.ts'
import { Passed } from './walk/passed.ts'
import { StoreBug } from './walk/store-failure.ts'
import { Tags } from './walk/tags.ts'
import { ChainWalk, type WalkProgress } from './walk/walk.ts'

export type { EvmChain } from './evm-chain.ts'
export type { Connect } from './node/connect.ts'

export interface EvmParts {
  readonly chain: EvmChain
  /** Filled before `start()`: the first blocks are read for the addresses that it holds then. */
  readonly watch: WatchSet
  readonly sink: ChainSink
  readonly store: Pick<EventStore, 'position' | 'begin'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'chainIncident' | 'chainOdd'>
  readonly limits?: Partial<FollowerLimits>
  /** Default: a WebSocket or HTTP, by the scheme of the URL. */
  readonly connect?: Connect
}

/**
 * Follows one EVM chain through all of its nodes. Each node has its own connection, identity check
 * and subscriptions. One walk reads on from the stored cursor: each step from the best node, and
 * immediately from the next one when that fails. Blocks are linked by their parents' hashes, so it
 * does not matter which node sent a block: it fits or it does not.
 */
export class EvmFollower implements ChainFollower {
  readonly #parts: EvmParts
  readonly #limits: FollowerLimits
  readonly #log: Log
  readonly #fleet: Fleet
  readonly #agreement: Agreement
  readonly #poll: ProviderPoll
  readonly rereader: BlockRereader
  readonly #outlook: Outlook
  readonly #walk: ChainWalk
  readonly #passed: Passed
  readonly #bell = new Bell()
  readonly #closing = new AbortController()
  readonly #firstHeads = new Firsts()
  readonly #firstPending = new Firsts()
  #running: Promise<void> | null = null
  #hasRecalled = false

  constructor(parts: EvmParts) {
    const { chain, clock, sink, watch } = parts
    assert(chain.providers.length > 0, 'a chain is configured with a node')
    this.#parts = parts
    const limits = { ...defaultLimits, ...parts.limits }
    this.#limits = limits
    this.#log = parts.log.child({ chain: chain.name })
    const tokens = tokensOf(chain)
    const providers = chain.providers.map((address) => new Provider(address, this.#providerParts()))
    const fleet = new Fleet({ chain, providers, clock, limits })
    this.#fleet = fleet
    this.#agreement = new Agreement({
      chain,
      fleet,
      changed: () => this.#outlook.review(),
      suspect: (provider) => this.#suspect(provider),
    })
    const poll = new ProviderPoll({
      providers,
      tokens,
      clock,
      limits,
      watch,
      log: this.#log,
      sighted: (provider, sighting) => this.#sighted(provider, sighting),
      report: (source, vote, inclusion) => {
        const deliver = vote === 'shows' ? 'corroborated' : 'denied'
        this.#callSink(() => sink[deliver](chain.name, source, [inclusion]))
        if (vote === 'denies') this.#outlook.review()
      },
    })
    this.#poll = poll
    const { multicall3 } = chain
    this.rereader = new BlockRereader({ fleet, tokens, clock, limits, poll, multicall3 })
    this.#outlook = new Outlook({
      chain,
      clock,
      limits,
      log: this.#log,
      fleet,
      agreement: this.#agreement,
      contradicted: () => poll.isContradicted,
      balancesUnread: () => this.#walk.isUnread,
      report: (health) => sink.health(health),
    })
    const found = (block: BlockRef, txHash: string): void => poll.doubt(block, txHash)
    this.#passed = new Passed({ providers, clock, watch, found })
    this.#walk = new ChainWalk({
      ...parts,
      chain: chain.name,
      multicall3,
      followBelowFinality: chain.followBelowFinality,
      tokens,
      limits,
      log: this.#log,
      poll,
      rereader: this.rereader,
      trustsBlooms: chain.bloom === 'trusted',
      tags: new Tags({
        clock,
        limits,
        quorum: chain.policy.quorum,
        providers: () => fleet.up,
        tags: chain.tags,
        witnesses: () => fleet.witnesses,
      }),
      views: () => this.#views(),
    })
  }

  start(): void {
    if (this.#running !== null) return
    for (const provider of this.#fleet.providers) provider.start()
    this.#running = this.#run()
  }

  health(): ChainHealth {
    return this.#outlook.read()
  }

  async lookUp(txHash: string): Promise<LookUp> {
    const { chain, watch } = this.#parts
    const tokens = new Set(tokensOf(chain))
    const found = await lookUp(this.#fleet.providers, txHash, { watch, tokens })
    // The follower may have read its block without finding it.
    if (found.kind === 'mined' && found.pays === true) this.#passed.shown(txHash, found.blockNumber)
    return found
  }

  /** Waits for the step that is being stored; nothing is reported afterwards. */
  async close(): Promise<void> {
    this.#outlook.close()
    this.#closing.abort()
    this.#poll.close()
    this.rereader.close()
    this.#bell.ring()
    await Promise.all(this.#fleet.providers.map((provider) => provider.close()))
    await this.#running
  }

  #providerParts(): ConstructorParameters<typeof Provider>[1] {
    const { chain, watch, clock, log, metrics, connect = connectByUrl } = this.#parts
    return {
      chain,
      watch,
      clock,
      metrics,
      connect,
      limits: this.#limits,
      log: log.child({ chain: chain.name }),
      admit: (node, genesisHash) => this.#admit(node, genesisHash),
      changed: () => {
        this.#outlook.review()
        this.#agreement.check()
        this.#bell.ring()
      },
      saw: (provider, head) => this.#saw(provider, head),
      sighted: (provider, sighting) => this.#sighted(provider, sighting),
    }
  }

  /** Checks that a new node is on our chain: its genesis, and every block that cannot change. */
  async #admit(node: EvmNode, genesisHash: string): Promise<ProviderRefusal | null> {
    const expected = this.#parts.chain.genesisHash?.toLowerCase() ?? genesisHash
    if (expected !== genesisHash) return 'chain_mismatch'
    try {
      const position = await this.#walk.position(node, genesisHash)
      this.#outlook.at(position.recent[0])
      return await this.#walk.fits(node, position)
    } catch (error) {
      if (failedWith(error, 'chain_mismatch')) return 'chain_mismatch'
      if (isOfStore(error)) this.#storeFailed(error)
      throw error
    }
  }

  /** Checks again a provider that disagrees with another one. Never rejects. */
  async #suspect(provider: Provider): Promise<void> {
    const { visit } = provider
    if (visit === null) return
    const refusal = await this.#admit(visit.node, visit.genesisHash).catch(() => null)
    if (refusal !== null) provider.refuse(refusal)
  }

  #saw(provider: Provider, head: BlockRef): void {
    const { hash } = head
    this.#outlook.received(provider.name, head)
    const afterMs = this.#firstHeads.saw(hash, provider.name, this.#parts.clock.now())
    provider.score.recordLag(afterMs ?? 0)
    this.#agreement.check()
    this.#bell.ring()
    void this.#poll.askOpenQuestions(provider)
  }

  #sighted(provider: Provider, sighting: Sighting): void {
    const { chain, sink, clock } = this.#parts
    const { txHash } = sighting
    if (this.#firstPending.isNew(txHash)) provider.score.firstSeen++
    this.#firstPending.saw(txHash, provider.name, clock.now())
    this.#callSink(() => sink.pending(chain.name, provider.source, [sighting]))
  }

  /**
   * Calls the sink from a listener of a connection. A bug in the sink must not end that connection.
   */
  #callSink(call: () => void): void {
    if (this.#closing.signal.aborted) return
    try {
      call()
    } catch (error) {
      this.#log.error({ error }, 'the sink threw on a report of a provider')
    }
  }

  /** Steps as long as there are new blocks, then waits for a head. Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      const waitMs = await this.#goOn()
      if (waitMs > 0 && !signal.aborted) await this.#bell.wait(this.#parts.clock, waitMs)
    }
  }

  /** Tries one step towards the best head. Resolves with the wait for a new head. Never rejects. */
  async #goOn(): Promise<number> {
    const { headPollMs, backoff } = this.#limits
    const { watch } = this.#parts
    const [visit] = this.#fleet.up.map((provider) => provider.visit)
    if (visit === undefined || visit === null || this.#fleet.isHalted) return headPollMs
    try {
      const position = await this.#walk.position(visit.node, visit.genesisHash)
      if (!this.#hasRecalled) {
        this.#poll.recall(watch.inclusions(), openOf(position))
        this.#passed.stored(position.head.head)
        this.#passed.seek(watch.expected())
      }
      this.#hasRecalled = true
      const choice = await this.#fleet.choose(position.recent)
      if (choice.provider === null) {
        this.#outlook.waits(choice)
        return Math.min(choice.restMs ?? headPollMs, headPollMs)
      }
      this.#outlook.aims()
      const progress = await this.#read(choice, position)
      if (progress !== null) this.#came(progress, choice)
      return 0
    } catch (error) {
      this.#storeFailed(error)
      const { clock } = this.#parts
      const waitMs = backoffMs(this.#outlook.storeFailures, backoff, clock.chance())
      await clock.sleep(waitMs, this.#closing.signal)
      return 0
    }
  }

  /** Reads and delivers one step. Null when the provider failed; rejects when the store failed. */
  async #read(
    { provider, aim, mayLeave }: Choice,
    position: ChainPosition,
  ): Promise<WalkProgress | null> {
    const { visit } = provider
    if (visit === null) return null
    const attempt = new ReadAttempt(visit.connection)
    const stored = position.recent[0]?.number ?? 0
    const stop = this.#impatience(attempt, provider, { stored, aim: aim.ref.number })
    try {
      const node = new EvmNode(attempt, provider.score)
      return await this.#walk.towards({ node, provider, aim, mayLeave }, position)
    } catch (error) {
      if (isOfStore(error)) throw error
      if (!this.#closing.signal.aborted) provider.readFailed(error)
      return null
    } finally {
      stop()
    }
  }

  /** Abandons a slow read as soon as another provider has something new as well. */
  #impatience(
    attempt: ReadAttempt,
    provider: Provider,
    { stored, aim }: { readonly stored: number; readonly aim: number },
  ): Stop {
    const { clock } = this.#parts
    const { patienceMs, stepBlocksMax } = this.#limits
    const blocks = Math.min(stepBlocksMax, Math.max(1, aim - stored))
    const look = (): void => {
      if (this.#fleet.hasOther(provider, stored)) attempt.giveUp()
      else stop = clock.after(patienceMs / 4, look)
    }
    // Twice as long after each failure: else no provider could be read when all are slow.
    let stop = clock.after(patienceMs * (1 + blocks / 8) * 2 ** provider.readFailures, look)
    return () => stop()
  }

  #came(progress: WalkProgress, { provider }: Choice): void {
    if (progress.kind === 'refused') provider.refuse(progress.refusal)
    else if (progress.kind === 'leaves') {
      for (const block of progress.blocks) provider.ring.learn(block)
    } else {
      this.#forgive(provider)
      if (progress.kind === 'stepped') this.#stepped(progress, provider)
    }
  }

  /** Clears the failures of this provider, and of others whose rest ended long enough ago. */
  #forgive(reader: Provider): void {
    const { clock } = this.#parts
    reader.forgive()
    for (const provider of this.#fleet.up) {
      const { readFailures, restUntil } = provider
      if (readFailures > 0 && clock.now() - restUntil >= this.#limits.stableAfterMs) {
        provider.forgive()
      }
    }
  }

  #stepped({ step }: Stepped, { source }: Provider): void {
    const { chain, metrics } = this.#parts
    this.#outlook.stepped(step)
    this.#passed.stored(step.head.head)
    const [undone] = step.reverted
    if (undone === undefined) return
    metrics.chainIncident(chain.name, 'reorged')
    this.#log.warn(
      { source, depth: step.reverted.length, blockHash: undone.hash, head: step.head.head },
      'blocks left the canonical chain',
    )
  }

  #storeFailed(error: unknown): void {
    this.#walk.forget()
    this.#outlook.storeFailed()
    const attempt = this.#outlook.storeFailures
    if (error instanceof Failure) this.#log.warn({ error, attempt }, 'a step failed')
    else this.#log.error({ error, attempt }, 'a step failed because of a bug')
  }

  /** What a step reports about its witnesses. Empty for a chain with one node. */
  #views(): Pick<ChainHead, 'witnesses' | 'disagree'> {
    if (this.#fleet.providers.length < 2) return {}
    return { witnesses: this.#fleet.witnesses, disagree: this.#agreement.isBroken }
  }
}

type Stepped = Extract<WalkProgress, { readonly kind: 'stepped' }>

/** Errors of the store are waited out; on an error of a node another node is tried. */
const isOfStore = (error: unknown): boolean =>
  error instanceof StoreBug ||
  failedWith(error, 'store_unavailable') ||
  failedWith(error, 'cursor_conflict') ||
  failedWith(error, 'chain_mismatch')

/** After a restart every provider is asked about this many blocks again. */
const recalledMax = 64

/** The newest blocks that a reorg may still revert. */
const openOf = ({ head, recent }: ChainPosition): readonly BlockRef[] =>
  recent
    .slice(0, recalledMax)
    .filter(({ number }) => head.finalized === null || number > head.finalized)
