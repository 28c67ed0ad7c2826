import { MemoryBackplane } from '../../server/src/backplane/memory.ts'
import { type Frame, Hub, type Subscriber } from '../../server/src/engine/hub.ts'
import { silentLog } from '../../server/src/log.ts'
import type { Stop, StoredEvent } from '../../server/src/ports.ts'
import type { Moved } from '../../server/src/topic-ports.ts'
import { HeldHistory } from './history.ts'
import { ManualClock } from './manual-clock.ts'

/** The payment that is followed. */
export const pay = 'pi_one'

/** Remembers what it was given. */
export class Reader implements Subscriber {
  position = 0
  readonly seen: number[] = []
  readonly frames: Frame[] = []
  isLost = false
  /** The sequence after which it has had enough. */
  until = Number.POSITIVE_INFINITY

  push(frame: Frame): boolean {
    this.seen.push(frame.sequence)
    this.frames.push(frame)
    return frame.sequence < this.until
  }

  lost(): void {
    this.isLost = true
  }
}

/** A hub on a history and a clock that the test holds in its hands. */
export class HubWorld {
  readonly clock = new ManualClock()
  readonly history = new HeldHistory()
  readonly backplane = new MemoryBackplane(silentLog)
  /** What the metrics were told of the way from commit to hand-over. */
  readonly lags: number[] = []
  readonly hub: Hub

  constructor() {
    const { history: store, backplane, clock } = this
    const metrics = { eventLag: (ms: number) => this.lags.push(ms) }
    this.hub = new Hub({ store, backplane, clock, log: silentLog, metrics })
  }

  /** Until all that can happen now has happened. */
  settled(): Promise<void> {
    return this.clock.advance(0)
  }

  commit(count = 1): StoredEvent[] {
    return Array.from({ length: count }, () => this.history.append(pay))
  }

  announce(moved: Partial<Moved> = {}): void {
    this.backplane.announce({ paymentId: pay, sequence: this.history.head(pay), ...moved })
  }

  follow(after: number, reader = new Reader()): { reader: Reader; stop: Stop } {
    return { reader, stop: this.hub.attach(reader, { paymentId: pay, after }) }
  }
}
