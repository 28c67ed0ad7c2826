import { Failure } from '@settlewire/core/errors'
import type { Payment } from '@settlewire/core/payment/payment'
import type { Chance } from './chance.ts'
import { ModelChain } from './model-chain.ts'
import { liarMoodWeights, moodWeights } from './moods.ts'
import { wholeSteps } from './rules.ts'
import { weathers } from './store-wire.ts'
import type { World } from './world.ts'

/** The weight of each deed. */
const deedWeights = {
  ...{ create: 8, createWithKey: 3, pay: 12, payTwice: 2, payLate: 2, spam: 1 },
  ...{ speedUp: 2, cancel: 2, drop: 1, again: 2, silent: 1 },
  ...{ reorg: 5, withdraw: 1, stall: 1, stray: 1 },
  ...{ jump: 2, wait: 2, kill: 2, killSoon: 3, restart: 1, pause: 1, payAtOnce: 3 },
}
/** Longer than any answer takes, or than a caller waits for one. */
const closeWithinMs = 30_000

type Deed = keyof typeof deedWeights

/** The story of one world: its merchant, payers, nodes, and random faults. */
export class Story {
  readonly #world: World
  readonly #chance: Chance
  /** A separate stream, so that splitting steps does not change worlds with whole steps. */
  readonly #steps: Chance
  #isCalm = false
  #keys = 0

  constructor(world: World) {
    this.#world = world
    this.#chance = world.chance.fork('story')
    this.#steps = world.chance.fork('steps')
  }

  /** The phase with faults. Violations are recorded in the ledger. */
  async tell(): Promise<void> {
    const { rules } = this.#world
    const { chains, providersPerChain, policy } = rules
    const [rule] = Object.values(policy.chains)
    this.#world.say(
      `${chains.length} chains, ${providersPerChain} providers, ${JSON.stringify(rule)}`,
    )
    for (let place = 0; place < rules.lives; place++) this.#world.begin(place)
    for (const chain of this.#world.models.values()) this.#keepMining(chain)
    for (const provider of this.#world.providers()) this.#keepChanging(provider)
    this.#keepWeather()
    if (rules.stepPartSize !== wholeSteps) this.#keepKillingInSteps()
    await this.#pass(3_000)
    for (let i = 0; i < 2; i++) this.#create(null)
    for (let i = 0; i < rules.deeds && !this.#world.isBroken; i++) {
      const deed = this.#chance.weighted(deedWeights)
      const said = this.#deeds[deed]()
      if (said !== null) this.#world.say(`${deed}: ${said}`)
      await this.#pass(this.#chance.between(50, 1_500))
      this.#world.checkSight()
    }
    this.#isCalm = true
  }

  async #pass(ms: number): Promise<void> {
    await this.#world.timeline.run(ms, () => this.#world.isBroken)
  }

