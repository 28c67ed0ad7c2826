import { createHash } from 'node:crypto'
import type { Policy } from '@settlewire/core/payment/policy'
import { EvmFollower } from '../../server/src/chain/evm/follower.ts'
import type { FollowerLimits } from '../../server/src/chain/evm/node/limits.ts'
import { sleepOn } from '../../server/src/clock.ts'
import { Engine } from '../../server/src/engine/engine.ts'
import type { Asset } from '../../server/src/engine/payment/asset.ts'
import { AssetBook } from '../../server/src/engine/payment/asset-book.ts'
import {
  type Followed as Followers,
  Membership,
} from '../../server/src/engine/process/membership.ts'
import { LookUps } from '../../server/src/engine/watch/look-ups.ts'
import type { ChainSight } from '../../server/src/engine/watch/sight.ts'
import { silentMetrics } from '../../server/src/metrics.ts'
import type { Directory } from '../../server/src/ports/access.ts'
import type { Clock } from '../../server/src/ports/clock.ts'
import type { Batch, EventStore, StoredEvent } from '../../server/src/ports/history.ts'
import type { Log } from '../../server/src/ports/log.ts'
import type { Bulletin, Feeds, Leases } from '../../server/src/ports/processes.ts'
import { evmChains } from '../support/evm/kinds.ts'
import { chainOf, nodeAt } from '../support/evm/labs.ts'
import type { Chance } from './chance.ts'
import type { Listener } from './denials.ts'
import { Hearing, type Statement } from './hearing.ts'
import type { ModelChain } from './model-chain.ts'
import type { Provider } from './provider.ts'
import type { Channel } from './readers/channel.ts'
import { Front } from './readers/front.ts'
import type { Asked, Door } from './readers/network.ts'
import type { Follower } from './readers/sight-truth.ts'
import type { Caller } from './store-wire.ts'
import type { Timeline } from './timeline.ts'
import { Wire } from './wire.ts'

/** One chain, its providers, and how it is followed. */
export interface Followed {
  readonly model: ModelChain
  readonly providers: readonly Provider[]
  readonly quorum: number
  readonly limits: Partial<FollowerLimits>
}

export interface LifeParts {
  readonly name: string
  /** The place of its leases if other processes share the database; null if it runs alone. */
  readonly place: string | null
  readonly timeline: Timeline
  readonly chance: Chance
  /** The error of the machine's clock. */
  readonly skewMs: () => number
  readonly chains: readonly Followed[]
  readonly policy: Policy
  readonly assets: readonly Asset[]
  readonly stepPartSize: number
  readonly merchantId: string
  /** Connects the store and the directory of this life. */
  readonly open: (caller: Caller, clock: Clock) => Reached
  readonly announce: (events: readonly StoredEvent[]) => void
  readonly bug: (what: string) => void
  readonly trace: (what: string) => void
  /** Called with each statement of a node about a transaction that arrives. */
  readonly heard: (listener: Listener, said: Statement) => void
  /** Called when it dies or is paused; the returned function when it continues. */
  readonly stopped: () => () => void
  /** Called before it tells a reader how well chains are seen. */
  readonly tellsSight: () => void
}

/** The store over a simulated connection; `die` must be called when the caller dies. */
export interface Reached {
  readonly events: EventStore & Feeds
  readonly directory: Directory
  readonly nodes: Leases & Bulletin
  /** The store for readers, over its own connection, so that reads do not affect the engine. */
  readonly reads: EventStore
  die(): void
}

/** No operator requests a rescan here. */
const noRescans = { look: async () => undefined }
/** A backplane that loses every hint: a process learns of others only by reading the store. */
const deaf = { announce: () => undefined, subscribe: () => () => undefined }

/**
 * One life of the program, engine and followers, from start to end, however it ends. If it shares
 * the database, it follows the chains that it has leases for and stands by for the rest.
 */
