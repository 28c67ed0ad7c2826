import { Failure } from '@settlewire/core/errors'
import { answerIn, type WireAnswer } from '../../server/src/chain/evm/node/answer.ts'
import type { ConnectionEnding, RpcWire } from '../../server/src/chain/evm/node/connection.ts'
import type { Stop } from '../../server/src/ports/stop.ts'
import type { Chance } from './chance.ts'
import type { Hearing } from './hearing.ts'
import type { Provider } from './provider.ts'
import { Refused, refusal } from './refusals.ts'
import type { Caller } from './store-wire.ts'
import type { Timeline } from './timeline.ts'

export interface WireParts {
  readonly provider: Provider
  readonly timeline: Timeline
  readonly chance: Chance
  /** The process at this end. A dead one receives nothing. */
  readonly caller: Pick<Caller, 'happens'>
  readonly answerWithinMs: number
  /** Receives every answer that arrives. */
  readonly hearing: Hearing
  readonly trace: (what: string) => void
}

/** A connection between follower and node, in memory, with the quality of the node's mood. */
export class Wire implements RpcWire {
  readonly closed: Promise<ConnectionEnding>
  readonly #parts: WireParts
  readonly #failing = new Set<(failure: Failure) => void>()
  readonly #leave: () => void
  readonly #stops = new Set<Stop>()
  #ending: ConnectionEnding | null = null
  #close: (ending: ConnectionEnding) => void = () => undefined

  private constructor(parts: WireParts) {
    this.#parts = parts
    this.closed = new Promise((resolve) => {
      this.#close = resolve
    })
    this.#leave = parts.provider.accept(() => parts.caller.happens(() => this.drop('lost')))
  }

  static connect(parts: WireParts): Promise<Wire> {
    const { provider, timeline, chance, caller } = parts
    return new Promise((resolve, reject) => {
      timeline.after(chance.between(...provider.mood.latencyMs), () => {
        caller.happens(() => {
          if (provider.mood.isUp) resolve(new Wire(parts))
          else reject(gone())
        })
      })
    })
  }

  get open(): boolean {
    return this.#ending === null
  }

  ask(method: string, params: readonly unknown[]): Promise<WireAnswer> {
    const hear = this.#parts.hearing.asked(method, params)
    const answer = (): unknown => {
      const { provider, chance } = this.#parts
      return chance.is(provider.mood.garbles) ? garbled : provider.answer(method, params)
    }
    return this.#question(method, answer, hear)
  }

  async subscribe(
    params: readonly unknown[],
    listener: (result: unknown) => void,
  ): ReturnType<RpcWire['subscribe']> {
    const stop = Promise.withResolvers<Stop>()
    const answer = await this.#question('eth_subscribe', () => {
      const hear = (value: unknown): void => {
        this.#parts.caller.happens(() => {
          if (this.open) listener(value)
        })
      }
      const end = this.#parts.provider.subscribe(params, hear)
      if (end !== null) this.#stops.add(end)
      if (end !== null) stop.resolve(end)
      return end === null ? new Refused(-32601, 'method not found') : '0x1'
    })
    return 'result' in answer ? { result: await stop.promise } : answer
  }

  drop(ending: ConnectionEnding): void {
    if (this.#ending !== null) return
    this.#ending = ending
    this.#leave()
    for (const stop of this.#stops) stop()
    for (const fail of [...this.#failing]) fail(gone())
    this.#close(ending)
  }

  #question(
    method: string,
    answer: () => unknown,
    hear: (value: unknown) => void = () => undefined,
  ): Promise<WireAnswer> {
    const { provider, timeline, chance, caller, answerWithinMs, trace } = this.#parts
    return new Promise((resolve, reject) => {
      if (this.#ending !== null) return reject(gone())
      const fail = (failure: Failure): void => {
        if (this.#failing.delete(fail)) caller.happens(() => reject(failure))
      }
      this.#failing.add(fail)
      const { mood } = provider
      const latencyMs = chance.between(...mood.latencyMs)
      if (chance.is(mood.drops)) {
        timeline.after(latencyMs, () => this.drop('lost'))
        return
      }
      const isHeld = latencyMs >= answerWithinMs || chance.is(mood.holds)
      if (isHeld) {
        timeline.after(answerWithinMs, () => fail(late(method)))
        return
      }
      if (provider.refuses(method)) {
        timeline.after(latencyMs, () => {
          if (this.#failing.delete(fail)) caller.happens(() => resolve(refusal(chance)))
        })
        return
      }
      // Half of the answers show the state at the request, half that at the end of the delay.
      const early = chance.is(0.5) ? { value: answer() } : null
      timeline.after(latencyMs, () => {
        if (!this.#failing.delete(fail)) return
        const { value } = early ?? { value: answer() }
        trace(`${provider.name} ${method}`)
        caller.happens(() => {
          hear(value)
          resolve(
            value instanceof Refused
              ? answerIn({ error: { code: value.code, message: value.message } })
              : { result: value },
          )
        })
      })
    })
  }
}

const garbled = { number: 'x', logs: 1 }

const gone = (): Failure => new Failure('chain_unavailable', 'The connection to the node ended.')
const late = (method: string): Failure =>
  new Failure('chain_unavailable', `The node did not answer ${method} in time.`)
