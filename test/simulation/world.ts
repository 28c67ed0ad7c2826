import { Failure } from '@settlewire/core/errors'
import type { Payment } from '@settlewire/core/payment/payment'
import type { Directory } from '../../server/src/ports/access.ts'
import type { Clock } from '../../server/src/ports/clock.ts'
import type { EventStore } from '../../server/src/ports/history.ts'
import type { Bulletin, Feeds, Leases } from '../../server/src/ports/processes.ts'
import { Chance } from './chance.ts'
import { Denials } from './denials.ts'
import { Ledger } from './ledger.ts'
import { Liar } from './lies.ts'
import { type Followed, Life, type Reached } from './life.ts'
import type { ModelTx } from './model-block.ts'
import { ModelChain } from './model-chain.ts'
import { ModelNodes } from './model-nodes.ts'
import { Payers } from './payers.ts'
import { Provider } from './provider.ts'
import { Readers } from './readers/readers.ts'
import { Truth } from './readers/truth.ts'
import { rulesOf, type WorldRules } from './rules.ts'
import { type Caller, StoreWire, type Weather, weathers } from './store-wire.ts'
import { Testimony } from './testimony.ts'
import { Timeline } from './timeline.ts'
import { Trace } from './trace.ts'

/** Opens the real store for each life again, so that its caches die with the process. */
export type OpenStore = (clock: Clock) => { events: EventStore & Feeds; directory: Directory }

const bornBlocks = 14
/** Within this time a process must report blindness, also if it learns of it from another. */
const blindWithinMs = 12_000
export const bornAt = Date.UTC(2026, 0, 1)

/**
 * Everything but the deeds: chains, nodes, the machine with its clock, the lives of the program,
 * the connection to the database, and the ledger of what was really stored.
 */
export class World {
  readonly seed: number
  readonly chance: Chance
  readonly rules: WorldRules
  readonly timeline = new Timeline(bornAt)
  readonly trace = new Trace()
  readonly chains: readonly Followed[]
  readonly models: ReadonlyMap<string, ModelChain>
  readonly ledger: Ledger
  readonly denials: Denials
  readonly payers: Payers
  readonly testimony = new Testimony()
  readonly liars = new Map<string, Liar>()
  /** Payments whose address was sent to a client. */
  readonly known = new Map<string, Payment>()
  readonly truth: Truth
  readonly readers: Readers
  #weather: Weather = weathers.fair
  #clearsUp: () => void = () => undefined
  skewMs = 0
  /** By place: the current life of the process, running or ended. */
  readonly lives: Life[] = []
  readonly #nodes = new ModelNodes(this.timeline, (what) => this.ledger.note(what))
  #begun = 0
  readonly #open: OpenStore

