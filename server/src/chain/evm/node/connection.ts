import type { Clock } from '../../../ports/clock.ts'
import type { Stop } from '../../../ports/stop.ts'
import type { RpcAnswer, WireAnswer } from './answer.ts'
import type { FollowerLimits } from './limits.ts'

export type { RpcAnswer } from './answer.ts'

/** What a connection is opened with. The signal aborts the opening, not the open connection. */
export interface ConnectParts {
  readonly clock: Clock
  readonly limits: FollowerLimits
  readonly signal: AbortSignal
}

/** Why a connection ended. `silent`: it looked open but no longer answered. */
export type ConnectionEnding = 'lost' | 'silent' | 'broken_frame' | 'left'

/** Receives the notifications of a subscription. */
export type SubscriptionListener = (result: unknown) => void

/**
 * Whether a notification can be skipped unparsed, by its raw text. A wire may use it or not. It
 * must return true only when certain, and must not throw.
 */
export type Skim = (text: string) => boolean

interface Life {
  /** Resolves when the connection has ended. Never rejects. */
  readonly closed: Promise<ConnectionEnding>
  readonly open: boolean
  /** Ends the connection immediately. */
  drop(ending: ConnectionEnding): void
}

/**
 * One connection to one node, over WebSocket or HTTP. It never reconnects: a new connection may
 * reach another node, whose chain must be checked first. It sends every question immediately: the
 * provider's `RequestLine` does the waiting.
 */
export interface RpcWire extends Life {
  /** Rejects with `chain_unavailable` when the connection ends or the deadline passes. */
  ask(method: string, params: readonly unknown[]): Promise<WireAnswer>
  /**
   * Subscribes for the life of this connection. The listener is in place before the next frame is
   * read, so a notification right behind the answer is not lost; the listener must not throw. The
   * result unsubscribes.
   */
  subscribe(
    params: readonly unknown[],
    listener: SubscriptionListener,
    isIrrelevant?: Skim,
  ): Promise<Exclude<WireAnswer, { readonly result: unknown }> | { readonly result: Stop }>
}

/** A wire used through the line of its provider, which retries refused questions. */
export interface RpcConnection extends Life {
  /**
   * Rejects with `chain_unavailable` when the connection ends, the deadline passes, too many
   * questions wait, or the node keeps refusing; `isRefusal` recognises the last case.
   */
  ask(method: string, params: readonly unknown[]): Promise<RpcAnswer>
  /** Like `RpcWire.subscribe`. Null when the node lacks the subscription. Rejects like `ask`. */
  subscribe(
    params: readonly unknown[],
    listener: SubscriptionListener,
    isIrrelevant?: Skim,
  ): Promise<Stop | null>
}
