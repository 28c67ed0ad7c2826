import { rememberedText } from '../history/canonical-text.ts'
import type { EventTexts } from '../history/subject-kind.ts'
import { encodeData, wireType } from '../wire/wire.ts'
import type { EventData, Evidence, PaymentEvent } from './event.ts'
import type { Foldable } from './fold.ts'
import { evidenceFromJson } from './payment-json.ts'
import type { EventType, Status } from './status-model.ts'

/** The beginning of every event type of a payment intent on the wire. */
export const prefix = 'payment_intent.'

/**
 * The evidence as it is stored: canonical JSON, with bigints as `plain` writes them. One
 * observation can change many payments, so its text is cached.
 */
export const evidenceText = ({ facts, policy }: Evidence): string =>
  `{"facts":[${facts.map(rememberedText).join()}],"policy":${JSON.stringify(policy)}}`

/** A cache of parsed evidence: one observation of a block changes many payments. */
const readLately = new Map<string, Evidence>()
const readLatelyMax = 1_000
/** Longer texts concern a single payment, so caching them would not help. */
const sharedCharactersMax = 400

/**
 * Restores what `evidenceText` wrote. Do not change the result: equal texts may share an object.
 */
export function evidenceOf(text: string): Evidence {
  if (text.length > sharedCharactersMax) return parsed(text)
  const known = readLately.get(text)
  if (known !== undefined) return known
  if (readLately.size >= readLatelyMax) readLately.clear()
  const evidence = parsed(text)
  readLately.set(text, evidence)
  return evidence
}

/**
 * Without a key marked by `plain` nothing needs reviving, as in most facts, which report a head.
 */
const parsed = (text: string): Evidence =>
  text.includes('"$') ? evidenceFromJson(JSON.parse(text)) : (JSON.parse(text) as Evidence) // as `evidenceText` wrote it

/** The public half, as `encodeData` wrote it. It is our own text, so it is trusted. */
export const dataOf = ({ dataJson }: Pick<EventTexts, 'dataJson'>): EventData =>
  JSON.parse(dataJson) as EventData

/** The short name of a stored type, as core and the status model use it. */
export const shortType = (type: string): EventType => type.slice(prefix.length) as EventType // as `wireType` wrote it

/** The first members, whose order is part of the format. */
const firstMembers = /^\{"id":"([^"\\]+)","sequence":(\d+),"status":"([a-z_]+)"/

/**
 * The part of an event that a fold needs. Reads only the first members of its data, to save time.
 */
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
