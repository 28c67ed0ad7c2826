import { failedWith } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { BlockRef } from '@settlewire/core/payment/observation'
import type { ProviderConfig } from '../../../chain-config.ts'
import type { Sighting, WatchSet } from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Log } from '../../../ports/log.ts'
import type { Metrics } from '../../../ports/metrics.ts'
import { type EvmChain, sourceOf, tokensOf } from '../evm-chain.ts'
import { Mempool } from '../mempool/mempool.ts'
import { isRefusal } from '../node/answer.ts'
import { backoffMs } from '../node/backoff.ts'
import type { Connect } from '../node/connect.ts'
import type { RpcConnection, RpcWire } from '../node/connection.ts'
import type { Limits } from '../node/limits.ts'
import { Line } from '../node/line.ts'
import { EvmNode, type Header } from '../node/node.ts'
import { Score } from '../node/scores.ts'
import type { Refusal } from '../node/sight.ts'
import { BlockRing } from './block-ring.ts'
import { HeadWatch } from './heads.ts'

export type { Refusal } from '../node/sight.ts'

export interface ProviderParts {
  readonly chain: EvmChain
  readonly watch: WatchSet
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'chainSocket' | 'chainOdd'>
  readonly limits: Limits
  readonly connect: Connect
  /** Whether a node on the right chain id is on our chain. Rejects when that cannot be told now. */
  readonly admit: (node: EvmNode, genesisHash: string) => Promise<Refusal | null>
  /** Its state is another one. */
  readonly changed: () => void
  readonly saw: (provider: Provider, head: BlockRef) => void
  readonly sighted: (provider: Provider, sighting: Sighting) => void
}

/** A node that has shown who it is, and is listened to. */
interface Visit {
  readonly connection: RpcConnection
  readonly node: EvmNode
  readonly genesisHash: string
  readonly heads: HeadWatch
  readonly mempool: Mempool
}

type Lines = ReturnType<Line['over']>
type Ears = Pick<Visit, 'heads' | 'mempool'>

const failuresBeforeReconnect = 5

/**
 * One node of a chain, connected for as long as the follower lives: connect, ask who it is, listen.
 * Every loss of the connection begins again at the first of these, and nothing is told of a node
 * that has not shown the right chain id, the right genesis, and our chain up to what is final.
 */
export class Provider {
  readonly name: string
  readonly source: string
  readonly score: Score
  /** What it is known to call canonical. */
  readonly ring = new BlockRing()

