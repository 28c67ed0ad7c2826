import type { Clock, Stop } from '../../ports.ts'
import type { Limits } from './limits.ts'

/** What a connection is opened with. The signal ends the opening, not the connection. */
export interface ConnectParts {
  readonly clock: Clock
  readonly limits: Limits
  readonly signal: AbortSignal
}

/** What a node says to a question. A refusal is an answer: only silence and loss are failures. */
export type Answer =
  | { readonly result: unknown }
  | { readonly refused: { readonly code: number; readonly message: string } }

/** Why a connection is over. `silent` means it looked open and was dead. */
export type Ending = 'lost' | 'silent' | 'broken_frame' | 'left'

/** Hears what a subscription tells. */
export type Listener = (result: unknown) => void

/**
 * Whether a notification need not be parsed, by its raw text. A wire may ask it, or may not; it must
 * be sure, and must not throw.
 */
export type Skim = (text: string) => boolean

/**
 * One connection to one node, by whatever wire. It never reconnects: a new connection may be another
 * node, and must be asked who it is before it is believed.
 */
export interface RpcConnection {
  /** Resolves, never rejects, when the connection is over. */
  readonly closed: Promise<Ending>
  readonly open: boolean
  /** Rejects with `chain_unavailable` when the connection ends, the deadline passes, or too many wait. */
  ask(method: string, params: readonly unknown[]): Promise<Answer>
  /**
   * Subscribes for the life of this connection. The listener is in place before the next frame is
   * read, so that a notification right behind the answer is not lost; it must not throw. Resolves
   * to the way to stop it, or to null when the node refuses or the wire cannot.
   */
  subscribe(
    params: readonly unknown[],
    listener: Listener,
    isForNobody?: Skim,
  ): Promise<Stop | null>
  /** Ends the connection at once. */
  drop(ending: Ending): void
}
