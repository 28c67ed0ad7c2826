import { toRfc3339 } from '@settlewire/core/instant'
import { sseComment, sseFrame } from '@settlewire/core/wire/sse'
import type { Hub } from '../../engine/topic/hub.ts'
import { feedKey } from '../../engine/topic/topics.ts'
import type { SightSummary } from '../../engine/watch/sight.ts'
import type { Clock } from '../../ports/clock.ts'
import type { EventStore } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Stop } from '../../ports/stop.ts'
import { SightNews } from './sse-sight.ts'
import type { Stream } from './sse-stream.ts'
import { Wheel } from './sse-wheel.ts'
import type { StreamSource } from './stream-source.ts'

/** The dependencies of heartbeats. */
export interface HeartbeatNeeds {
  readonly hub: Pick<Hub, 'look'>
  readonly store: Pick<EventStore, 'heads' | 'feedHeads'>
  readonly clock: Clock
  readonly log: Log
  /** The visibility of these chains now. A tick calls it once for each distinct set of chains. */
  readonly sight: (chains: readonly string[]) => SightSummary
  /** Calls the listener with each chain whose visibility changes, until stopped. */
  readonly onSight: (listener: (chain: string) => void) => Stop
  readonly heartbeatMs: number
}

/** The JSON of the chains that ends a heartbeat, by the names of the chains. */
type Sights = Map<string, string>

/**
 * A heartbeat waits at most this long for the history, and as long for missed events to be pushed.
 */
const askMs = 3_000
const sign = sseComment('heartbeat')
const signAlone = Buffer.from(`${sign}\n`)

/**
 * Sends every stream the payment's head sequence from the history: once in `heartbeatMs`, when the
 * visibility of one of its chains changes, and at once when a client has resumed. A client with a
 * lower sequence knows that it missed events. The same head lets our own streams catch up if they
 * missed an announcement.
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
    this.#news = new SightNews({ clock, log: needs.log, parts, notify: visit })
    this.#stop = needs.onSight((chain) => this.#news.changed(chain))
  }

  /** Stops heartbeats for changes of visibility. */
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
   * Sends one stream a heartbeat at once, with the head that was read for it: a client that resumed
   * learns that it has all events, without waiting for its turn of the wheel.
   */
  now(stream: Stream, head: number): void {
    this.#safely(this.#beatOne([stream], head, new Map()))
  }

  #safely(beat: Promise<void>): void {
    beat.catch((error) => this.#needs.log.error({ area: 'sse', error }, 'heartbeat failed'))
  }

  /** One query to the history for all payments of a tick, and one for all feeds. */
  async #beat(streams: readonly Stream[]): Promise<void> {
    const groups = new Map<string, Stream[]>()
    for (const stream of streams) {
      const { id } = stream.start.source
      const group = groups.get(id)
      if (group) group.push(stream)
      else groups.set(id, [stream])
    }
    const sources = [...groups.values()].flatMap(([first]) => first?.start.source ?? [])
    const heads = await this.#inTime(this.#headsOf(sources))
    const sights: Sights = new Map()
    await Promise.all(
      [...groups].map(([id, group]) => this.#beatOne(group, heads?.get(id), sights)),
    )
  }

  /** The head of each source, by its id. Leaves out unknown payments. */
  async #headsOf(sources: readonly StreamSource[]): Promise<ReadonlyMap<string, number>> {
    const { store } = this.#needs
    const payments = sources.flatMap(({ id, feed }) => (feed === null ? id : []))
    const feeds = sources.flatMap(({ feed }) => feed ?? [])
    const [sequences, positions] = await Promise.all([
      payments.length === 0 ? new Map<string, number>() : store.heads(payments),
      feeds.length === 0 ? [] : store.feedHeads(feeds),
    ])
    if (positions.length === 0) return sequences
    return new Map([...sequences, ...positions.map((one) => [feedKey(one), one.position] as const)])
  }

  /**
   * Streams below the head first get their missing events, so that a client only sees a gap if
   * there is one. If the head is not known, because the history did not answer, the heartbeat is a
   * comment.
   */
  async #beatOne(
    streams: readonly Stream[],
    head: number | undefined,
    sights: Sights,
  ): Promise<void> {
    const { hub, clock } = this.#needs
    const [first] = streams
    if (first === undefined) return
    const { topic, chains, feed } = first.start.source
    if (head !== undefined && streams.some(({ position }) => position < head)) {
      await this.#inTime(hub.look(topic.key, head))
    }
    const at = toRfc3339(clock.now())
    const beat =
      feed === null
        ? `{"sequence":${head},"at":"${at}",${this.#sightOf(chains, sights)}`
        : `{"position":${head},"at":"${at}"}`
    const named = sseFrame({ event: 'heartbeat', data: beat })
    const bytes = head === undefined ? signAlone : Buffer.from(sign + named)
    for (const stream of streams) {
      stream.write(bytes)
      if (head !== undefined) stream.restAt(head)
      stream.endIfOld()
    }
  }

  /** The rest of a heartbeat. Cached, so that a tick computes it once for each set of chains. */
  #sightOf(chains: readonly string[], sights: Sights): string {
    const name = chains.join()
    const known = sights.get(name)
    if (known !== undefined) return known
    const made = JSON.stringify(this.#needs.sight(chains)).slice(1)
    sights.set(name, made)
    return made
  }

  /** Null if the work failed or took too long. */
  async #inTime<T>(work: Promise<T>): Promise<T | null> {
    const over = new AbortController()
    const late = this.#needs.clock.sleep(askMs, over.signal).then(() => null)
    try {
      return await Promise.race([work, late])
    } catch (error) {
      this.#needs.log.warn({ area: 'sse', error }, 'could not read the heads for a heartbeat')
      return null
    } finally {
      over.abort()
    }
  }
}
