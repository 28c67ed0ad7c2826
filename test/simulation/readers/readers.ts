import type { Payment } from '@settlewire/core/payment/payment'
import type { Chance } from '../chance.ts'
import type { Timeline } from '../timeline.ts'
import { Device } from './device.ts'
import { FeedReader } from './feed-reader.ts'
import { Judge, type Reader } from './judge.ts'
import { type Door, Network } from './network.ts'
import { PageReader } from './page-reader.ts'
import { mustSay, statementKinds } from './said.ts'
import { SdkReader } from './sdk-reader.ts'
import { type Follower, SightTruth } from './sight-truth.ts'
import type { Tally } from './tally.ts'
import type { Truth } from './truth.ts'

export interface ReadersParts {
  readonly timeline: Timeline
  readonly chance: Chance
  readonly truth: Truth
  readonly chains: readonly string[]
  /** The processes that accept requests. */
  readonly doors: () => readonly Door[]
  readonly followers: () => readonly Follower[]
  readonly note: (what: string) => void
  readonly trace: (what: string) => void
}

type Opened = Reader & { open(): void }

/** The interval in which all readers are checked. */
const lookMs = 250
/** Further payments are followed only by the feed: more readers take time and find nothing new. */
const followedMax = 3

/**
 * The readers of a world: pages that are opened, put to sleep, looked at again and closed; programs
 * with the SDK; a merchant that reads the feed. They are independent of the world: their requests
 * change nothing in it.
 */
export class Readers {
  readonly #parts: ReadersParts
  readonly #judge: Judge
  readonly #sight = new SightTruth()
  readonly #network: Network
  readonly #open: Opened[] = []
  readonly #feed: FeedReader
  #followed = 0
  #made = 0
  #isCalm = false

  constructor(parts: ReadersParts) {
    this.#parts = parts
    const { timeline, truth, note, chance, doors } = parts
    this.#network = new Network(timeline, chance.fork('network'), doors)
    this.#judge = new Judge({ truth, note, sight: this.#sight, now: () => timeline.elapsed })
    this.#feed = new FeedReader({
      ...{ truth, note, network: this.#network, tally: this.#judge.tally },
      device: this.#device(),
    })
  }

  get tally(): Tally {
    return this.#judge.tally
  }

  /** From now on readers may follow this payment. */
  attach({ id }: Payment): void {
    if (this.#followed === 0) {
      this.#feed.open()
      this.#keepLooking()
    }
    if (this.#followed++ >= followedMax) return
    this.#openLater(() => this.#page(id))
    const { chance } = this.#parts
    if (chance.is(0.5)) this.#openLater(() => this.#watch(id))
  }

  /** From now on connections stay up, and open pages stay open and awake. */
  calm(): void {
    this.#isCalm = true
    this.#network.isCalm = true
    for (const { device } of this.#open) device.wake('visible')
  }

  /** Records how chains are seen now. Also called between checks when a process reports it. */
  lookAtChains(): void {
    const { timeline, chains, followers } = this.#parts
    const all = followers()
    for (const chain of chains) this.#sight.look(chain, all, timeline.elapsed)
  }

  /** Readers that do not show the current state. */
  behind(): readonly string[] {
    return this.#open.flatMap((reader) => {
      const last = this.#parts.truth.standsOf(reader.paymentId).at(-1)
      const said = reader.said()
      const who = `${reader.name} of ${reader.paymentId}`
      if (reader.device.isGone || last === undefined || said?.isOver === true) return []
      if (said?.isCurrent !== true) return [`${who} does not show its state as current`]
      const wrong = statementKinds.find((kind) => {
        const value = said.statements[kind]
        return value !== null && value !== mustSay[kind](last.payment)
      })
      return wrong === undefined ? [] : [`${who} shows ${wrong} ${said.statements[wrong]}`]
    })
  }

  #device(): Device {
    const { timeline, chance } = this.#parts
    const number = ++this.#made
    return new Device(timeline, chance.fork(`device ${number}`), number)
  }

  #openLater(make: () => Opened): void {
    const { timeline, chance } = this.#parts
    timeline.after(chance.between(0, 6_000), () => {
      const reader = make()
      this.#open.push(reader)
      reader.open()
    })
  }

  #page(id: string): Opened {
    const device = this.#device()
    const { truth } = this.#parts
    const page = new PageReader(id, { device, truth, network: this.#network })
    this.#keepUsing(page)
    return page
  }

  #watch(id: string): Opened {
    const { truth, note, chance } = this.#parts
    const until = chance.is(0.5) ? 'final' : 'closed'
    const device = this.#device()
    return new SdkReader(id, { device, until, truth, note, network: this.#network })
  }

  /** People put the page away, look at it again, lose the network, close it and open it again. */
  #keepUsing(page: PageReader): void {
    const { timeline, chance, trace } = this.#parts
    const { device } = page
    timeline.after(chance.between(2_000, 20_000), () => {
      if (this.#isCalm || device.isGone) return
      const deed = chance.weighted({ sleep: 3, look: 2, offline: 1, close: 1 })
      trace(`page ${deed}`)
      const back = (call: () => void): void => {
        timeline.after(chance.pick([1_000, 4_000, 12_000, 30_000]), call)
      }
      if (deed === 'look') device.tell('visible')
      else if (deed === 'close') {
        device.putAway()
        this.#openLater(() => this.#page(page.paymentId))
        return
      } else if (deed === 'offline') {
        device.tell('offline')
        back(() => device.tell('online'))
      } else {
        device.sleep()
        back(() => device.wake(chance.is(0.7) ? 'visible' : 'restored'))
      }
      this.#keepUsing(page)
    })
  }

  #keepLooking(): void {
    const { timeline } = this.#parts
    timeline.after(lookMs, () => {
      this.lookAtChains()
      for (const reader of this.#open) {
        if (!reader.device.isGone) this.#judge.look(reader)
      }
      this.#keepLooking()
    })
  }
}