  readonly #deeds: Readonly<Record<Deed, () => string | null>> = {
    create: () => this.#create(null),
    createWithKey: () => this.#create(`key-${++this.#keys}`),
    pay: () => this.#pay(1),
    payTwice: () => this.#pay(2),
    payLate: () => this.#payLate(),
    spam: () => this.#toSomebody((chain, payment) => this.#world.payers.spam(chain, payment)),
    speedUp: () => this.#world.payers.replace('speed_up'),
    cancel: () => this.#world.payers.replace('cancel'),
    drop: () => this.#world.payers.drop(),
    again: () => this.#world.payers.again(),
    silent: () => this.#silent(),
    reorg: () => this.#reorg(),
    withdraw: () => this.#withdraw(),
    stall: () => this.#stall(),
    stray: () => this.#stray(),
    jump: () => this.#jump(),
    wait: () => this.#wait(),
    kill: () => this.#kill(),
    killSoon: () => this.#killSoon(),
    restart: () => this.#restart(),
    pause: () => this.#pause(),
    payAtOnce: () => this.#payAtOnce(),
  }

  #create(key: string | null): null {
    const { rules } = this.#world
    const seconds = this.#chance.pick([5, 20, 60, 300])
    const native = rules.hasNative && this.#chance.is(0.5)
    const attempt = (left: number): void => {
      this.#world.open(seconds, key, native).catch((error: unknown) => {
        this.#onlyFailures(error)
        // A client with an idempotency key retries until it gets an answer.
        if (key !== null && left > 0) this.#world.timeline.after(700, () => attempt(left - 1))
      })
    }
    attempt(8)
    return null
  }

  #pay(times: number): string | null {
    const chain = this.#aChain()
    const payees = this.#payable(chain)
    if (payees.length === 0) return null
    const payment = this.#chance.pick(payees)
    const others = this.#chance.is(0.15) ? [this.#chance.pick(payees)] : []
    const all = [payment, ...others.filter((other) => other !== payment)]
    return Array.from({ length: times }, () => this.#world.payers.pay(chain, all)).join(', ')
  }

  #payLate(): string | null {
    const chain = this.#aChain()
    const now = this.#world.timeline.now
    const late = this.#payable(chain).filter(({ terms }) => terms.expiresAt < now)
    return late.length === 0 ? null : this.#world.payers.pay(chain, [this.#chance.pick(late)])
  }

  #toSomebody(act: (chain: ModelChain, payment: Payment) => string): string | null {
    const chain = this.#aChain()
    const payees = this.#payable(chain)
    return payees.length === 0 ? null : act(chain, this.#chance.pick(payees))
  }

  #silent(): string | null {
    const chain = this.#aChain()
    const slot = this.#world.payers.silently(chain)
    if (slot === null) return null
    chain.mine([], this.#world.timeline.now, [slot])
    return slot.slice(0, 8)
  }

  /** Some return in another order and at another height, some fail now, some are dropped. */
  #reorg(): string | null {
    const chain = this.#aChain()
    const depth = Math.min(chain.reorgMax, this.#chance.pick([1, 1, 1, 2, 2, 3, 5]))
    if (depth < 1) return null
    const forgotten = this.#chance.is(0.25)
    const undone = chain.rewind(depth, () => forgotten && this.#chance.is(0.5))
    const blocks = this.#chance.pick([0, 1, depth, depth + 1, depth + 2])
    for (let i = 0; i < blocks; i++) this.#mine(chain)
    if (blocks === 0) chain.onHead()
    return `${depth} deep, ${undone.length} undone, ${blocks} new at ${chain.head.number}`
  }

  #withdraw(): string | null {
    const { ready, known, rules } = this.#world
    if (ready.length === 0 || known.size === 0) return null
    const life = this.#chance.pick(ready)
    const { id } = this.#chance.pick([...known.values()])
    const scope = { merchantId: rules.merchantId, livemode: false }
    life.engine.payments
      .cancel(scope, { paymentId: id, reason: 'sold_out' }, null)
      .catch((error: unknown) => this.#onlyFailures(error))
    return id.slice(-4)
  }

  #stall(): string {
    const chain = this.#aChain()
    chain.isStalled = !chain.isStalled
    return chain.isStalled ? 'finality stands' : 'finality goes on'
  }

  /** Replaces a node by one of another chain, on which every payment was paid generously. */
  #stray(): string {
    const { timeline, known, chance } = this.#world
    const provider = this.#chance.pick(this.#world.providers())
    const chain = this.#aChain()
    const chainId = this.#chance.pick([chain.rules.chainId, 5])
    const other = new ModelChain(
      { ...chain.rules, chainId },
      chance.fork('stray'),
      `stray ${known.size}`,
    )
    for (let i = 0; i < chain.head.number + 3; i++) {
      const gifts =
        i < 3 ? [...known.values()].map((payment) => this.#world.payers.gift(payment)) : []
      other.mine(gifts, timeline.now)
    }
    provider.stray(other)
    timeline.after(this.#chance.between(2_000, 12_000), () => provider.stray(null))
    return `${provider.name} is on chain ${chainId}`
  }

  #jump(): string {
    const ms = this.#chance.pick([-3_000, -400, 5_000, 60_000, 240_000])
    this.#world.skewMs = Math.min(600_000, Math.max(-10_000, this.#world.skewMs + ms))
    return `the clock is ${this.#world.skewMs} ms ahead`
  }

  /** The whole world sleeps and wakes up later. */
  #wait(): string {
    const ms = this.#chance.pick([10_000, 30_000, 120_000])
    this.#world.timeline.leap(ms)
    return `${ms} ms`
  }

  #kill(): null {
    const place = this.#aPlace()
    this.#world.lives[place]?.die()
    this.#reviveLater(place)
    return null
  }

  #killSoon(): null {
    const place = this.#aPlace()
    const life = this.#world.lives[place]
    if (life === undefined) return null
    life.callsLeft = this.#chance.between(0, 8)
    this.#reviveLater(place)
    return null
  }

  /** Kills a process after it stored the first part of a step; then the chain may reorg. */
  #keepKillingInSteps(): void {
    const { lives, models, timeline, rules } = this.#world
    timeline.after(this.#steps.between(1_000, 8_000), () => {
      if (this.#isCalm) return
      const place = this.#steps.between(0, rules.lives - 1)
      const life = lives[place]
      if (life === undefined || life.onBegun !== null) return this.#keepKillingInSteps()
      life.onBegun = (name) => {
        life.die()
        const chain = models.get(name)
        if (chain !== undefined) timeline.after(0, () => this.#forgetEnd(chain))
        timeline.after(this.#steps.between(0, 4_000), () => this.#revive(place))
        this.#keepKillingInSteps()
      }
    })
  }

  /** Reorgs the last blocks; their transactions are not mined again soon. */
  #forgetEnd(chain: ModelChain): void {
    const depth = Math.min(chain.reorgMax, this.#steps.between(0, 3))
    if (depth === 0) return
    chain.rewind(depth, () => this.#steps.is(0.7))
    for (let i = 0; i <= depth; i++) chain.mine([], this.#world.timeline.now)
    this.#world.say(`reorg in a step: ${depth} deep, at ${chain.head.number}`)
  }

  /** Pauses a process while others go on: it believes that it still holds its leases. */
  #pause(): string | null {
    const { lives, timeline } = this.#world
    const life = lives[this.#aPlace()]
    if (lives.length < 2 || life === undefined || !life.isReady) return null
    life.pause()
    timeline.after(this.#chance.between(3_000, 12_000), () => life.resume())
    return life.name
  }

  /** Pays, and mines the transaction, the moment the address is known. */
  #payAtOnce(): null {
    const chain = this.#aChain()
    this.#world.open(60, null, false).then(
      (payment) => {
        if (!payment.terms.accept.some((accept) => accept.chain === chain.rules.name)) return
        this.#world.payers.pay(chain, [payment])
        const wanted = chain.minable().map((tx) => ({ tx, reverts: false }))
        chain.mine(wanted, this.#world.timeline.now)
      },
      (error: unknown) => this.#onlyFailures(error),
    )
    return null
  }

  #restart(): null {
    const place = this.#aPlace()
    const life = this.#world.lives[place]
    if (life === undefined || !life.isReady || life.isPaused) return null
    life.close().catch((error: unknown) => this.#world.ledger.broke('close', error))
    this.#world.timeline.after(closeWithinMs, () => {
      if (life.isAlive && !life.isPaused) this.#world.ledger.note(`${life.name} did not end`)
    })
    this.#reviveLater(place)
    return null
  }

  /** A supervisor checks now and then, and starts the program if it has ended. */
  #reviveLater(place: number): void {
    const { timeline } = this.#world
    timeline.after(this.#chance.between(0, 6_000), () => this.#revive(place))
  }

  #revive(place: number): void {
    if (this.#world.lives[place]?.isAlive !== true) this.#world.begin(place)
    else if (!this.#isCalm) this.#reviveLater(place)
  }

  #aPlace(): number {
    return this.#chance.between(0, this.#world.rules.lives - 1)
  }

  #keepMining(chain: ModelChain): void {
    const { blockMs } = chain.rules
    const gapMs = this.#chance.between(blockMs / 2, (blockMs * 3) / 2)
    this.#world.timeline.after(gapMs, () => {
      this.#mine(chain)
      this.#keepMining(chain)
    })
  }

  #mine(chain: ModelChain): void {
    const wanted = this.#chance
      .shuffled(chain.minable())
      .filter(() => this.#isCalm || this.#chance.is(0.5))
      .map((tx) => ({ tx, reverts: !this.#isCalm && this.#chance.is(0.08) }))
    chain.mine(wanted, this.#world.timeline.now)
  }

  #keepChanging(provider: ReturnType<World['providers']>[number]): void {
    this.#world.timeline.after(this.#chance.between(2_000, 15_000), () => {
      if (this.#isCalm) return
      const mood = this.#chance.weighted(provider.isLiar ? liarMoodWeights : moodWeights)
      this.#world.trace.count(`${provider.name} ${mood}`)
      provider.become(mood)
      this.#keepChanging(provider)
    })
  }

  #keepWeather(): void {
    this.#world.timeline.after(this.#chance.between(3_000, 15_000), () => {
      if (this.#isCalm) return
      this.#world.weather = weathers[this.#chance.weighted({ fair: 5, slow: 1, stormy: 2 })]
      this.#keepWeather()
    })
  }

  #payable(chain: ModelChain): readonly Payment[] {
    return [...this.#world.known.values()].filter(({ terms }) =>
      terms.accept.some((accept) => accept.chain === chain.rules.name),
    )
  }

  #aChain(): ModelChain {
    return this.#chance.pick([...this.#world.models.values()])
  }

  /** Failures are expected; bugs are violations. */
  #onlyFailures(error: unknown): void {
    if (!(error instanceof Failure)) this.#world.ledger.broke('a request', error)
  }
}
