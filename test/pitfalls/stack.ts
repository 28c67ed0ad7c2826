/**
 * The real parts between a chain and the history: two connections that can fail, a follower of
 * both, the engine, PostgreSQL. The test provides the nodes behind the connections.
 */
import { createHash } from 'node:crypto'
import type { Payment } from '@settlewire/core/payment/payment'
import type { Policy } from '@settlewire/core/payment/policy'
import { EvmFollower } from '../../server/src/chain/evm/follower.ts'
import type { FollowerLimits } from '../../server/src/chain/evm/node/limits.ts'
import { systemClock } from '../../server/src/clock.ts'
import { Engine } from '../../server/src/engine/engine.ts'
import type { Asset } from '../../server/src/engine/payment/asset.ts'
import { AssetBook } from '../../server/src/engine/payment/asset-book.ts'
import type { PaymentRequest } from '../../server/src/engine/payment/terms.ts'
import { silentLog } from '../../server/src/log.ts'
import { silentMetrics } from '../../server/src/metrics.ts'
import type { StoredEvent } from '../../server/src/ports/history.ts'
import { FaultProxy } from '../../server/src/sandbox/fault-proxy.ts'
import { openStore, type Store } from '../../server/src/store/open.ts'
import { evmChains } from '../support/evm/kinds.ts'
import { chainOf, nodeAt, quickLimits, type TestChain } from '../support/evm/labs.ts'
import { toldBy } from '../support/past.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

const merchant = { merchantId: `mer_${'1'.repeat(26)}`, livemode: false }
const deriveAddress = (xpub: string, index: number): string =>
  `0x${createHash('sha256').update(`${xpub}/${index}`).digest('hex').slice(0, 40)}`

export interface StackOptions {
  /** The port of the node behind each connection, on loopback. */
  readonly ports: readonly number[]
  readonly chainId: number
  readonly token: string
  readonly chain?: Partial<TestChain>
  readonly policy?: Partial<Policy['chains'][string]>
  readonly asset?: Partial<Asset>
  readonly limits?: Partial<FollowerLimits>
}

const untilWithinMs = 15_000

export class Stack {
  readonly wires: readonly FaultProxy[]
  readonly store: Store
  engine: Engine
  follower: EvmFollower
  readonly #database: TestDatabase
  readonly #options: StackOptions
  readonly #waiters = new Set<() => void>()

  private constructor(database: TestDatabase, wires: readonly FaultProxy[], options: StackOptions) {
    this.#database = database
    this.#options = options
    this.wires = wires
    this.store = openStore({ url: database.url, clock: systemClock, log: silentLog })
    this.engine = this.#newEngine()
    this.follower = this.#newFollower()
  }

  static async start(options: StackOptions): Promise<Stack> {
    const wires = await Promise.all(
      options.ports.map((port) => FaultProxy.start({ port }, systemClock)),
    )
    const stack = new Stack(await testDatabase(), wires, options)
    const { merchantId } = merchant
    const xpub = `xpub-${merchantId}`
    await stack.store.directory.addMerchant({ id: merchantId, name: 'A shop', xpub, createdAt: 0 })
    await stack.#begin()
    return stack
  }

  /** Like `kill -9`: no orderly shutdown, and a new process starts from the stored state. */
  async crash(): Promise<void> {
    const { engine, follower } = this
    // A dead process holds no sockets; calls of its engine to the store may still commit.
    await follower.close()
    await engine.close()
    this.engine = this.#newEngine()
    this.follower = this.#newFollower()
    await this.#begin()
  }

  async open(changes: Partial<PaymentRequest> = {}): Promise<{ id: string; address: string }> {
    const asked = { amount: '150.00', currency: 'USDC', accept: ['USDC.local'], ...changes }
    const { payment } = await this.engine.payments.create(merchant, asked, null)
    return { id: payment.id, address: payment.terms.accept[0]?.address ?? '' }
  }

  payment = (id: string): Promise<Payment> => this.engine.payments.get(merchant, id)

  cancel = (paymentId: string) =>
    this.engine.payments.cancel(merchant, { paymentId, reason: 'the customer left' }, null)

  events = (id: string): Promise<readonly StoredEvent[]> => this.store.events.read(id, 0, 1_000)

