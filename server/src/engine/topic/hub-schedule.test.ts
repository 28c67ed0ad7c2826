import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HeldHistory } from '../../../../test/support/history.ts'
import { ManualClock } from '../../../../test/support/manual-clock.ts'
import { silentLog } from '../../log.ts'
import { silentMetrics } from '../../metrics.ts'
import type { StoredEvent } from '../../ports/history.ts'
import type { Stop } from '../../ports/stop.ts'
import type { Backplane, Hint } from '../../ports/topic.ts'
import { type Frame, Hub, type Subscriber } from './hub.ts'
import { paymentTopic } from './topics.ts'

const pay = 'pi_one'

/**
 * Everything that may happen around a hub, in any order. Numbers choose among the present items.
 */
type Step =
  | { readonly do: 'commit'; readonly count: number; readonly announce: readonly Announced[] }
  | { readonly do: 'deliver' | 'release' | 'stop'; readonly which: number }
  | { readonly do: 'attach'; readonly after: number; readonly withHead: boolean }
  | { readonly do: 'early' | 'hold' | 'releaseAll' | 'fail' | 'recover' | 'look' }
  | { readonly do: 'wait'; readonly ms: number }

/** A copy of a hint. No copies mean a loss, two a duplicate. */
type Announced = 'bare' | 'carrying' | 'carrying the last only'

/** Sometimes more events than fit in a page. */
const count = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.integer({ min: 90, max: 230 }) },
)

/** With `copiesMin: 1` no hint is lost. */
const schedule = ({ copiesMin }: { copiesMin: number }): fc.Arbitrary<Step[]> => {
  const copy = fc.constantFrom<Announced>('bare', 'carrying', 'carrying the last only')
  const announce = fc.array(copy, { minLength: copiesMin, maxLength: 2 })
  const after = fc.nat(500)
  const bare = fc.constantFrom('early', 'hold', 'releaseAll', 'fail', 'recover', 'look')
  const one = fc.constantFrom('deliver', 'release', 'stop')
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('commit'), count, announce }) },
    { weight: 8, arbitrary: fc.record({ do: one, which: fc.nat(20) }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('attach'), after, withHead: fc.boolean() }),
    },
    { weight: 4, arbitrary: fc.record({ do: bare }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.nat(4_000) }) },
  )
  // The arbitraries above build the union member by member, which their types do not show.
  return fc.array(step as fc.Arbitrary<Step>, { maxLength: 60 })
}

class Reader implements Subscriber {
  position = 0
  readonly from: number
  readonly seen: number[] = []
  /** Collected for the end, because the hub catches what a push throws. */
  readonly complaints: string[] = []
  stop: Stop | null = null
  isGone = false

  constructor(from: number) {
    this.from = from
  }

  push({ position: sequence }: Frame): boolean {
    if (this.isGone) this.complaints.push(`${sequence} was pushed after the reader had left`)
    const next = this.from + this.seen.length + 1
    if (sequence !== next) this.complaints.push(`${sequence} was pushed instead of ${next}`)
    if (this.position !== sequence) this.complaints.push(`${sequence} at ${this.position}`)
    this.seen.push(sequence)
    return true
  }

  lost(): void {
    if (this.isGone) this.complaints.push('lost after the reader had left')
    this.isGone = true
  }
}

/**
 * A hub with a history, a backplane that does only what the schedule says, and the hub's readers.
 */
class World {
  readonly clock = new ManualClock()
  readonly history = new HeldHistory()
  readonly topic = paymentTopic(pay, this.history)
  readonly readers: Reader[] = []
  readonly #announced: Hint[] = []
  readonly #listeners = new Set<(moved: Hint) => void>()
  #last: StoredEvent | undefined
  readonly hub: Hub

  constructor() {
    const backplane: Pick<Backplane, 'subscribe'> = {
      subscribe: (_, listener) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
    }
    const { clock } = this
    this.hub = new Hub({ backplane, clock, log: silentLog, metrics: silentMetrics })
    this.#commit(3, [])
  }

