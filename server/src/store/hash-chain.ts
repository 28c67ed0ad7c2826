import { hash } from 'node:crypto'
import { canonicalJson } from '@settlewire/core/canonical-json'
import type { EventData, Evidence, PaymentEvent } from '@settlewire/core/event'
import { encodeData } from '@settlewire/core/wire'
import { rememberedText } from './canonical-text.ts'

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
export function seal(event: PaymentEvent, prevHash: string): Sealed {
  const dataJson = encodeData(event.data)
  const evidenceJson = encodeEvidence(event.evidence)
  const text = canonicalEvent(event, canonicalData(event.data), evidenceJson)
  return { dataJson, evidenceJson, prevHash, hash: hash('sha256', prevHash + text) }
}

/** `canonicalJson(data)`, written out: the members are known, so nobody has to sort them. */
const canonicalData = (data: EventData): string =>
  JSON.stringify({
    chain: data.chain,
    chainId: data.chainId,
    confirmations: data.confirmations,
    detectedAt: data.detectedAt,
    expectedAmount: data.expectedAmount,
    finality: data.finality,
    flags: data.flags,
    id: data.id,
    note: data.note,
    pendingAmount: data.pendingAmount,
    previousStatus: data.previousStatus,
    reason: data.reason,
    receivedAmount: data.receivedAmount,
    replacedTxHash: data.replacedTxHash,
    requiredConfirmations: data.requiredConfirmations,
    sequence: data.sequence,
    settledAt: data.settledAt,
    status: data.status,
    token: data.token,
    txHash: data.txHash,
  } satisfies Record<keyof EventData, unknown>)

/**
 * The evidence as it is stored: canonical, so that it can be hashed as it stands. One observation
 * moves many payments; it is encoded once.
 */
const encodeEvidence = ({ facts, policy }: Evidence): string =>
  `{"facts":[${facts.map(rememberedText).join()}],"policy":${JSON.stringify(policy)}}`

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
): string => `{"at":${at},"data":${data},"evidence":${evidence},"id":"${id}","type":"${type}"}`
