import { rememberedText } from './canonical-text.ts'
import type { EventData, Evidence, PaymentEvent } from './event.ts'
import { evidenceFromJson } from './payment-json.ts'
import type { EventType } from './status-model.ts'
import type { EventTexts } from './subject-kind.ts'
import { encodeData, wireType } from './wire.ts'

/** What every event type of a payment intent begins with on the wire. */
export const prefix = 'payment_intent.'

/**
 * The evidence as it is stored: canonical JSON, with bigints as `plain` writes them. One observation
 * moves many payments; it is encoded once.
 */
export const evidenceText = ({ facts, policy }: Evidence): string =>
  `{"facts":[${facts.map(rememberedText).join()}],"policy":${JSON.stringify(policy)}}`

/** The evidence that `evidenceText` wrote. */
export const evidenceOf = (text: string): Evidence =>
  // Without a key that `plain` marks there is nothing to revive: so are most facts, which name a head.
  text.includes('"$') ? evidenceFromJson(JSON.parse(text)) : (JSON.parse(text) as Evidence)

/** The public half, as `encodeData` wrote it. Our own text: it is trusted. */
export const dataOf = ({ dataJson }: Pick<EventTexts, 'dataJson'>): EventData =>
  JSON.parse(dataJson) as EventData

/** The short name inside core of a type that was stored: the status model counts by these. */
export const shortType = (type: string): EventType => type.slice(prefix.length) as EventType // as `wireType` wrote it

/** An event as it is stored. */
export const textsOf = (event: PaymentEvent): EventTexts => ({
  sequence: event.data.sequence,
  id: event.id,
  type: wireType(event.type),
  at: event.at,
  dataJson: encodeData(event.data),
  evidenceJson: evidenceText(event.evidence),
})

/** The event that was stored as these texts. */
export const eventOf = (texts: Omit<EventTexts, 'sequence'>): PaymentEvent => ({
  id: texts.id,
  type: shortType(texts.type),
  at: texts.at,
  data: dataOf(texts),
  evidence: evidenceOf(texts.evidenceJson),
})
