/** Hints that something was committed, from those who write to those who read. Beside `ports.ts`. */
import type { Stop, StoredEvent } from './ports.ts'

/** "Payment p is now at n", perhaps with the events that took it there, to save a read. */
export interface Moved {
  readonly paymentId: string
  readonly sequence: number
  readonly events?: readonly StoredEvent[]
}

/** Tells every node that a payment moved. May drop, repeat, reorder: a hint, never the truth. */
export interface Backplane {
  announce(moved: Moved): void
  subscribe(paymentId: string, listener: (moved: Moved) => void): Stop
  /** Resolves when a message to itself came back; rejects when none did in time. */
  prove(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
