import { failedWith } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'
import type { ProviderConfig } from '../../../chain-config.ts'
import type { Sighting, WatchSet } from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Log } from '../../../ports/log.ts'
import type { Metrics } from '../../../ports/metrics.ts'
import { type EvmChain, sourceOf, tokensOf } from '../evm-chain.ts'
import { NodeMempool } from '../mempool/mempool.ts'
import { isRefusal } from '../node/answer.ts'
import { backoffMs } from '../node/backoff.ts'
import type { Connect } from '../node/connect.ts'
import type { RpcConnection, RpcWire } from '../node/connection.ts'
import type { FollowerLimits } from '../node/limits.ts'
import { RequestLine } from '../node/line.ts'
import { EvmNode, type Header } from '../node/node.ts'
import { Score } from '../node/scores.ts'
import type { ProviderRefusal } from '../node/sight.ts'
import { BlockRing } from './block-ring.ts'
import { HeadWatch } from './heads.ts'

export type { ProviderRefusal } from '../node/sight.ts'

export interface ProviderParts {
  readonly chain: EvmChain
  readonly watch: WatchSet
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'chainIncident' | 'chainOdd'>
  readonly limits: FollowerLimits
  readonly connect: Connect
  /**
   * Checks that a node with the right chain id is on our chain. Rejects when it cannot tell now.
   */
  readonly admit: (node: EvmNode, genesisHash: string) => Promise<ProviderRefusal | null>
  /** Called when the state of the provider changed. */
  readonly changed: () => void
  readonly saw: (provider: Provider, head: BlockRef) => void
  readonly sighted: (provider: Provider, sighting: Sighting) => void
}

/** A node that passed the identity check and is subscribed to. */
interface Visit {
  readonly connection: RpcConnection
  readonly node: EvmNode
  readonly genesisHash: string
  readonly heads: HeadWatch
  readonly mempool: NodeMempool
}

type Lines = ReturnType<RequestLine['over']>
type Subscribed = Pick<Visit, 'heads' | 'mempool'>

const failuresBeforeReconnect = 5

/**
 * One node of a chain, connected for the life of the follower: connect, check its identity,
 * subscribe. Every lost connection starts again with the first of these. No fact is reported from a
 * node before it has shown the right chain id, the right genesis, and our chain up to the final
 * block.
 */
export class Provider {
  readonly name: string
  readonly source: string
  readonly score: Score
  /** The blocks that it is known to call canonical. */
  readonly ring = new BlockRing()

  readonly #address: ProviderConfig
  readonly #parts: ProviderParts
  readonly #log: Log
  readonly #line: RequestLine
  readonly #closing = new AbortController()
  #running: Promise<void> | null = null
  #connection: RpcWire | null = null
  #visit: Visit | null = null
  #refusal: ProviderRefusal | null = null
  #head: Header | null = null
  #headAt: Instant = 0
  #isSilent = false
  /** Whether the first try to connect is over, and whether it was ever up. */
  #isTried = false
  #wasUp = false
  #listenFailures = 0
  #readFailures = 0
  #restUntil: Instant = 0

  constructor(address: ProviderConfig, parts: ProviderParts) {
    this.name = address.name
    this.source = sourceOf(address.name)
    this.#address = address
    this.#parts = parts
    this.#log = parts.log.child({ source: this.source })
    this.#line = new RequestLine(parts)
    this.score = new Score((what) => parts.metrics.chainOdd(parts.chain.name, what))
  }

  /** Connected, on our chain, and subscribed to. */
  get isUp(): boolean {
    return this.#visit !== null
  }

  /** It is connecting for the first time, or has connected and not shown a head since. */
  get isArriving(): boolean {
    return this.isUp ? this.#head === null : !this.#isTried && this.#refusal === null
  }

  /** The connection to read from; null unless it is up. */
  get visit(): Pick<Visit, 'connection' | 'node' | 'genesisHash'> | null {
    return this.#visit
  }

  /** The last head that it showed, also while it is down; null from a connect to the first head. */
  get head(): Header | null {
    return this.#head
  }

  /** When it showed that head. */
  get headAt(): Instant {
    return this.#headAt
  }

  get refusal(): ProviderRefusal | null {
    return this.#refusal
  }

  /**
   * It answers incorrectly, late, or not at all. One failure does not count: a block that is just
   * being reorganised causes one.
   */
  get isFailing(): boolean {
    return this.#listenFailures > 1 || this.#readFailures > 1
  }

