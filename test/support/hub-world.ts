import { MemoryBackplane } from '../../server/src/backplane/memory.ts'
import { type Frame, Hub, type Subscriber } from '../../server/src/engine/topic/hub.ts'
import { paymentTopic } from '../../server/src/engine/topic/topics.ts'
import { silentLog } from '../../server/src/log.ts'
import type { StoredEvent } from '../../server/src/ports/history.ts'
import type { Stop } from '../../server/src/ports/stop.ts'
import type { Hint } from '../../server/src/ports/topic.ts'
import { HeldHistory } from './history.ts'
import { ManualClock } from './manual-clock.ts'

/** The payment that the hub follows. */
export const pay = 'pi_one'

/** Records the events it receives. */
export class Reader implements Subscriber {
  position = 0
  readonly seen: number[] = []
  readonly frames: Frame[] = []
  isLost = false
  /** The sequence after which it unsubscribes. */
  until = Number.POSITIVE_INFINITY

  push(frame: Frame): boolean {
    this.seen.push(frame.position)
    this.frames.push(frame)
    return frame.position < this.until
  }

  lost(): void {
    this.isLost = true
  }
}

/** A hub on a history and a clock that the test controls. */
export class HubWorld {
  readonly clock = new ManualClock()
  readonly history = new HeldHistory()
  readonly backplane = new MemoryBackplane(silentLog)
  /** The recorded metrics of the time from commit to delivery. */
  readonly lags: number[] = []
  /** The payment's topic. */
  readonly topic = paymentTopic(pay, this.history)
  readonly hub: Hub

  constructor() {
    const { backplane, clock } = this
    const metrics = { eventLag: (ms: number) => this.lags.push(ms) }
    this.hub = new Hub({ backplane, clock, log: silentLog, metrics })
  }

  /** Resolves when all pending work has run. */
  settled(): Promise<void> {
    return this.clock.advance(0)
  }

  commit(count = 1): StoredEvent[] {
    return Array.from({ length: count }, () => this.history.append(pay))
  }

  announce(hint: Partial<Hint> = {}): void {
    this.backplane.announce({ topic: this.topic.key, position: this.history.head(pay), ...hint })
  }

  follow(after: number, reader = new Reader()): { reader: Reader; stop: Stop } {
    return { reader, stop: this.hub.attach(reader, { topic: this.topic, after }) }
  }
}
