import { createHash } from 'node:crypto'
import type { Policy } from '@settlewire/core/payment/policy'
import { systemClock } from '../../server/src/clock.ts'
import { Engine } from '../../server/src/engine/engine.ts'
import type { Asset } from '../../server/src/engine/payment/asset.ts'
import { AssetBook } from '../../server/src/engine/payment/asset-book.ts'
import type { LookUpOn } from '../../server/src/engine/payment/claim-search.ts'
import type { Scope } from '../../server/src/engine/payment/once.ts'
import type { PaymentRequest } from '../../server/src/engine/payment/terms.ts'
import { silentLog } from '../../server/src/log.ts'
import { silentMetrics } from '../../server/src/metrics.ts'
import type { Directory, Keys } from '../../server/src/ports/access.ts'
import type { EventStore, StoredEvent } from '../../server/src/ports/history.ts'
import type { Log } from '../../server/src/ports/log.ts'
import type { Feeds } from '../../server/src/ports/processes.ts'
import { openStore, type Store } from '../../server/src/store/open.ts'
import { evmChains } from './evm/kinds.ts'
import { ManualClock } from './manual-clock.ts'
import { ModelChain } from './model-chain.ts'
import { toldBy } from './past.ts'
import { bornAt, policy as localPolicy, usdc } from './payments.ts'
import { type TestDatabase, testDatabase } from './postgres.ts'

export const assets: readonly Asset[] = [
  {
    ...{ symbol: 'USDC', currency: 'USDC', chain: 'local', chainId: 31337 },
    ...{ token: usdc, decimals: 6, livemode: false },
  },
  {
    ...{ symbol: 'USDC', currency: 'USDC', chain: 'other', chainId: 31338 },
    ...{ token: usdc, decimals: 6, livemode: false },
  },
  {
    ...{ symbol: 'ETH', currency: 'ETH', chain: 'local', chainId: 31337 },
    ...{ token: null, decimals: 18, livemode: false },
  },
]

/** The kind of the chains in this file. */
export const kinds = evmChains('local', 'other')

export const policy: Policy = {
  version: 'test-1',
  chains: { ...localPolicy.chains, other: { settled: 2, final: 'finalized', quorum: 1 } },
}

export const merchant: Scope = { merchantId: `mer_${'1'.repeat(26)}`, livemode: false }
export const stranger: Scope = { merchantId: `mer_${'2'.repeat(26)}`, livemode: false }

export const request: PaymentRequest = {
  amount: '150.00',
  currency: 'USDC',
  accept: ['USDC.local'],
}

/** Instead of a real derivation: a different address for every index. */
export const deriveAddress = (xpub: string, index: number): string =>
  `0x${createHash('sha256').update(`${xpub}/${index}`).digest('hex').slice(0, 40)}`

/** The history, and the feeds that other processes read. */
type History = EventStore & Feeds

/** Wraps a call of the store: makes it, holds it, or fails it. */
export type Around = (method: keyof History, call: () => Promise<unknown>) => Promise<unknown>

export interface WorldOptions {
  readonly around?: Around
  readonly log?: Log
  /** Default: the one of this file. */
  readonly policy?: Policy
}

const never = new Promise<never>(() => undefined)

/** An engine on a real store, with a manual clock and chains that the test controls. */
export class EngineWorld {
  readonly clock = new ManualClock(bornAt)
  readonly local = new ModelChain('local', { startAt: bornAt })
  readonly other = new ModelChain('other', { startAt: bornAt })
  /** All announcements of all engines. */
  readonly announced: StoredEvent[] = []
  /** The deposit addresses given out by all engines. */
  readonly derived: string[] = []
  readonly assets = new AssetBook(assets)
  readonly store: History
  readonly directory: Directory
  readonly keys: Keys
  readonly proveWrites: Store['proveWrites']
  engine: Engine
  /** The providers' answer about a transaction; a test may replace it. */
  lookUp: LookUpOn = (chain, txHash) => {
    const model = chain === 'local' ? this.local : this.other
    return Promise.resolve(model.lookUp(txHash))
  }
  /** Set it before a call to the store that should fail. */
  around: Around
  /** Whether the chains are seen after an engine's start; each is blind until sight is reported. */
  seesAtStart = true
  readonly #log: Log
  readonly #policy: Policy
  readonly #opened: Store
  readonly #database: TestDatabase
  /** The engine that is running: the others are dead processes, even with calls under way. */
  #generation = 0
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #beside: Engine[] = []

  private constructor(database: TestDatabase, options: WorldOptions) {
    this.#database = database
    this.#log = options.log ?? silentLog
    this.#policy = options.policy ?? policy
    this.around = options.around ?? ((_, call) => call())
    this.#opened = openStore({ url: database.url, clock: this.clock, log: this.#log })
    this.store = this.#opened.events
    this.directory = this.#opened.directory
    this.keys = this.#opened.keys
    this.proveWrites = this.#opened.proveWrites
    this.engine = this.#build()
  }

  static async start(options: WorldOptions = {}): Promise<EngineWorld> {
    const world = new EngineWorld(await testDatabase(), options)
    for (const { merchantId } of [merchant, stranger]) {
      const xpub = `xpub-${merchantId}`
      await world.directory.addMerchant({ id: merchantId, name: 'A shop', xpub, createdAt: bornAt })
    }
    for (const chain of [world.local, world.other]) {
      await world.store.begin(chain.name, chain.genesis.hash, chain.genesis)
      await world.#resume(chain)
    }
    await world.engine.start()
    world.#see()
    return world
  }

