import type { Clock } from '../../../ports/clock.ts'
import type { Stop } from '../../../ports/stop.ts'
import type { Answer, WireAnswer } from './answer.ts'
import type { Limits } from './limits.ts'

export type { Answer } from './answer.ts'

/** What a connection is opened with. The signal ends the opening, not the connection. */
export interface ConnectParts {
  readonly clock: Clock
  readonly limits: Limits
  readonly signal: AbortSignal
}

/** Why a connection is over. `silent` means it looked open and was dead. */
export type Ending = 'lost' | 'silent' | 'broken_frame' | 'left'

/** Hears what a subscription tells. */
export type Listener = (result: unknown) => void

/**
 * Whether a notification need not be parsed, by its raw text. A wire may ask it, or may not; it must
 * be sure, and must not throw.
 */
export type Skim = (text: string) => boolean

interface Life {
  /** Resolves, never rejects, when the connection is over. */
  readonly closed: Promise<Ending>
  readonly open: boolean
  /** Ends the connection at once. */
  drop(ending: Ending): void
}

/**
 * One connection to one node, by whatever wire. It never reconnects: a new connection may be another
 * node, and must be asked who it is before it is believed. It sends what it is given at once: what
 * must wait, waits in the provider's `Line`.
 */
export interface RpcWire extends Life {
  /** Rejects with `chain_unavailable` when the connection ends or the deadline passes. */
  ask(method: string, params: readonly unknown[]): Promise<WireAnswer>
  /**
   * Subscribes for the life of this connection. The listener is in place before the next frame is
   * read, so that a notification right behind the answer is not lost; it must not throw. The result
   * is the way to stop it.
   */
  subscribe(
    params: readonly unknown[],
    listener: Listener,
    isForNobody?: Skim,
  ): Promise<Exclude<WireAnswer, { readonly result: unknown }> | { readonly result: Stop }>
}

/** A wire as it is asked through the line of its provider: refusals are waited out there. */
export interface RpcConnection extends Life {
  /**
   * Rejects with `chain_unavailable` when the connection ends, the deadline passes, too many wait, or
   * the node goes on refusing; `isRefusal` tells the last.
   */
  ask(method: string, params: readonly unknown[]): Promise<Answer>
  /** As of a wire. Null when the node has no such subscription. Rejects like `ask`. */
  subscribe(
    params: readonly unknown[],
    listener: Listener,
    isForNobody?: Skim,
  ): Promise<Stop | null>
}