  constructor(seed: number, open: OpenStore) {
    this.seed = seed
    this.#open = open
    this.chance = new Chance(seed)
    this.rules = rulesOf(seed, this.chance.fork('rules'))
    const salt = `seed ${seed}`
    this.chains = this.rules.chains.map((rules) => this.#chain(rules, salt))
    this.models = new Map(this.chains.map(({ model }) => [model.rules.name, model]))
    this.truth = new Truth(() => this.timeline.elapsed)
    this.ledger = new Ledger(this.models, {
      told: (payment) => this.truth.told(payment),
      recorded: (paymentId, facts) => this.denials.recorded(paymentId, facts),
      ...{ testimony: this.testimony, liars: this.liars, policy: () => this.rules.policy },
      policyOf: () => this.rules.policy,
      say: (what) => this.say(what),
    })
    const { timeline, testimony, ledger } = this
    this.denials = new Denials({
      ...{ timeline, testimony, payments: ledger.payments, over: ledger.over },
    })
    this.readers = new Readers({
      ...{ timeline: this.timeline, chance: this.chance.fork('readers'), truth: this.truth },
      chains: this.rules.chains.map(({ name }) => name),
      ...{ doors: () => this.lives.filter(({ isReady }) => isReady), followers: () => this.lives },
      note: (what) => this.ledger.note(what),
      trace: (what) => this.trace.count(what),
    })
    this.payers = new Payers({
      ...{ chance: this.chance.fork('payers'), salt, coins: this.rules.coins },
      now: () => this.timeline.now,
      send: (chain, tx) => this.#gossip(chain, tx),
    })
  }

  get weather(): Weather {
    return this.#weather
  }

  set weather(weather: Weather) {
    this.#weather = weather
    this.#clearsUp()
    this.#clearsUp = weather === weathers.fair ? () => undefined : this.truth.disturb()
  }

  get isBroken(): boolean {
    return this.ledger.violations.length > 0
  }

  say(what: string): void {
    this.trace.say(this.timeline.elapsed, what)
  }

  providers(): readonly Provider[] {
    return this.chains.flatMap(({ providers }) => providers)
  }

  /** The processes that accept requests. */
  get ready(): readonly Life[] {
    return this.lives.filter((life) => life.isReady && !life.isPaused)
  }

  /** A process without any reachable node for a while must report the chain as blind. */
  checkSight(): void {
    const { elapsed } = this.timeline
    for (const { model, providers } of this.chains) {
      const awaySince = Math.max(...providers.map((one) => one.awaySince ?? elapsed))
      if (elapsed - awaySince < blindWithinMs) continue
      for (const { sights, awakeSince, name } of this.ready) {
        const sight = sights.find(({ chain }) => chain === model.rules.name)
        if (elapsed - awakeSince < blindWithinMs || sight?.visibility === 'blind') continue
        this.ledger.note(`${name} reports ${sight?.visibility} for a chain that it cannot see`)
      }
    }
  }

  /** Starts the next life of the program at a place; the one before must have ended. */
  begin(place: number): Life {
    const name = `life ${++this.#begun}`
    const isAlone = this.rules.lives === 1
    this.say(`${name} begins${isAlone ? '' : ` at place ${place}`}`)
    const life = new Life({
      ...{
        name,
        place: isAlone ? null : `place ${place}`,
        timeline: this.timeline,
        chains: this.chains,
      },
      ...{ chance: this.chance.fork(name), skewMs: () => this.skewMs },
      ...{ policy: this.rules.policy, assets: this.rules.assets },
      ...{ stepPartSize: this.rules.stepPartSize, merchantId: this.rules.merchantId },
      stopped: () => this.truth.disturb(),
      heard: (listener, said) => this.denials.heard(listener, said),
      tellsSight: () => this.readers.lookAtChains(),
      open: (caller, clock) => this.#reach(caller, clock),
      announce: (events) => {
        for (const { id } of events) {
          if (!this.ledger.feed.seen.has(id)) this.ledger.note(`${id} was never stored`)
        }
      },
      bug: (what) => this.ledger.note(what),
      trace: (what) => this.trace.count(what),
    })
    this.lives[place] = life
    return life
  }

  /** Creates a payment through a random process. */
  async open(expiresIn: number, key: string | null, acceptNative: boolean): Promise<Payment> {
    const { ready, rules } = this
    if (ready.length === 0) throw new Failure('chain_unavailable')
    const life = this.chance.pick(ready)
    const symbol = acceptNative ? 'ETH' : 'USDC'
    const chains = rules.chains.slice(0, this.chance.between(1, rules.chains.length))
    const { payment } = await life.engine.payments.create(
      { merchantId: rules.merchantId, livemode: false },
      {
        ...{ amount: '150', currency: symbol, expiresIn },
        accept: chains.map(({ name }) => `${symbol}.${name}`),
      },
      key === null ? null : { key, requestHash: key },
    )
    // The client got an answer, so the payment must be stored.
    const stored = this.ledger.payments.get(payment.id)
    if (stored === undefined)
      this.ledger.note(`${payment.id} was sent to a client, but is not stored`)
    else this.known.set(payment.id, stored)
    if (stored !== undefined) this.readers.attach(stored)
    this.say(`opened ${payment.id.slice(-4)} for ${expiresIn} s`)
    return payment
  }

  #chain(rules: ChainRulesOf, salt: string): Followed {
    const { providersPerChain, quorum, limits } = this.rules
    const model = new ModelChain(rules, this.chance.fork(`chain ${rules.name}`), salt)
    // Deeper than any reorg: a process that starts here keeps every block at which branches part.
    for (let i = 0; i < bornBlocks; i++) model.mine([], bornAt - (bornBlocks - i) * rules.blockMs)
    const providers = Array.from({ length: providersPerChain }, (_, i) => {
      const name = `${'ab'.charAt(i)}-${rules.name}`
      const chance = this.chance.fork(`provider ${name}`)
      const pending = chance.pick(['whole', 'whole', 'hashes', 'none'] as const)
      const { oddities, liar } = this.rules
      return new Provider({
        ...{ name, chain: model, timeline: this.timeline, chance, pending },
        ...{ testimony: this.testimony, oddity: oddities[i] ?? null },
        liar: liar === i ? this.#liar(rules.name) : null,
      })
    })
    model.onHead = () => {
      for (const provider of providers) provider.hear()
    }
    return { model, providers, quorum, limits }
  }

  #liar(chain: string): Liar {
    const payees = (): readonly Payment[] =>
      [...this.known.values()].filter(({ terms }) =>
        terms.accept.some((one) => one.chain === chain),
      )
    const liar = new Liar({
      ...{ chance: this.chance.fork(`liar ${chain}`), payees },
      forge: (payment) => this.payers.forge(payment, chain),
    })
    this.liars.set(chain, liar)
    return liar
  }

  #gossip(chain: ModelChain, tx: ModelTx): void {
    const followed = this.chains.find(({ model }) => model === chain)
    for (const provider of followed?.providers ?? []) provider.gossip(tx)
  }

  #reach(caller: Caller, clock: Clock): Reached {
    const { events, directory } = this.#open(clock)
    const parts = {
      ...{ timeline: this.timeline, witness: this.ledger, weather: () => this.weather },
      trace: (what: string) => this.trace.count(what),
    }
    const wire = new StoreWire(
      { ...parts, chance: this.chance.fork(`store ${caller.name}`) },
      caller,
    )
    const reads = new StoreWire(
      { ...parts, chance: this.chance.fork(`reads ${caller.name}`) },
      observerOf(caller),
    )
    return {
      events: wire.around(this.#nodes.fenced(events)),
      nodes: wire.around<Leases & Bulletin>(this.#nodes),
      directory: wire.around(directory),
      reads: reads.around<EventStore>(events),
      die: () => {
        wire.die()
        reads.die()
      },
    }
  }
}

/** A caller for readers: its calls do not count towards `callsLeft` of the process. */
const observerOf = (caller: Caller): Caller => ({
  name: `${caller.name} for a reader`,
  get isAlive() {
    return caller.isAlive
  },
  happens: (call) => caller.happens(call),
  calling: () => undefined,
  stored: () => undefined,
})

type ChainRulesOf = WorldRules['chains'][number]