  /** It shows no new block. */
  get isSilent(): boolean {
    return this.#isSilent
  }

  /** It refuses for now to notify of heads or pending transactions. */
  get isDeaf(): boolean {
    return this.#visit !== null && (this.#visit.heads.isRefused || this.#visit.mempool.isRefused)
  }

  /** Consecutive failed reads. */
  get readFailures(): number {
    return this.#readFailures
  }

  /** After a failed read it is not asked until then. */
  get restUntil(): Instant {
    return this.#restUntil
  }

  /** Why it is unreliable, apart from any comparison with other providers; null when it is not. */
  get reason(): string | null {
    if (this.#refusal !== null) return this.#refusal
    if (!this.isUp) return this.#isTried ? 'provider_down' : 'starting'
    if (this.isFailing) return 'node_failing'
    if (this.isDeaf) return 'subscription_refused'
    return this.#isSilent ? 'no_new_head' : null
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#connection?.drop('left')
    await this.#running
  }

  /** Its chain cannot be ours: disconnects, and checks it again later. */
  refuse(refusal: ProviderRefusal): void {
    if (this.#refusal === refusal) return
    this.#refusal = refusal
    const { number, hash } = this.#head?.ref ?? {}
    this.#log.error({ why: refusal, head: number, blockHash: hash }, refusals[refusal])
    this.#leave()
  }

  /**
   * Its canonical hash at a number, known or asked for; null when it has none or does not answer.
   */
  async hashAt(number: number, fresh = false): Promise<string | null> {
    const known = fresh ? null : this.ring.at(number)
    if (known !== null || this.#visit === null) return known
    try {
      const header = await this.#visit.node.byNumber(number, false)
      if (header !== null) this.ring.learn(header.ref)
      return header?.ref.hash ?? null
    } catch {
      return null
    }
  }

  /** Clears its read failures: a read succeeded, or it has rested long enough. */
  forgive(): void {
    const wasFailing = this.isFailing
    this.#readFailures = 0
    this.#restUntil = 0
    if (wasFailing) this.#parts.changed()
  }

  /** Lets it rest for a while; reconnects after repeated failures, unless it only refuses. */
  readFailed(error: unknown): void {
    const { clock, limits } = this.#parts
    this.#readFailures++
    this.#restUntil = clock.now() + backoffMs(this.#readFailures, limits.backoff, clock.chance())
    this.#complain(error, this.#readFailures)
    if (this.#readFailures >= failuresBeforeReconnect && !isRefusal(error)) this.#leave()
    else this.#parts.changed()
  }

  /** Disconnects: it is not up from now on. */
  #leave(): void {
    const wasUp = this.isUp
    this.#visit = null
    this.#connection?.drop('left')
    if (wasUp) this.#parts.changed()
  }

  /** Connects again whenever a connection ended. Never rejects. */
  async #run(): Promise<void> {
    const { clock, limits, changed } = this.#parts
    const { signal } = this.#closing
    for (let attempt = 0; !signal.aborted; attempt++) {
      const since = clock.now()
      await this.#visitOnce(signal)
      if (signal.aborted) return
      if (clock.now() - since >= limits.stableAfterMs) attempt = 0
      this.#isTried = true
      changed()
      const waitMs =
        this.#refusal === null
          ? backoffMs(attempt, limits.backoff, clock.chance())
          : limits.haltedRecheckMs
      await clock.sleep(waitMs, signal)
    }
  }

  /** One connection, from its opening to its end. Never rejects. */
  async #visitOnce(signal: AbortSignal): Promise<void> {
    const { chain, clock, limits, metrics, connect } = this.#parts
    let connection: RpcWire
    try {
      connection = await connect(this.#address, { clock, limits, signal })
    } catch (error) {
      this.#log.debug({ error }, 'the node cannot be reached')
      return
    }
    this.#connection = connection
    if (signal.aborted) connection.drop('left')
    metrics.chainIncident(chain.name, 'connected')
    await this.#follow(connection, signal)
    connection.drop('left')
    this.#visit = null
    this.#listenFailures = 0
    const ending = await connection.closed
    if (ending === 'silent') metrics.chainIncident(chain.name, 'silent')
    if (signal.aborted) return
    metrics.chainIncident(chain.name, 'lost')
    this.#log.warn({ why: this.#refusal ?? ending }, 'the connection to the node ended')
  }

  /** A failure on an open connection is first retried on the same connection. Never rejects. */
  async #follow(connection: RpcWire, signal: AbortSignal): Promise<void> {
    const { clock, limits, changed } = this.#parts
    const lines = this.#line.over(connection)
    let visit: Visit | null = null
    while (connection.open && !signal.aborted) {
      try {
        visit ??= await this.#arrive(lines)
        if (visit === null) return
        this.#takeHead(await visit.heads.next())
      } catch (error) {
        if (!connection.open || signal.aborted) return
        const failures = ++this.#listenFailures
        this.#complain(error, failures)
        changed()
        // A node that refuses is alive, and reconnecting would only add one more question.
        const isLost = failedWith(error, 'chain_unavailable') && !isRefusal(error)
        if (failures >= failuresBeforeReconnect && isLost) return
        await clock.sleep(backoffMs(failures, limits.backoff, clock.chance()), signal)
      }
    }
  }

  /** Checks the node's identity before trusting it, then subscribes. Null when it is refused. */
  async #arrive(lines: Lines): Promise<Visit | null> {
    const { chain, admit, changed } = this.#parts
    const connection = lines.now
    const node = new EvmNode(connection, this.score)
    const [chainId, genesisHash] = await Promise.all([node.chainId(), node.genesisHash()])
    const refusal =
      chainId === chain.chainId ? await admit(node, genesisHash) : ('chain_mismatch' as const)
    if (refusal !== null) {
      this.refuse(refusal)
      return null
    }
    const subscribed = await this.#listen(lines, node)
    if (this.#wasUp) this.score.reconnects++
    this.#wasUp = true
    this.#refusal = null
    this.#head = null
    this.#isSilent = false
    this.ring.clear()
    // After a reconnect the next failed read counts as a repeated one.
    this.#readFailures = Math.min(this.#readFailures, 1)
    this.#restUntil = 0
    this.#visit = { connection, node, genesisHash, ...subscribed }
    changed()
    return this.#visit
  }

  async #listen(lines: Lines, node: EvmNode): Promise<Subscribed> {
    const { chain, clock, watch, metrics, limits, sighted, changed } = this.#parts
    const { now: connection, later } = lines
    const mempool = new NodeMempool({
      socket: later,
      node: new EvmNode(later),
      watch,
      clock,
      limits,
      log: this.#log,
      changed,
      tokens: new Set(tokensOf(chain)),
      report: (sighting) => sighted(this, sighting),
      mode: chain.publicMempool ? this.#address.pending : 'none',
      preconfirmations: this.#address.preconfirmations,
    })
    const heads: HeadWatch = new HeadWatch({
      socket: connection,
      node,
      clock,
      limits,
      blockMs: chain.blockMs,
      changed,
      still: () => {
        this.#isSilent = true
        changed()
      },
      answered: () => this.#answered(),
      silent: () => {
        metrics.chainIncident(chain.name, 'silent')
        this.#log.warn({}, 'the subscriptions are dead on an open connection; subscribing again')
        // If the connection ends meanwhile, the next one subscribes.
        Promise.all([heads.subscribe(), mempool.subscribe()]).catch(() => undefined)
      },
    })
    await Promise.all([mempool.subscribe(), heads.subscribe()])
    return { heads, mempool }
  }