  /** `type:status` of every event. */
  async history(id: string): Promise<readonly string[]> {
    return (await this.events(id)).map(toldBy)
  }

  /** Resolves to the payment once the condition holds; rejects with its state when time is up. */
  async until(id: string, what: string, holds: (payment: Payment) => boolean): Promise<Payment> {
    const by = Date.now() + untilWithinMs
    for (;;) {
      const payment = await this.payment(id)
      if (holds(payment)) return payment
      if (Date.now() > by) {
        const { status, flags, received, pending } = payment
        const stands = JSON.stringify({
          status,
          flags,
          received: `${received}`,
          pending: `${pending}`,
        })
        throw new Error(`timed out: ${what}; ${stands} ${(await this.history(id)).join(' ')}`)
      }
      await this.#moved()
    }
  }

  status = (id: string, status: Payment['status']): Promise<Payment> =>
    this.until(id, status, (payment) => payment.status === status)

  /** Resolves once the block of this number and hash is stored and the chain is seen. */
  async at(block: { number: number; hash: string }): Promise<void> {
    const by = Date.now() + untilWithinMs
    for (;;) {
      const position = await this.store.events.position('local')
      const [last] = position?.recent ?? []
      if (last?.number === block.number && last.hash === block.hash) return
      if (Date.now() > by) {
        const { reason } = this.follower.health()
        throw new Error(`timed out: block ${block.number}; at ${last?.number}, ${reason}`)
      }
      await this.#moved()
    }
  }

  async sight(what: string, holds: (stack: Stack) => boolean): Promise<void> {
    const by = Date.now() + untilWithinMs
    while (!holds(this)) {
      if (Date.now() > by) throw new Error(`${what}: ${JSON.stringify(this.follower.health())}`)
      await this.#moved()
    }
  }

  async close(): Promise<void> {
    await this.follower.close()
    await this.engine.close()
    await this.store.close()
    for (const wire of this.wires) await wire.close()
    await this.#database.close()
  }

  /** Resolves at the next commit, or after a moment. */
  #moved(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stop()
        this.#waiters.delete(done)
        resolve()
      }
      const stop = systemClock.after(25, done)
      this.#waiters.add(done)
    })
  }

  async #begin(): Promise<void> {
    await this.engine.start()
    this.follower.start()
  }

  #assets(): readonly Asset[] {
    const { chainId, token, asset } = this.#options
    const of = { chain: 'local', chainId, livemode: false }
    const usdc = { ...of, symbol: 'USDC', currency: 'USDC', token, decimals: 6 }
    const eth = { ...of, symbol: 'ETH', currency: 'ETH', token: null, decimals: 18 }
    return [{ ...usdc, ...asset }, eth]
  }

  #policy(): Policy {
    const rule = { settled: 3, final: 'finalized', quorum: this.#options.ports.length } as const
    return { version: 'stack-1', chains: { local: { ...rule, ...this.#options.policy } } }
  }

  #newEngine(): Engine {
    const policy = this.#policy()
    return new Engine({
      ...{ store: this.store.events, directory: this.store.directory, clock: systemClock },
      ...{ policy, policyOf: () => policy, deriveAddress, log: silentLog, metrics: silentMetrics },
      ...{ assets: new AssetBook(this.#assets()), kinds: evmChains('local') },
      chains: [{ name: 'local', livemode: false }],
      lookUp: (_chain, txHash) => this.follower.lookUp(txHash),
      announce: () => {
        for (const wake of this.#waiters) wake()
      },
    })
  }

  #newFollower(): EvmFollower {
    const { chainId, token, chain } = this.#options
    const providers = this.wires.map(({ port }, i) =>
      nodeAt(`node-${i + 1}`, `ws://127.0.0.1:${port}`),
    )
    return new EvmFollower({
      chain: chainOf({
        ...{ chainId, tokens: [token], providers, quorum: providers.length, toleratedDepth: 2 },
        ...chain,
      }),
      ...{ watch: this.engine.watcher.watchSet('local'), sink: this.engine.watcher },
      ...{ store: this.store.events, clock: systemClock, log: silentLog, metrics: silentMetrics },
      limits: { ...quickLimits, ...this.#options.limits },
    })
  }
}
