import type { EventData } from '@settlewire/core/payment/event'
import { statuses } from '@settlewire/core/payment/status-model'

/** An event as every transport carries it. */
export interface WireEvent {
  readonly id: string
  /** `payment_intent.confirming` and so on. */
  readonly type: string
  readonly data: EventData
}

/** What the server sends between events. */
export interface Heartbeat {
  /** The head of the payment's history. */
  readonly sequence: number
  readonly at: string
  readonly visibility: Visibility
  /** The chains that the payment accepts; empty if the server does not send them. */
  readonly chains: readonly ChainSight[]
}

/** How well one chain is seen, and the age of that view. */
export interface ChainSight {
  readonly chain: string
  readonly visibility: Visibility
  /** The last block that was read; null before the first. */
  readonly head: number | null
  /** How old the last stored block was at the time of the report; null before the first. */
  readonly lagMs: number | null
}

/** Whether Settlewire sees the chains that the payment accepts. */
export type Visibility = 'ok' | 'degraded' | 'blind'

/** Fields that are checked before they are used. */
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

/**
 * Null for anything that is no event of this payment: the caller treats it as a broken connection.
 */
export function parseEvent(value: unknown, paymentId: string): WireEvent | null {
  if (!isObject(value)) return null
  const { id, type, data } = value
  if (typeof id !== 'string' || id === '' || typeof type !== 'string') return null
  if (!isObject(data) || data.id !== paymentId || !isSequence(data.sequence)) return null
  if (!statuses.some((one) => one === data.status)) return null
  // The fields that decide were checked; the rest comes from Settlewire and is only displayed.
  return { id, type, data: data as EventData }
}

/** Null for anything that is no heartbeat. */
export function parseHeartbeat(value: unknown): Heartbeat | null {
  if (!isObject(value)) return null
  const { sequence, at, visibility } = value
  if (!isSequence(sequence) || typeof at !== 'string' || Number.isNaN(Date.parse(at))) return null
  return { sequence, at, visibility: parseVisibility(visibility), chains: parseSight(value.chains) }
}

const chainsMax = 100

/** Parses a list of chains; leaves out entries that are not valid. */
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

/** Only `ok` means that all is well: a missing or unknown value is read as `degraded`. */
const parseVisibility = (value: unknown): Visibility =>
  value === 'ok' || value === 'blind' ? value : 'degraded'

/** The parsed JSON, or undefined for invalid JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Invalid JSON: undefined is no event and no heartbeat, so the caller refuses it.
    return undefined
  }
}

/** Why the server ends a stream permanently: a code of the error catalogue, with its detail. */
export interface StreamRefusal {
  readonly code: string
  readonly detail: string
}

/** Null for anything that is no refusal. */
export function parseRefusal(value: unknown): StreamRefusal | null {
  if (!isObject(value)) return null
  const { code, detail } = value
  if (typeof code !== 'string' || code === '') return null
  return { code, detail: typeof detail === 'string' ? detail : '' }
}

const isSequence = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 1
