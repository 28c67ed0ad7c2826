import { toRfc3339 } from '@settlewire/core/instant'
import { sseComment, sseFrame } from '@settlewire/core/wire/sse'
import type { Hub } from '../../engine/topic/hub.ts'
import { paymentKey } from '../../engine/topic/topics.ts'
import type { Sight } from '../../engine/watch/sight.ts'
import type { Clock } from '../../ports/clock.ts'
import type { EventStore } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Stop } from '../../ports/stop.ts'
import { SightNews } from './sse-sight.ts'
import type { Stream } from './sse-stream.ts'
import { Wheel } from './sse-wheel.ts'

/** What heartbeats need. */
export interface HeartbeatNeeds {
  readonly hub: Pick<Hub, 'look'>
  readonly store: Pick<EventStore, 'heads'>
  readonly clock: Clock
  readonly log: Log
  /** How well these chains are seen now. Asked once a tick for all payments that accept the same. */
  readonly sight: (chains: readonly string[]) => Sight
  /** Calls the listener with each chain that is seen otherwise than before, until it is stopped. */
  readonly onSight: (listener: (chain: string) => void) => Stop
  readonly heartbeatMs: number
}

/** What is said of the chains, as the JSON that ends a heartbeat, by the names of the chains. */
type Sights = Map<string, string>

/** A heartbeat waits no longer than this for the history, nor for streams to be healed. */
const askMs = 3_000
const sign = sseComment('heartbeat')
const signAlone = Buffer.from(`${sign}\n`)

/**
 * Tells every stream once in `heartbeatMs`, and when a chain of its payment is seen otherwise, where its payment stands as the history knows it: a client
 * that holds less knows that it missed something. The same answer heals our own streams.
 */
export class Heartbeats {
  readonly #needs: HeartbeatNeeds
  readonly #wheel: Wheel<Stream>
  readonly #news: SightNews
  readonly #stop: Stop

  constructor(needs: HeartbeatNeeds) {
    this.#needs = needs
    const { clock, heartbeatMs } = needs
    const visit = (streams: readonly Stream[]): void => this.#safely(this.#beat(streams))
    this.#wheel = new Wheel({ clock, turnMs: heartbeatMs, visit })
    const parts = () => this.#wheel.slots
    this.#news = new SightNews({ clock, log: needs.log, parts, tell: visit })
    this.#stop = needs.onSight((chain) => this.#news.changed(chain))
  }

  /** Changes of sight are not told any more. */
  close(): void {
    this.#stop()
    this.#news.close()
  }

  add(stream: Stream): void {
    this.#wheel.add(stream)
  }

  delete(stream: Stream): void {
    this.#wheel.delete(stream)
  }

  /**
   * Tells one stream at once, by the head that was read for it: a client that resumed learns that it
   * holds all there is without waiting for its turn of the wheel.
   */
  now(stream: Stream, head: number): void {
    this.#safely(this.#beatOne([stream], head, new Map()))
  }

  #safely(beat: Promise<void>): void {
    beat.catch((error) => this.#needs.log.error({ area: 'sse', error }, 'heartbeat failed'))
  }

  /** One question to the history for all streams of a tick. */
  async #beat(streams: readonly Stream[]): Promise<void> {
    const groups = new Map<string, Stream[]>()
    for (const stream of streams) {
      const group = groups.get(stream.start.paymentId)
      if (group) group.push(stream)
      else groups.set(stream.start.paymentId, [stream])
    }
    const heads = await this.#inTime(this.#needs.store.heads([...groups.keys()]))
    const sights: Sights = new Map()
    await Promise.all(
      [...groups].map(([paymentId, group]) => this.#beatOne(group, heads?.get(paymentId), sights)),
    )
  }

  /**
   * Streams below the head are healed first, so that a client is told of a gap only where there is
   * one. When the history does not say where the head is, neither do we: a sign of life, no more.
   */
  async #beatOne(
    streams: readonly Stream[],
    head: number | undefined,
    sights: Sights,
  ): Promise<void> {
    const { hub, clock } = this.#needs
    const [first] = streams
    if (first === undefined) return
    const { paymentId, chains } = first.start
    if (head !== undefined && streams.some(({ position }) => position < head)) {
      await this.#inTime(hub.look(paymentKey(paymentId), head))
    }
    const at = toRfc3339(clock.now())
    const beat = `{"sequence":${head},"at":"${at}",${this.#sightOf(chains, sights)}`
    const named = sseFrame({ event: 'heartbeat', data: beat })
    const bytes = head === undefined ? signAlone : Buffer.from(sign + named)
    for (const stream of streams) {
      stream.write(bytes)
      if (head !== undefined) stream.restAt(head)
    }
  }

  /** The rest of a heartbeat. A tick of ten thousand streams looks once for each set of chains. */
  #sightOf(chains: readonly string[], sights: Sights): string {
    const name = chains.join()
    const known = sights.get(name)
    if (known !== undefined) return known
    const made = JSON.stringify(this.#needs.sight(chains)).slice(1)
    sights.set(name, made)
    return made
  }

  /** Null when it failed, or took too long. */
  async #inTime<T>(work: Promise<T>): Promise<T | null> {
    const over = new AbortController()
    const late = this.#needs.clock.sleep(askMs, over.signal).then(() => null)
    try {
      return await Promise.race([work, late])
    } catch (error) {
      this.#needs.log.warn({ area: 'sse', error }, 'a heartbeat did not learn the heads')
      return null
    } finally {
      over.abort()
    }
  }
}