export class Life implements Caller, Door, Follower {
  readonly name: string
  readonly engine: Engine
  isAlive = true
  /** Whether it accepts requests. */
  isReady = false
  /** Since when it has run without a pause, by the timeline. */
  awakeSince = 0
  /** Whether it is shutting down in order. */
  isClosing = false
  /** The number of store calls left before it dies. */
  callsLeft = Number.POSITIVE_INFINITY
  /** Called with the chain when the first of several parts of a step is stored. */
  onBegun: ((chain: string) => void) | null = null
  readonly #parts: LifeParts
  readonly #store: Reached
  readonly #followers = new Map<string, EvmFollower>()
  readonly #membership: Membership | null
  readonly #clock: Clock
  readonly #log: Log
  /** Calls that arrived while it was paused, in order. */
  readonly #later: (() => void)[] = []
  readonly #deaths: Chance
  isPaused = false
  #goesOn: () => void = () => undefined
  /** Answers the requests of readers. */
  readonly #front: Front

  constructor(parts: LifeParts) {
    this.#parts = parts
    this.#deaths = parts.chance.fork('deaths')
    this.name = parts.name
    this.#clock = this.#makeClock(parts.chance)
    this.#store = parts.open(this, this.#clock)
    this.#log = this.#makeLog()
    const log = this.#log
    const { chains, policy, assets, announce, place, stepPartSize } = parts
    const lookUps = new LookUps({
      ...{ bulletin: this.#store.nodes, clock: this.#clock, log },
      readNews: () => this.engine.news.read(),
      follows: (chain) => place === null || this.#followers.has(chain),
      lookUp: async (chain, txHash) =>
        (await this.#followers.get(chain)?.lookUp(txHash)) ?? { kind: 'unsure' },
    })
    this.engine = new Engine({
      ...{ store: this.#store.events, directory: this.#store.directory, clock: this.#clock, log },
      ...{ metrics: silentMetrics, policy, policyOf: () => policy, deriveAddress, stepPartSize },
      chains: chains.map(({ model }) => ({ name: model.rules.name, livemode: false })),
      assets: new AssetBook(assets),
      kinds: evmChains(...chains.map(({ model }) => model.rules.name)),
      lookUp: lookUps.lookUp,
      announce: (events) => {
        if (!this.isAlive) return
        announce(events)
        this.#front.announce(events)
      },
      shared: place !== null,
      onLeaseLost: () => this.#membership?.look(),
    })
    const names = chains.map(({ model }) => model.rules.name)
    this.#front = new Front({
      ...{ engine: this.engine, store: this.#store.reads, log, policy },
      ...{ clock: this.#makeClock(parts.chance.fork('front')), kinds: evmChains(...names) },
      ...{ merchantId: parts.merchantId, tellsSight: parts.tellsSight },
    })
    this.#membership =
      place === null
        ? null
        : new Membership({
            ...{ nodes: this.#store.nodes, engine: this.engine, followers: this.#follows() },
            ...{ lookUps, rescanning: noRescans, backplane: deaf, chains: names, place },
            ...{ clock: this.#clock, log },
          })
    void this.#start()
  }

  calling(): void {
    if (--this.callsLeft < 0) this.die()
  }

  stored({ cursors = [] }: Batch): void {
    for (const { chain, unfinished } of cursors) {
      if (unfinished?.isOpen === true && this.isAlive) this.onBegun?.(chain)
    }
  }

  /** Whether it accepts a reader's request: a paused process does, and answers when it resumes. */
  take(asked: Asked, channel: Channel): boolean {
    if (!this.isReady) return false
    this.#front.connected(channel)
    this.happens(() => void this.#front.answer(asked, channel))
    return true
  }

  follows(chain: string): boolean {
    return this.isReady && !this.isPaused && this.#followers.has(chain)
  }

  isBlind(chain: string): boolean {
    return this.sights.some((one) => one.chain === chain && one.visibility === 'blind')
  }

  /** How well it sees each chain, by its own report. */
  get sights(): readonly ChainSight[] {
    return this.engine.watcher.chains()
  }

  /** Runs a call in this process: now, when it resumes, or never. */
  happens(call: () => void): void {
    if (!this.isAlive) return
    if (this.isPaused) this.#later.push(call)
    else call()
  }

  /** As `kill -STOP`: the world continues without it. */
  pause(): void {
    this.isPaused = true
    this.#goesOn = this.#parts.stopped()
  }

  /** As `kill -CONT`: the process does not notice that time has passed. */
  resume(): void {
    this.isPaused = false
    this.#goesOn()
    this.awakeSince = this.#parts.timeline.elapsed
    for (const call of this.#later.splice(0)) {
      this.#parts.timeline.after(0, () => this.happens(call))
    }
  }

  /** As `kill -9`: from now on nothing runs in it. */
  die(): void {
    if (!this.isAlive) return
    this.isAlive = false
    this.isReady = false
    this.#parts.trace(`${this.name} dies`)
    this.#store.die()
    this.#front.die(this.#deaths.is(0.8))
    this.#goesOn()
    this.#parts.stopped()()
  }

  /** As in a deploy: accepted requests are answered, then it ends. */
  async close(): Promise<void> {
    this.isReady = false
    this.isClosing = true
    this.#front.close()
    await this.#membership?.close()
    await Promise.all([...this.#followers.values()].map((follower) => follower.close()))
    await this.engine.close()
    await this.#membership?.giveBack()
    this.die()
  }

  async #start(): Promise<void> {
    for (;;) {
      try {
        await this.engine.start()
        break
      } catch {
        // As a supervisor does: start again until the database is reachable.
        await this.#clock.sleep(500)
      }
    }
    const followers = this.#follows()
    if (this.#membership !== null) await this.#membership.start()
    else for (const { model } of this.#parts.chains) followers.start(model.rules.name)
    this.isReady = !this.isClosing
    this.awakeSince = this.#parts.timeline.elapsed
  }

  #follows(): Followers {
    const followers = this.#followers
    return {
      start: (name) => {
        const chain = this.#parts.chains.find(({ model }) => model.rules.name === name)
        if (chain === undefined || followers.has(name)) return
        const follower = this.#follower(chain)
        followers.set(name, follower)
        follower.start()
      },
      stop: async (name) => {
        const follower = followers.get(name)
        followers.delete(name)
        await follower?.close()
      },
      withScores: (sight) => sight,
    }
  }

  #follower({ model, providers, quorum, limits }: Followed): EvmFollower {
    const { timeline, chance, trace, heard } = this.#parts
    const { name, chainId, tokens, blockMs } = model.rules
    return new EvmFollower({
      chain: chainOf({
        ...{ name, chainId, tokens, blockMs, quorum, toleratedDepth: 3 },
        tags: model.rules.hasTags ? ['safe', 'finalized'] : [],
        providers: providers.map(({ name }) => nodeAt(name, `memory://${name}`)),
      }),
      connect: (address, { limits }) => {
        const provider = providers.find((each) => each.name === address.name)
        if (provider === undefined) throw new Error(`unknown provider ${address.name}`)
        const { answerWithinMs } = limits
        const said = (statement: Statement): void => heard(this, statement)
        const hearing = new Hearing({ chain: name, provider: provider.name, said })
        const parts = { provider, timeline, chance, caller: this, answerWithinMs, trace }
        return Wire.connect({ ...parts, hearing })
      },
      watch: this.engine.watcher.watchSet(name),
      sink: this.engine.watcher,
      ...{ store: this.#store.events, clock: this.#clock, log: this.#log, limits },
      metrics: silentMetrics,
    })
  }

  /** A clock with the machine's error; its timers count true time and end with the process. */
  #makeClock(chance: Chance): Clock {
    const { timeline, skewMs } = this.#parts
    const clock: Clock = {
      now: () => timeline.now + skewMs(),
      after: (delayMs, call) => timeline.after(delayMs, () => this.happens(call)),
      soon: (call) => void clock.after(0, call),
      sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
      random: (bytes) => chance.bytes(bytes),
      chance: () => chance.next(),
    }
    return clock
  }

  /** Ignores operating errors, which are expected here, and reports bugs. */
  #makeLog(): Log {
    const quiet = (): void => undefined
    const log: Log = {
      ...{ debug: quiet, info: quiet, warn: quiet },
      error: (fields, message) => {
        if (/bug|listener/.test(message)) this.#parts.bug(`${message}: ${causeOf(fields)}`)
      },
      child: () => log,
    }
    return log
  }
}

/** Not a real derivation, only a different address for every index. */
export const deriveAddress = (xpub: string, index: number): string =>
  `0x${createHash('sha256').update(`${xpub}/${index}`).digest('hex').slice(0, 40)}`

const causeOf = (fields: object): string =>
  'error' in fields && fields.error instanceof Error ? (fields.error.stack ?? '') : ''