  /**
   * Kills the process and starts it again. The store still finishes the calls under way: before the
   * new process reads, or, with `quick`, at any time.
   */
  async crash({ quick = false } = {}): Promise<void> {
    this.#generation++
    if (!quick) await Promise.allSettled(this.#underWay)
    const engine = this.#build()
    for (const chain of [this.local, this.other]) await this.#resume(chain)
    await engine.start()
    this.engine = engine
    this.#see()
  }

  /** For tests that query the database directly. */
  get databaseUrl(): string {
    return this.#database.url
  }

  /** Another process on the same database that follows no chain. It ends with the world. */
  async beside(): Promise<Engine> {
    const engine = this.#make(this.store)
    await engine.start()
    this.#beside.push(engine)
    return engine
  }

  async restart(): Promise<void> {
    await this.engine.close()
    await this.crash()
  }

  /** Holds the calls of one method of the store until they are released. */
  hold(method: keyof History): { reached: Promise<void>; letGo: () => void } {
    let letGo = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const reached = new Promise<void>((resolve) => {
      this.around = async (called, call) => {
        if (called !== method) return call()
        resolve()
        await gate
        return call()
      }
    })
    return { reached, letGo }
  }

  /** The address of a payment that accepts one chain only. */
  async open(changes: Partial<PaymentRequest> = {}): Promise<{ id: string; address: string }> {
    const { payment } = await this.engine.payments.create(
      merchant,
      { ...request, ...changes },
      null,
    )
    const address = payment.terms.accept[0]?.address ?? ''
    return { id: payment.id, address }
  }

  /** Delivers the chain's next step to the engine. */
  async follow(chain: ModelChain = this.local): Promise<void> {
    await chain.deliver(this.engine.watcher, this.engine.watcher.watchSet(chain.name))
  }

  /** Mines a block and delivers it. */
  async mine(
    transactions: Parameters<ModelChain['mine']>[0] = [],
    { blocks = 1, chain = this.local } = {},
  ): Promise<void> {
    chain.mine(transactions, blocks)
    await this.follow(chain)
  }

  /** Advances the clock, and then the chains that are still seen. */
  async pass(ms: number, chains: readonly ModelChain[] = [this.local, this.other]): Promise<void> {
    await this.clock.advance(ms)
    for (const chain of chains) {
      chain.mineAt(this.clock.now())
      await this.follow(chain)
    }
  }

  /** Polls in real time, for effects of a real database: true once `check` is, within 10 s. */
  async eventually(check: () => Promise<boolean> | boolean): Promise<boolean> {
    for (let i = 0; i < 1_000; i++) {
      if (await check()) return true
      await systemClock.sleep(10)
      await this.clock.advance(1)
    }
    return false
  }

  /** Resolves when everything that is queued now is committed. */
  async settled(): Promise<void> {
    await this.engine.writer.submit({ ids: [], decide: () => ({ decisions: [], answer: null }) })
  }

  async status(id: string): Promise<string> {
    return (await this.engine.payments.get(merchant, id)).status
  }

  /** `type:status` of every event of a payment. */
  async history(id: string): Promise<readonly string[]> {
    const events = await this.store.read(id, 0, 1_000)
    return events.map(toldBy)
  }

  async close(): Promise<void> {
    await Promise.all([this.engine, ...this.#beside].map((engine) => engine.close()))
    await this.#opened.close()
    await this.#database.close()
  }

  #see(): void {
    if (!this.seesAtStart) return
    for (const chain of [this.local, this.other]) chain.tell(this.engine.watcher, 'ok')
  }

  async #resume(chain: ModelChain): Promise<void> {
    const position = await this.store.position(chain.name)
    if (position !== null) chain.resumeAt(position)
  }

  /** The store of one process: calls go through `around`, and never return once it is dead. */
  #storeOf(generation: number): History {
    return new Proxy(this.store, {
      get: (store, name) => {
        const method: unknown = Reflect.get(store, name)
        if (typeof method !== 'function') return method
        return async (...values: unknown[]) => {
          if (generation !== this.#generation) return never
          const call = async () => method.apply(store, values)
          // Only members of the interface are read from the proxy.
          const settled = this.around(name as keyof History, call)
          this.#underWay.add(settled)
          const end = () => this.#underWay.delete(settled)
          settled.then(end, end)
          const outlived = () => generation !== this.#generation
          return settled.then(
            (answer) => (outlived() ? never : answer),
            (error: unknown) => (outlived() ? never : Promise.reject(error)),
          )
        }
      },
    })
  }

  #build(): Engine {
    return this.#make(this.#storeOf(++this.#generation))
  }

  #make(store: History): Engine {
    return new Engine({
      store,
      ...{ directory: this.directory, clock: this.clock },
      deriveAddress: (xpub, index) => {
        const address = deriveAddress(xpub, index)
        this.derived.push(address)
        return address
      },
      ...{ assets: this.assets, kinds },
      ...{ log: this.#log, metrics: silentMetrics },
      policy: this.#policy,
      policyOf: () => this.#policy,
      chains: ['local', 'other'].map((name) => ({ name, livemode: false })),
      lookUp: (chain, txHash) => this.lookUp(chain, txHash),
      announce: (events) => {
        this.announced.push(...events)
      },
    })
  }
}
