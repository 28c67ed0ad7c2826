import { assert } from '../assert.ts'
import { type Instant, toRfc3339 } from '../instant.ts'
import type { Subject } from './subject.ts'

/** The functions that a seal needs from outside: core cannot hash. */
export interface Digest {
  /** SHA-256 of the UTF-8 bytes, as 64 hex digits. */
  sha256(text: string): string
  /** The length of a text in UTF-8 bytes. */
  byteLength(text: string): number
}

/** An event with everything that its seal covers, both texts exactly as they are stored. */
export interface Sealable {
  readonly subject: Subject
  readonly merchantId: string
  readonly livemode: boolean
  readonly sequence: number
  readonly id: string
  readonly type: string
  readonly at: Instant
  readonly dataJson: string
  readonly evidenceJson: string
}

/** The previous seal of the first event of every subject and of every feed. */
export const noSeal = '0'.repeat(64)

/** Names the format, so that a seal of another format can never be mistaken for this one. */
const form = 'settlewire-event-1'

/**
 * Printable and without blanks, so that no member of the header can be read as two, or two as one.
 */
const printable = /^[!-~]+$/

/**
 * The text that is hashed: the previous seal, a header, and the two texts, each on a line. The
 * header states the length of each text, so that nothing can be moved from one to the other.
 */
export function sealText(
  event: Sealable,
  previous: string,
  { byteLength }: Pick<Digest, 'byteLength'>,
) {
  const { subject, sequence, id, merchantId, livemode, type, at, dataJson, evidenceJson } = event
  const names = [subject.kind, subject.id, id, merchantId, type]
  assert(
    names.every((name) => printable.test(name)),
    'names in a seal have no blanks',
  )
  const mode = livemode ? 'live' : 'test'
  const header =
    `${form} ${subject.kind} ${subject.id} ${sequence} ${id} ${merchantId} ${mode} ${type} ` +
    `${toRfc3339(at)} ${byteLength(dataJson)} ${byteLength(evidenceJson)}`
  return `${previous}\n${header}\n${dataJson}\n${evidenceJson}\n`
}

/**
 * The seal of a feed after one more event, whose seal is `eventSeal`: it changes when any two
 * events of the feed are swapped. Before its first event a feed has `noSeal`.
 */
export const feedSeal = (previous: string, eventSeal: string, { sha256 }: Digest): string =>
  sha256(`${previous}\n${eventSeal}\n`)

/** The seal of an event: 64 hex digits that change when the event, or any before it, changes. */
export const seal = (event: Sealable, previous: string, digest: Digest): string =>
  digest.sha256(sealText(event, previous, digest))
