import { rememberedText } from '../history/canonical-text.ts'
import type { EventTexts } from '../history/subject-kind.ts'
import { encodeData, wireType } from '../wire/wire.ts'
import type { EventData, Evidence, PaymentEvent } from './event.ts'
import type { Foldable } from './fold.ts'
import { evidenceFromJson } from './payment-json.ts'
import type { EventType, Status } from './status-model.ts'

/** What every event type of a payment intent begins with on the wire. */
export const prefix = 'payment_intent.'

/**
 * The evidence as it is stored: canonical JSON, with bigints as `plain` writes them. One observation
 * moves many payments; it is encoded once.
 */
export const evidenceText = ({ facts, policy }: Evidence): string =>
  `{"facts":[${facts.map(rememberedText).join()}],"policy":${JSON.stringify(policy)}}`

/** Evidence that was read lately: what a block showed moves many payments. */
const readLately = new Map<string, Evidence>()
const readLatelyMax = 1_000
/** Longer ones are about one payment alone. */
const sharedCharactersMax = 400

/** The evidence that `evidenceText` wrote. Never changed: the same text may give the same object. */
export function evidenceOf(text: string): Evidence {
  if (text.length > sharedCharactersMax) return parsed(text)
  const known = readLately.get(text)
  if (known !== undefined) return known
  if (readLately.size >= readLatelyMax) readLately.clear()
  const evidence = parsed(text)
  readLately.set(text, evidence)
  return evidence
}

/** Without a key that `plain` marks there is nothing to revive: so are most facts, which name a head. */
const parsed = (text: string): Evidence =>
  text.includes('"$') ? evidenceFromJson(JSON.parse(text)) : (JSON.parse(text) as Evidence) // as `evidenceText` wrote it

/** The public half, as `encodeData` wrote it. Our own text: it is trusted. */
export const dataOf = ({ dataJson }: Pick<EventTexts, 'dataJson'>): EventData =>
  JSON.parse(dataJson) as EventData

/** The short name inside core of a type that was stored: the status model counts by these. */
export const shortType = (type: string): EventType => type.slice(prefix.length) as EventType // as `wireType` wrote it

/** The members that come first: the order of keys is part of the data. */
const firstMembers = /^\{"id":"([^"\\]+)","sequence":(\d+),"status":"([a-z_]+)"/

/** What a fold reads of an event: of its data the first members, which spares parsing the rest. */
export function foldableOf(texts: EventTexts): Foldable {
  const { id, type, at, dataJson, evidenceJson } = texts
  const [, subject = '', sequence, status] = firstMembers.exec(dataJson) ?? []
  const data =
    status === undefined
      ? dataOf(texts)
      : { id: subject, sequence: Number(sequence), status: status as Status } // as `encodeData` wrote it
  return { id, type: shortType(type), at, data, evidence: evidenceOf(evidenceJson) }
}

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