  readonly #address: ProviderConfig
  readonly #parts: ProviderParts
  readonly #log: Log
  readonly #line: Line
  readonly #closing = new AbortController()
  #running: Promise<void> | null = null
  #connection: RpcWire | null = null
  #visit: Visit | null = null
  #refusal: Refusal | null = null
  #head: Header | null = null
  #headAt: Instant = 0
  #isSilent = false
  /** Whether the first try to reach it is over, and whether it was ever up. */
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
    this.#line = new Line(parts)
    this.score = new Score((what) => parts.metrics.chainOdd(parts.chain.name, what))
  }

  /** Connected, on our chain, and listened to. */
  get isUp(): boolean {
    return this.#visit !== null
  }

  /** It is reached for the first time, or has not told its first head yet. */
  get isArriving(): boolean {
    return this.isUp ? this.#head === null : !this.#isTried && this.#refusal === null
  }

  /** What to read from; null unless it is up. */
  get visit(): Pick<Visit, 'connection' | 'node' | 'genesisHash'> | null {
    return this.#visit
  }

  /** The last head it told, also while it is down. */
  get head(): Header | null {
    return this.#head
  }

  /** When it told that. */
  get headAt(): Instant {
    return this.#headAt
  }

  get refusal(): Refusal | null {
    return this.#refusal
  }

  /** It answers wrongly, late, or not at all. Once is nothing: a block that is just being reorged fails so. */
  get isFailing(): boolean {
    return this.#listenFailures > 1 || this.#readFailures > 1
  }

  /** It shows no new block. */
  get isSilent(): boolean {
    return this.#isSilent
  }

  /** It refuses for now to tell heads or pending transactions as they come. */
  get isDeaf(): boolean {
    return this.#visit !== null && (this.#visit.heads.isRefused || this.#visit.mempool.isRefused)
  }

  /** Reads that failed one after the other. */
  get readFailures(): number {
    return this.#readFailures
  }

  /** After a failed read it is left alone until then. */
  get restUntil(): Instant {
    return this.#restUntil
  }

  /** Why it cannot be relied on, whatever the others say; null when it can. */
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

  /** Its chain cannot be ours: it is left, and asked again later. */
  refuse(refusal: Refusal): void {
    if (this.#refusal === refusal) return
    this.#refusal = refusal
    const { number, hash } = this.#head?.ref ?? {}
    this.#log.error({ why: refusal, head: number, blockHash: hash }, refusals[refusal])
    this.#leave()
  }

  /** The hash it gives a number, as heard of or asked; null when it has none or does not say. */
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

  /** It was read from, or has been left alone for so long that it may be tried again like any other. */
  forgive(): void {
    const wasFailing = this.isFailing
    this.#readFailures = 0
    this.#restUntil = 0
    if (wasFailing) this.#parts.changed()
  }

  /** It is left alone for a while, and for a new connection when it goes on. */
  readFailed(error: unknown): void {
    const { clock, limits } = this.#parts
    this.#readFailures++
    this.#restUntil = clock.now() + backoffMs(this.#readFailures, limits.backoff, clock.chance())
    this.#complain(error, this.#readFailures)
    if (this.#readFailures >= failuresBeforeReconnect && !isRefusal(error)) this.#leave()
    else this.#parts.changed()
  }

  /** It is not up from now on. */
  #leave(): void {
    const wasUp = this.isUp
    this.#visit = null
    this.#connection?.drop('left')
    if (wasUp) this.#parts.changed()
  }

  /** Never rejects: whatever ends a connection, the next one is tried. */
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
    metrics.chainSocket(chain.name, 'connected')
    await this.#follow(connection, signal)
    connection.drop('left')
    this.#visit = null
    this.#listenFailures = 0
    const ending = await connection.closed
    if (ending === 'silent') metrics.chainSocket(chain.name, 'silent')
    if (signal.aborted) return
    metrics.chainSocket(chain.name, 'lost')
    this.#log.warn({ why: this.#refusal ?? ending }, 'the connection to the node is over')
  }

  /** Never rejects. What fails while the connection lives is tried again, on the same connection first. */
  async #follow(connection: RpcWire, signal: AbortSignal): Promise<void> {
    const { clock, limits, changed } = this.#parts
    const lines = this.#line.over(connection)
    let visit: Visit | null = null
    while (connection.open && !signal.aborted) {
      try {
        visit ??= await this.#arrive(lines)
        if (visit === null) return
        this.#heard(await visit.heads.next())
      } catch (error) {
        if (!connection.open || signal.aborted) return
        const failures = ++this.#listenFailures
        this.#complain(error, failures)
        changed()
        // A node that refuses is there, and a new connection would be one question more.
        const isLost = failedWith(error, 'chain_unavailable') && !isRefusal(error)
        if (failures >= failuresBeforeReconnect && isLost) return
        await clock.sleep(backoffMs(failures, limits.backoff, clock.chance()), signal)
      }
    }
  }

  /** Asks the node who it is before anything it says is believed, then listens. Null when refused. */
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
    const ears = await this.#listen(lines, node)
    if (this.#wasUp) this.score.reconnects++
    this.#wasUp = true
    this.#refusal = null
    this.#head = null
    this.#isSilent = false
    this.ring.clear()
    // The next failure of a read is not the first.
    this.#readFailures = Math.min(this.#readFailures, 1)
    this.#restUntil = 0
    this.#visit = { connection, node, genesisHash, ...ears }
    changed()
    return this.#visit
  }

  async #listen(lines: Lines, node: EvmNode): Promise<Ears> {
    const { chain, clock, watch, metrics, limits, sighted, changed } = this.#parts
    const { now: connection, later } = lines
    const mempool = new Mempool({
      ...{ socket: later, node: new EvmNode(later), watch, clock, limits, log: this.#log, changed },
      tokens: new Set(tokensOf(chain)),
      tell: (sighting) => sighted(this, sighting),
      mode: chain.publicMempool ? this.#address.pending : 'none',
      preconfirmations: this.#address.preconfirmations,
    })
    const heads: HeadWatch = new HeadWatch({
      ...{ socket: connection, node, clock, limits, blockMs: chain.blockMs, changed },
      still: () => {
        this.#isSilent = true
        changed()
      },
      answered: () => this.#answered(),
      silent: () => {
        metrics.chainSocket(chain.name, 'silent')
        this.#log.warn({}, 'the subscriptions are dead on a living connection; subscribing anew')
        // When the connection ends meanwhile, the next one subscribes.
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
    // On a chain that stands still there is nothing to read, and nothing else to show that it is well.
    const isRested = clock.now() - this.#restUntil >= limits.stableAfterMs
    if (this.#readFailures > 0 && isRested) this.#readFailures = 0
    if (wasFailing && !this.isFailing) this.#parts.changed()
  }

  #heard(head: Header): void {
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
    else this.#log.error({ error, attempt }, 'the node could not be read, by a bug')
  }
}

const refusals: Readonly<Record<Refusal, string>> = {
  chain_mismatch: 'the node is on another chain; nothing it says is believed',
  reorg_below_finality: 'the node shows another chain below what is final; it is not followed',
  reorg_too_deep: 'the node shows another chain below everything remembered; it is not followed',
}
