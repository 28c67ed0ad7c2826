import { Failure } from '@settlewire/core/errors'
import type { Batch, StoredEvent } from '../../server/src/ports/history.ts'
import type { Chance } from './chance.ts'
import type { Timeline } from './timeline.ts'

/** The quality of the database connection for a while. Probabilities are per call. */
export interface Weather {
  readonly sendMs: readonly [number, number]
  readonly answerMs: readonly [number, number]
  /** The call fails before it is sent. */
  readonly refused: number
  /** The call is executed, but its answer is lost. */
  readonly lost: number
}

export const weathers = {
  fair: { sendMs: [0, 2], answerMs: [0, 3], refused: 0, lost: 0 },
  slow: { sendMs: [0, 200], answerMs: [10, 1_500], refused: 0, lost: 0 },
  stormy: { sendMs: [0, 20], answerMs: [0, 100], refused: 0.1, lost: 0.12 },
} as const satisfies Record<string, Weather>

/** Receives every change of the store at the moment it happens, even if the caller is dead. */
export interface Witness {
  committed(batch: Batch, stored: readonly StoredEvent[]): void
  released(ids: readonly string[]): void
  /** Receives errors that are not operating errors. */
  broke(what: string, error: unknown): void
}

export interface StoreWireParts {
  readonly timeline: Timeline
  readonly chance: Chance
  readonly witness: Witness
  readonly weather: () => Weather
  readonly trace: (what: string) => void
}

/** A calling process. A dead one gets no answers, but calls it had sent may still be executed. */
export interface Caller {
  readonly name: string
  readonly isAlive: boolean
  /** Runs the arrival of an answer: now, when the process resumes, or never. */
  happens(call: () => void): void
  /** Called before each call of the store; may kill the caller. */
  calling(method: string): void
  /** Called when a batch of this caller was committed, before the answer; may kill the caller. */
  stored(batch: Batch): void
}

interface Sent {
  /** Whether the call never left, because its caller died. */
  isCut: boolean
}

/** A new promise each time, so that what awaits it can be garbage-collected with it. */
const never = (): Promise<never> => new Promise(() => undefined)

/**
 * The connection between one process and the real store. Every call is two steps of the world: it
 * is sent and executed, alone, at one moment; its answer arrives at a later one. A process can die
 * before, in between, or after.
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

  /** The caller has died: each running call is either lost or still executed. */
  die(): void {
    for (const sent of this.#sent) sent.isCut = this.#parts.chance.is(0.5)
  }

  #call(method: string, values: readonly unknown[], run: () => Promise<unknown>): Promise<unknown> {
    const { timeline, chance, weather, trace } = this.#parts
    const caller = this.#caller
    if (!caller.isAlive) return never()
    caller.calling(method)
    // `calling` may have killed the caller.
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
    // The methods have the types of the port.
    if (method === 'append') {
      witness.committed(first as Batch, value as readonly StoredEvent[])
      this.#caller.stored(first as Batch)
    }
    if (method === 'release') witness.released(value as readonly string[])
  }
}

const unavailable = (): Failure => new Failure('store_unavailable')