  get head(): number {
    return this.history.head(pay)
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'commit':
        return this.#commit(step.count, step.announce)
      case 'deliver': {
        const [moved] = this.#announced.splice(step.which % (this.#announced.length || 1), 1)
        return moved && this.#tell(moved)
      }
      case 'early':
        // Before its commit; or a wrong hint that never comes true.
        return this.#tell({ topic: this.topic.key, position: this.head + 2 })
      case 'attach':
        return this.attach(step.after % (this.head + 1), step.withHead)
      case 'stop': {
        const reader = this.readers[step.which]
        if (reader) reader.isGone = true
        return reader?.stop?.()
      }
      case 'hold':
        return this.history.hold()
      case 'release':
        return this.history.release(step.which % (this.history.held || 1))
      case 'releaseAll':
        return this.history.releaseAll()
      case 'look':
        void this.hub.look(this.topic.key, this.head)
        return
      case 'wait':
        return this.clock.advance(step.ms)
      default:
        this.history.down = step.do === 'fail'
    }
  }

  attach(after: number, withHead: boolean): void {
    const reader = new Reader(after)
    this.readers.push(reader)
    const head = withHead ? this.#last : undefined
    reader.stop = this.hub.attach(reader, { topic: this.topic, after, ...(head && { head }) })
  }

  /** Ends all faults and delivers all hints. */
  async heal(): Promise<void> {
    this.history.down = false
    this.history.releaseAll()
    for (const moved of this.#announced.splice(0)) this.#tell(moved)
    await this.clock.advance(60_000)
  }

  /** Does what a heartbeat does. */
  async look(): Promise<void> {
    void this.hub.look(this.topic.key, this.head)
    await this.clock.advance(1_000)
  }

  /** Readers that were dropped reconnect at their last position. */
  comeBack(): void {
    for (const { isGone, position } of [...this.readers]) if (isGone) this.attach(position, true)
  }

  get unfinished(): readonly Reader[] {
    return this.readers.filter(({ isGone, position }) => !isGone && position !== this.head)
  }

  #commit(count: number, copies: readonly Announced[]): void {
    const events = Array.from({ length: count }, () => this.history.append(pay))
    this.#last = events.at(-1)
    for (const copy of copies) {
      const carried = copy === 'carrying' ? events : events.slice(-1)
      const hint = { topic: this.topic.key, position: this.head }
      this.#announced.push(copy === 'bare' ? hint : { ...hint, events: carried })
    }
  }

  #tell(moved: Hint): void {
    for (const listener of this.#listeners) listener(moved)
  }
}

async function run(steps: readonly Step[], heartbeats: boolean): Promise<void> {
  const world = new World()
  for (const next of steps) {
    await world.take(next)
    await world.clock.advance(0)
  }
  await world.heal()
  if (heartbeats) await world.look()
  expect(world.unfinished).toEqual([])
  world.comeBack()
  await world.clock.advance(1_000)
  expect(world.unfinished).toEqual([])
  for (const { complaints } of world.readers) expect(complaints).toEqual([])
  for (const { stop } of world.readers) stop?.()
  expect(world.hub.size).toBe(0)
  expect(world.clock.waiting, 'no timer is left').toBe(0)
}

it('gives every reader each later event exactly once and in order, in any schedule', async () => {
  const steps = schedule({ copiesMin: 0 })
  await fc.assert(
    fc.asyncProperty(steps, (taken) => run(taken, true)),
    { numRuns: 500 },
  )
}, 120_000)

it('needs no heartbeat for that if no hint is lost', async () => {
  const steps = schedule({ copiesMin: 1 })
  await fc.assert(
    fc.asyncProperty(steps, (taken) => run(taken, false)),
    { numRuns: 500 },
  )
}, 120_000)
