import { rememberedText } from './canonical-text.ts'
import type { EventData, Evidence, PaymentEvent } from './event.ts'
import type { Instant } from './instant.ts'
import { evidenceFromJson } from './payment-json.ts'
import type { EventType } from './status-model.ts'

/** What every event type of a payment intent begins with on the wire. */
const prefix = 'payment_intent.'

/** The texts of an event, as they are stored. */
export interface EventTexts {
  readonly id: string
  /** The full name: `payment_intent.confirming`. */
  readonly type: string
  readonly at: Instant
  readonly dataJson: string
  readonly evidenceJson: string
}

/**
 * The evidence as it is stored: canonical JSON, with bigints as `plain` writes them. One observation
 * moves many payments; it is encoded once.
 */
export const evidenceText = ({ facts, policy }: Evidence): string =>
  `{"facts":[${facts.map(rememberedText).join()}],"policy":${JSON.stringify(policy)}}`

/** The evidence that `evidenceText` wrote. */
export const evidenceOf = (text: string): Evidence => evidenceFromJson(JSON.parse(text))

/** The public half, as `encodeData` wrote it. Our own text: it is trusted. */
export const dataOf = ({ dataJson }: Pick<EventTexts, 'dataJson'>): EventData =>
  JSON.parse(dataJson) as EventData

/** The short name inside core of a type that was stored: the status model counts by these. */
export const shortType = (type: string): EventType => type.slice(prefix.length) as EventType // as `wireType` wrote it

/** The event that was stored as these texts. */
export const eventOf = (texts: EventTexts): PaymentEvent => ({
  id: texts.id,
  type: shortType(texts.type),
  at: texts.at,
  data: dataOf(texts),
  evidence: evidenceOf(texts.evidenceJson),
})
