import { assert } from '@settlewire/core/assert'
import { Failure, failedWith } from '@settlewire/core/errors'
import type {
  ChainFollower,
  ChainHealth,
  ChainPosition,
  ChainSink,
  ChainStep,
  Clock,
  EventStore,
  Log,
  LookUp,
  Metrics,
  Sighting,
  WatchSet,
} from '../../ports.ts'
import { backoffMs } from './backoff.ts'
import { type Connect, connectByUrl } from './connect.ts'
import type { RpcConnection } from './connection.ts'
import { type EvmChain, type EvmNodeAddress, sourceOf, tokensOf } from './evm-chain.ts'
import { HeadWatch } from './heads.ts'
import { HealthReport } from './health.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { Mempool } from './mempool.ts'
import { EvmNode, type Header } from './node.ts'
import { ChainWalk } from './walk.ts'

export type { Connect } from './connect.ts'
export type { EvmChain, EvmNodeAddress } from './evm-chain.ts'

export interface EvmParts {
  readonly chain: EvmChain
  /** Filled before `start()`: what is not in it is not seen in the blocks read first. */
  readonly watch: WatchSet
  readonly sink: ChainSink
  readonly store: Pick<EventStore, 'position' | 'begin'>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'chainSocket'>
  readonly limits?: Partial<Limits>
  /** Left out: a WebSocket or HTTP, by the url. */
  readonly connect?: Connect
}

/** What a person must look at. The node is looked at again now and then, in case it was the node. */
type Halt = 'chain_mismatch' | 'reorg_too_deep'

/** A node that has shown who it is, and is listened to. */
interface Visit {
  readonly node: EvmNode
  readonly heads: HeadWatch
  readonly genesisHash: string
}

const failuresBeforeReconnect = 5

/**
 * Follows one EVM chain through one node: connect, ask who it is, read on from the stored cursor,
 * live. Every loss of the connection begins again at the first of these, and nothing is told to the
 * sink before the node has shown the right chain id and genesis.
 */
export class EvmFollower implements ChainFollower {
  readonly #parts: EvmParts
  readonly #limits: Limits
  readonly #source: string
  readonly #log: Log
  readonly #health: HealthReport
  readonly #walk: ChainWalk
  readonly #node: EvmNodeAddress
  readonly #connect: Connect
  readonly #closing = new AbortController()
  #socket: RpcConnection | null = null
  #running: Promise<void> | null = null

