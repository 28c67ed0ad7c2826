import { Failure } from '@settlewire/core/errors'
import type { Batch, StoredEvent } from '../../server/src/ports/history.ts'
import type { Chance } from './chance.ts'
import type { Timeline } from './timeline.ts'

/** How the way to the database is, for a while. Probabilities are per call. */
export interface Weather {
  readonly sendMs: readonly [number, number]
  readonly answerMs: readonly [number, number]
  /** Fails before it was sent. */
  readonly refused: number
  /** Was done, and the answer is lost. */
  readonly lost: number
}

export const weathers = {
  fair: { sendMs: [0, 2], answerMs: [0, 3], refused: 0, lost: 0 },
  slow: { sendMs: [0, 200], answerMs: [10, 1_500], refused: 0, lost: 0 },
  stormy: { sendMs: [0, 20], answerMs: [0, 100], refused: 0.1, lost: 0.12 },
} as const satisfies Record<string, Weather>

/** What the store did, told at the moment it did it, whether or not anybody lives to hear. */
export interface Witness {
  committed(batch: Batch, stored: readonly StoredEvent[]): void
  released(ids: readonly string[]): void
  /** A failure that is no operating one. */
  broke(what: string, error: unknown): void
}

export interface StoreWireParts {
  readonly timeline: Timeline
  readonly chance: Chance
  readonly witness: Witness
  readonly weather: () => Weather
  readonly trace: (what: string) => void
}

/** Whoever calls. A dead one gets no answers; what it had sent may still be done. */
export interface Caller {
  readonly name: string
  readonly isAlive: boolean
  /** What comes back to it: now, when it goes on, or never. */
  happens(call: () => void): void
  /** Told before each call; may end the caller. */
  calling(method: string): void
  /** Told when a batch of its own was committed, before it is answered; may end the caller. */
  stored(batch: Batch): void
}

interface Sent {
  /** Whether it never left the caller that died meanwhile. */
  isCut: boolean
}

/** A new one each time: what waits for it can be forgotten together with it. */
const never = (): Promise<never> => new Promise(() => undefined)

/**
 * The way between one process and the real store. Every call is two steps of the world: it is sent
 * and done, alone, at one moment; its answer arrives at a later one. A process can die before, in
 * between, or after.
 */
export class StoreWire {
  readonly #parts: StoreWireParts
  readonly #caller: Caller
  readonly #sent = new Set<Sent>()

  constructor(parts: StoreWireParts, caller: Caller) {
    this.#parts = parts
    this.#caller = caller
  }

  /** The store as the caller sees it. */
  around<Store extends object>(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name)
        if (typeof method !== 'function') return method
        return (...values: unknown[]) =>
          this.#call(String(name), values, async () => method.apply(target, values))
      },
    })
  }

  /** The caller has died: what is under way is lost, or done all the same. */
  die(): void {
    for (const sent of this.#sent) sent.isCut = this.#parts.chance.is(0.5)
  }

  #call(method: string, values: readonly unknown[], run: () => Promise<unknown>): Promise<unknown> {
    const { timeline, chance, weather, trace } = this.#parts
    const caller = this.#caller
    if (!caller.isAlive) return never()
    caller.calling(method)
    // It may have died of that.
    if (!caller.isAlive) return never()
    const { sendMs, answerMs, refused, lost } = weather()
    const isRefused = chance.is(refused)
    const isLost = chance.is(lost)
    const sent: Sent = { isCut: false }
    this.#sent.add(sent)
    return new Promise((resolve, reject) => {
      const answer = (tell: () => void): void => {
        timeline.after(chance.between(...answerMs), () => {
          this.#sent.delete(sent)
          caller.happens(tell)
        })
      }
      timeline.after(chance.between(...sendMs), () => {
        if (sent.isCut) return
        trace(`${caller.name} ${method}${isRefused ? ' refused' : ''}${isLost ? ' lost' : ''}`)
        if (isRefused) return answer(() => reject(unavailable()))
        const done = run().then(
          (value) => {
            this.#witness(method, values, value)
            answer(() => (isLost ? reject(unavailable()) : resolve(value)))
          },
          (error: unknown) => {
            if (!(error instanceof Failure)) this.#parts.witness.broke(method, error)
            answer(() => reject(error))
          },
        )
        timeline.hold(done)
      })
    })
  }

  #witness(method: string, [first]: readonly unknown[], value: unknown): void {
    const { witness } = this.#parts
    // The methods of the port, with the types of the port.
    if (method === 'append') {
      witness.committed(first as Batch, value as readonly StoredEvent[])
      this.#caller.stored(first as Batch)
    }
    if (method === 'release') witness.released(value as readonly string[])
  }
}

const unavailable = (): Failure => new Failure('store_unavailable')
