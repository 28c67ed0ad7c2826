import { hash } from 'node:crypto'
import { canonicalJson } from '@settlewire/core/canonical-json'
import type { Evidence, PaymentEvent } from '@settlewire/core/event'
import { toRfc3339 } from '@settlewire/core/instant'
import { evidenceToJson } from '@settlewire/core/payment-json'
import { encodeData } from '@settlewire/core/wire'

/** What the first event of a payment is chained to. */
export const noHash = '0'.repeat(64)

/** An event as it is stored: both texts, and the hash that seals them. */
export interface Sealed {
  readonly dataJson: string
  readonly evidenceJson: string
  readonly prevHash: string
  readonly hash: string
}

/**
 * Seals an event: SHA-256, in hex, over the previous hash (64 hex digits) followed by the canonical
 * JSON of `{id, type, at, data, evidence}`. Anyone can check it with a shell and `sha256sum`.
 */
export function seal(event: PaymentEvent, prevHash: string, evidenceJson: string): Sealed {
  const dataJson = encodeData(event.data)
  const text = canonicalEvent(event, canonicalJson(event.data), evidenceJson)
  return { dataJson, evidenceJson, prevHash, hash: hash('sha256', prevHash + text) }
}

/** The evidence as it is stored: canonical, so that it can be hashed as it stands. */
export const encodeEvidence = (evidence: Evidence): string =>
  canonicalJson(evidenceToJson(evidence))

/** The hash that stored texts must have, whoever stored them. */
export function hashOfStored(
  event: Pick<PaymentEvent, 'id' | 'type' | 'at'>,
  stored: Omit<Sealed, 'hash'>,
): string {
  const data = canonicalJson(JSON.parse(stored.dataJson))
  const evidence = canonicalJson(JSON.parse(stored.evidenceJson))
  return hash('sha256', stored.prevHash + canonicalEvent(event, data, evidence))
}

/** The members in the order of canonical JSON. Ids and types need no escapes. */
const canonicalEvent = (
  { id, type, at }: Pick<PaymentEvent, 'id' | 'type' | 'at'>,
  data: string,
  evidence: string,
): string =>
  `{"at":"${toRfc3339(at)}","data":${data},"evidence":${evidence},"id":"${id}","type":"${type}"}`