  #answered(): void {
    const { clock, limits } = this.#parts
    const wasFailing = this.isFailing
    this.#listenFailures = 0
    // On a chain without new blocks there is nothing to read that could show that it is well again.
    const isRested = clock.now() - this.#restUntil >= limits.stableAfterMs
    if (this.#readFailures > 0 && isRested) this.#readFailures = 0
    if (wasFailing && !this.isFailing) this.#parts.changed()
  }

  #takeHead(head: Header): void {
    const { clock, saw } = this.#parts
    this.#listenFailures = 0
    this.#isSilent = false
    this.#head = head
    this.#headAt = clock.now()
    this.ring.head(head.ref)
    saw(this, head.ref)
  }

  #complain(error: unknown, attempt: number): void {
    const isExpected =
      failedWith(error, 'chain_unavailable') || failedWith(error, 'store_unavailable')
    if (isExpected) this.#log.warn({ error, attempt }, 'the node could not be read')
    else this.#log.error({ error, attempt }, 'the node could not be read because of a bug')
  }
}

const refusals: Readonly<Record<ProviderRefusal, string>> = {
  chain_mismatch: 'the node is on another chain; its answers are ignored',
  reorg_below_finality: 'the node shows another chain below a final block; it is not followed',
  reorg_too_deep: 'the node shows another chain below every remembered block; it is not followed',
}
