import type { EventData } from '@settlewire/core/payment/event'
import { statuses } from '@settlewire/core/payment/status-model'

/** An event as every transport carries it. */
export interface WireEvent {
  readonly id: string
  /** `payment_intent.confirming` and so on. */
  readonly type: string
  readonly data: EventData
}

/** What the server says between events. */
export interface Heartbeat {
  /** The head of the payment's history. */
  readonly sequence: number
  readonly at: string
  readonly visibility: Visibility
  /** Each chain that the payment may come on; empty from a server that does not say. */
  readonly chains: readonly ChainSight[]
}

/** How well one chain is seen, and how old what is seen of it is. */
export interface ChainSight {
  readonly chain: string
  readonly visibility: Visibility
  /** Its last block that was read; null before the first. */
  readonly head: number | null
  /** The age of that block when this was said; no less than the time since it was read. */
  readonly lagMs: number | null
}

/** Whether Settlewire sees the chains that the payment may come on. */
export type Visibility = 'ok' | 'degraded' | 'blind'

/** What is looked at before it is believed. */
interface Loose {
  readonly id?: unknown
  readonly type?: unknown
  readonly data?: unknown
  readonly sequence?: unknown
  readonly status?: unknown
  readonly at?: unknown
  readonly visibility?: unknown
  readonly chains?: unknown
  readonly chain?: unknown
  readonly head?: unknown
  readonly code?: unknown
  readonly detail?: unknown
  readonly lagMs?: unknown
}

const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null

/** Null for what is no event of this payment: the caller treats that as a broken connection. */
export function parseEvent(value: unknown, paymentId: string): WireEvent | null {
  if (!isObject(value)) return null
  const { id, type, data } = value
  if (typeof id !== 'string' || id === '' || typeof type !== 'string') return null
  if (!isObject(data) || data.id !== paymentId || !isSequence(data.sequence)) return null
  if (!statuses.some((one) => one === data.status)) return null
  // The fields that decide were looked at; the rest is Settlewire's own, and is only shown.
  return { id, type, data: data as EventData }
}

/** Null for what is no heartbeat. */
export function parseHeartbeat(value: unknown): Heartbeat | null {
  if (!isObject(value)) return null
  const { sequence, at, visibility } = value
  if (!isSequence(sequence) || typeof at !== 'string' || Number.isNaN(Date.parse(at))) return null
  return { sequence, at, visibility: parseVisibility(visibility), chains: parseSight(value.chains) }
}

const chainsMax = 100

/** What is said of chains; what is no such thing is left out. */
export function parseSight(value: unknown): readonly ChainSight[] {
  if (!Array.isArray(value)) return []
  return value.slice(0, chainsMax).flatMap((one: unknown) => {
    if (!isObject(one) || typeof one.chain !== 'string') return []
    const { chain, visibility, head, lagMs } = one
    return [
      {
        ...{ chain, visibility: parseVisibility(visibility) },
        ...{ head: countOrNull(head), lagMs: countOrNull(lagMs) },
      },
    ]
  })
}

const countOrNull = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null

/** Only the word `ok` says that all is well: a missing or unknown word is read as `degraded`. */
const parseVisibility = (value: unknown): Visibility =>
  value === 'ok' || value === 'blind' ? value : 'degraded'

/** JSON, or undefined for what is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON: undefined is no event and no heartbeat, which is what the caller asks.
    return undefined
  }
}

/** Why the server ends a stream for good: a code of the error catalogue, with its words. */
export interface Refusal {
  readonly code: string
  readonly detail: string
}

/** Null for what is no such thing. */
export function parseRefusal(value: unknown): Refusal | null {
  if (!isObject(value)) return null
  const { code, detail } = value
  if (typeof code !== 'string' || code === '') return null
  return { code, detail: typeof detail === 'string' ? detail : '' }
}

const isSequence = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 1
