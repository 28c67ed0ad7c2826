import { assert } from '../assert.ts'
import { type Instant, toRfc3339 } from '../instant.ts'
import type { Subject } from './subject.ts'

/** What a seal needs from outside: nothing here can hash. */
export interface Digest {
  /** SHA-256 of the UTF-8 bytes, as 64 hex digits. */
  sha256(text: string): string
  /** How many UTF-8 bytes a text has. */
  bytes(text: string): number
}

/** An event with all that its seal covers, both texts exactly as they are stored. */
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

/** What the first event of every subject is chained to. */
export const noSeal = '0'.repeat(64)

/** Names the form, so that another form can never be mistaken for it. */
const form = 'settlewire-event-1'

/** Printable and without blanks: no member of the header can be read as two, or two as one. */
const word = /^[!-~]+$/

/**
 * What is hashed: the previous seal, a header, and the two texts, each on a line. The header says how
 * long each text is, so that nothing can be shifted from one into the other.
 */
export function sealText(event: Sealable, previous: string, { bytes }: Pick<Digest, 'bytes'>) {
  const { subject, sequence, id, merchantId, livemode, type, at, dataJson, evidenceJson } = event
  const names = [subject.kind, subject.id, id, merchantId, type]
  assert(
    names.every((name) => word.test(name)),
    'what is sealed by name has no blanks',
  )
  const mode = livemode ? 'live' : 'test'
  const header =
    `${form} ${subject.kind} ${subject.id} ${sequence} ${id} ${merchantId} ${mode} ${type} ` +
    `${toRfc3339(at)} ${bytes(dataJson)} ${bytes(evidenceJson)}`
  return `${previous}\n${header}\n${dataJson}\n${evidenceJson}\n`
}

/**
 * The seal of a feed after one more event, whose seal is `eventSeal`: it changes when any two events of
 * the feed change places. Before its first event a feed has `noSeal`.
 */
export const feedSeal = (previous: string, eventSeal: string, { sha256 }: Digest): string =>
  sha256(`${previous}\n${eventSeal}\n`)

/** The seal of an event: 64 hex digits that change when the event, or any before it, does. */
export const seal = (event: Sealable, previous: string, digest: Digest): string =>
  digest.sha256(sealText(event, previous, digest))