  constructor(parts: EvmParts) {
    const { chain, clock, sink } = parts
    this.#parts = parts
    this.#limits = { ...defaultLimits, ...parts.limits }
    const [node] = chain.nodes
    assert(node !== undefined, 'a chain is configured with a node')
    this.#node = node
    this.#connect = parts.connect ?? connectByUrl
    this.#source = sourceOf(node.name)
    this.#log = parts.log.child({ chain: chain.name, source: this.#source })
    this.#health = new HealthReport(chain.name, {
      clock,
      blindAfterMs: this.#limits.blindAfterMs,
      tell: (health) => this.#tellHealth(health),
    })
    this.#walk = new ChainWalk({
      ...parts,
      chain: chain.name,
      source: this.#source,
      tokens: tokensOf(chain),
      sink,
      limits: this.#limits,
    })
  }

  start(): void {
    this.#running ??= this.#run()
  }

  health(): ChainHealth {
    return this.#health.read()
  }

  async lookUp(_txHash: string): Promise<LookUp> {
    return { kind: 'unsure' }
  }

  /** A step being stored is waited for; nothing is told afterwards. */
  async close(): Promise<void> {
    this.#health.close()
    this.#closing.abort()
    this.#socket?.drop('left')
    await this.#running
  }

  /** Never rejects: whatever ends a connection, the next one is tried. */
  async #run(): Promise<void> {
    const { clock } = this.#parts
    const { signal } = this.#closing
    for (let attempt = 0; !signal.aborted; attempt++) {
      const since = clock.now()
      const halt = await this.#visit(signal)
      if (signal.aborted) return
      if (clock.now() - since >= this.#limits.stableAfterMs) attempt = 0
      const waitMs =
        halt === null
          ? backoffMs(attempt, this.#limits.backoff, clock.chance())
          : this.#limits.haltedRecheckMs
      this.#health.say(halt ?? 'socket_down')
      await clock.sleep(waitMs, signal)
    }
  }

  /** One connection, from its opening to its end. Never rejects. */
  async #visit(signal: AbortSignal): Promise<Halt | null> {
    const { chain, clock, metrics } = this.#parts
    try {
      this.#socket = await this.#connect(this.#node, {
        clock,
        limits: this.#limits,
        signal,
      })
    } catch (error) {
      this.#log.debug({ error }, 'the node cannot be reached')
      return null
    }
    metrics.chainSocket(chain.name, 'connected')
    const halt = await this.#follow(this.#socket, signal)
    this.#socket.drop('left')
    const ending = await this.#socket.closed
    if (ending === 'silent') metrics.chainSocket(chain.name, 'silent')
    if (!signal.aborted) {
      metrics.chainSocket(chain.name, 'lost')
      this.#log.warn({ why: halt ?? ending }, 'the connection to the node is over')
    }
    return halt
  }

  /** Never rejects. What fails while the connection lives is tried again, on the same connection first. */
  async #follow(socket: RpcConnection, signal: AbortSignal): Promise<Halt | null> {
    let visit: Visit | null = null
    for (let failures = 0; socket.open && !signal.aborted; ) {
      try {
        visit ??= await this.#arrive(socket)
        const halt = await this.#chase(visit)
        if (halt !== null) return halt
        failures = 0
      } catch (error) {
        if (failedWith(error, 'chain_mismatch')) return this.#mismatch(error)
        if (!socket.open || signal.aborted) break
        failures++
        this.#failed(error, failures)
        visit?.heads.again()
        if (failures >= failuresBeforeReconnect && failedWith(error, 'chain_unavailable')) break
        const { clock } = this.#parts
        await clock.sleep(backoffMs(failures, this.#limits.backoff, clock.chance()), signal)
      }
    }
    return null
  }

  /** Asks the node who it is before anything it says is believed, then where we were, then listens. */
  async #arrive(socket: RpcConnection): Promise<Visit> {
    const { chain } = this.#parts
    const node = new EvmNode(socket)
    const [chainId, genesisHash] = await Promise.all([node.chainId(), node.genesisHash()])
    if (chainId !== chain.chainId) {
      const detail = `The node is on chain ${chainId}, not on ${chain.chainId}.`
      throw new Failure('chain_mismatch', detail)
    }
    this.#walk.forget()
    const [block] = (await this.#walk.position(node, genesisHash)).recent
    if (block !== undefined) this.#health.at(block)
    const heads = await this.#listen(socket, node)
    return { node, heads, genesisHash }
  }

  async #listen(socket: RpcConnection, node: EvmNode): Promise<HeadWatch> {
    const { chain, clock, watch, metrics } = this.#parts
    const limits = this.#limits
    const tell = (sighting: Sighting): void => this.#tellPending(sighting)
    const tokens = new Set(tokensOf(chain))
    const mempool = new Mempool({
      socket,
      node,
      tokens,
      watch,
      clock,
      limits,
      tell,
      log: this.#log,
      mode: chain.publicMempool ? this.#node.pending : 'none',
      preconfirmations: this.#node.preconfirmations,
    })
    const heads: HeadWatch = new HeadWatch({
      socket,
      node,
      clock,
      limits,
      still: () => this.#health.sayIfWell('no_new_head'),
      silent: () => {
        metrics.chainSocket(chain.name, 'silent')
        this.#log.warn({}, 'the subscriptions are dead on a living connection; subscribing anew')
        // When the connection ends meanwhile, the next one subscribes.
        Promise.all([heads.subscribe(), mempool.subscribe()]).catch(() => undefined)
      },
    })
    await Promise.all([mempool.subscribe(), heads.subscribe()])
    return heads
  }

  /** Waits for a head and goes all the way to it. */
  async #chase({ node, heads, genesisHash }: Visit): Promise<Halt | null> {
    const head = await heads.next()
    for (;;) {
      const position = await this.#walk.position(node, genesisHash)
      const progress = await this.#walk.towards(node, head, position)
      if (progress.kind === 'too_deep') return this.#tooDeep(head, position)
      if (progress.kind === 'stepped') this.#stepped(progress.step)
      const behind = progress.kind === 'stepped' && progress.behind > 0
      if (progress.kind === 'node_behind') this.#health.say('node_behind')
      else this.#health.say(behind ? 'catching_up' : null)
      if (!behind) return null
    }
  }

  #stepped(step: ChainStep): void {
    const { chain, metrics } = this.#parts
    const last = step.applied.at(-1)?.block
    if (last === undefined) return
    this.#health.moved(last)
    const [undone] = step.reverted
    if (undone === undefined) return
    metrics.chainSocket(chain.name, 'reorged')
    this.#log.warn(
      { depth: step.reverted.length, blockHash: undone.hash, head: last.number },
      'blocks left the canonical chain',
    )
  }

  #failed(error: unknown, failures: number): void {
    const ofStore = failedWith(error, 'store_unavailable') || failedWith(error, 'cursor_conflict')
    this.#walk.forget()
    // Once is nothing: a block asked for in the moment it was reorged fails like this too.
    if (ofStore) this.#health.say('store_failing')
    else if (failures > 1) this.#health.say('node_failing')
    if (error instanceof Failure) this.#log.warn({ error, attempt: failures }, 'a step failed')
    else this.#log.error({ error, attempt: failures }, 'a step failed by a bug')
  }

  #mismatch(error: Failure): Halt {
    this.#log.error({ error }, 'the node is on another chain; nothing it says is believed')
    return 'chain_mismatch'
  }

  #tooDeep(head: Header, { recent }: ChainPosition): Halt {
    this.#log.error(
      { head: head.ref.number, blockHash: head.ref.hash, depth: recent.length },
      'the chain was rewritten below everything remembered; it is stopped until it fits again',
    )
    return 'reorg_too_deep'
  }

  #tellPending(sighting: Sighting): void {
    const { chain, sink } = this.#parts
    if (this.#closing.signal.aborted) return
    try {
      sink.pending(chain.name, this.#source, [sighting])
    } catch (error) {
      // A bug in the sink must not end the connection of which this is the listener.
      this.#log.error({ error }, 'a pending transaction could not be told')
    }
  }

  #tellHealth(health: ChainHealth): void {
    this.#log.info({ visibility: health.visibility, reason: health.reason }, 'sight changed')
    this.#parts.sink.health(health)
  }
}
