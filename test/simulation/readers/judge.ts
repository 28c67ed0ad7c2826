import type { Channel } from './channel.ts'
import type { Device } from './device.ts'
import { mustSay, type Said, type Statement, statementKinds } from './said.ts'
import type { SightTruth } from './sight-truth.ts'
import { noCount, type Tally } from './tally.ts'
import { deliveredMs, disturbedAskedMs, disturbedMs, type Stand, type Truth } from './truth.ts'

/** Within this time a screen must show that a chain has become blind, or is seen again. */
export const blindMs = 5_000

/**
 * Within this time a page must show the current list of transfers. It asks for the list after an
 * event, at most once a second, and events do not contain it.
 */
const listedMs = 5_000

/** A client that shows a payment. */
export interface Reader {
  readonly name: string
  readonly paymentId: string
  readonly device: Device
  /** The connection on which events arrive. */
  readonly channel: Channel | null
  /** The connection of its last request, whose answer also tells how well chains are seen. */
  readonly asked: Channel | null
  /** Null while it shows nothing. */
  said(): Said | null
  /** Why it must not have ended in this state; null if it still runs or ended correctly. */
  badEnd(): string | null
}

export interface JudgeParts {
  readonly truth: Truth
  readonly sight: SightTruth
  readonly now: () => number
  readonly note: (what: string) => void
}

/** Repeatedly compares what readers show with the truth, and counts how long they were wrong. */
export class Judge {
  readonly tally: Tally = {}
  readonly #parts: JudgeParts
  readonly #lookedAt = new Map<Reader, number>()
  /** By reader and chain: what it shows of the chain, and since when. */
  readonly #saidOf = new Map<string, { readonly isBlind: boolean; readonly since: number }>()

  constructor(parts: JudgeParts) {
    this.#parts = parts
  }

  look(reader: Reader): void {
    const now = this.#parts.now()
    const before = this.#lookedAt.get(reader) ?? now
    this.#lookedAt.set(reader, now)
    const { isAsleep, isGone } = reader.device
    const said = isAsleep || isGone ? null : reader.said()
    const sinceMs = now - Math.max(before, reader.device.awakeSince)
    const badEnd = reader.badEnd()
    if (badEnd !== null) this.#parts.note(`${reader.name} of ${reader.paymentId} ${badEnd}`)
    if (said?.isCurrent !== true) return
    for (const kind of statementKinds) this.#statement(reader, { said, kind, sinceMs })
    for (const [chain, isBlind] of said.blind ?? []) {
      this.#blindness(reader, { said, chain, isBlind, sinceMs })
    }
  }

  forget(reader: Reader): void {
    this.#lookedAt.delete(reader)
  }

  #statement(
    reader: Reader,
    { said, kind, sinceMs }: { said: Said; kind: Statement; sinceMs: number },
  ): void {
    const value = said.statements[kind]
    if (value === null) return
    const stands = this.#parts.truth.standsOf(reader.paymentId)
    const last = stands.at(-1)
    if (last === undefined) return
    const now = this.#parts.now()
    const isTrue = mustSay[kind](last.payment) === value
    let isAllowed = isTrue
    for (let at = stands.length - 1; at >= 0 && !isAllowed; at--) {
      const stand = stands[at]
      const next = stands[at + 1]
      if (
        stand === undefined ||
        (next !== undefined && this.#dueAt(reader, kind, { next, said }) <= now)
      )
        break
      isAllowed = mustSay[kind](stand.payment) === value
    }
    const behindSince = isTrue ? null : last.at
    this.#count(reader, { kind, sinceMs, behindSince, isAllowed })
    if (!isAllowed) {
      const must = mustSay[kind](last.payment)
      this.#note(reader, said, `${kind} “${value}”, it has been “${must}” for ${now - last.at} ms`)
    }
  }

  #blindness(
    reader: Reader,
    about: { said: Said; chain: string; isBlind: boolean; sinceMs: number },
  ): void {
    const { said, chain, isBlind, sinceMs } = about
    const now = this.#parts.now()
    const since = this.#parts.sight.wrongSince(chain, isBlind)
    const from = Math.max(since ?? 0, reader.device.awakeSince, this.#since(reader, chain, isBlind))
    const lateMs = since === null ? 0 : now - from
    const isAllowed = lateMs <= this.#allowedMs(reader, { from, said, fairMs: blindMs })
    const kind = isBlind ? 'blind' : 'not blind'
    this.#count(reader, { kind, sinceMs, behindSince: since === null ? null : from, isAllowed })
    if (!isAllowed)
      this.#note(reader, said, `${chain} as ${kind}, which has been wrong for ${lateMs} ms`)
  }

  /** Since when the reader shows this: a process that just started reports only what it knows. */
  #since({ name, device, paymentId }: Reader, chain: string, isBlind: boolean): number {
    const key = `${name} ${device.number} ${paymentId} ${chain}`
    const said = this.#saidOf.get(key)
    if (said?.isBlind === isBlind) return said.since
    const since = this.#parts.now()
    this.#saidOf.set(key, { isBlind, since })
    return since
  }

  #dueAt(reader: Reader, kind: Statement, { next, said }: { next: Stand; said: Said }): number {
    const from = Math.max(next.at, reader.device.awakeSince)
    const isListed = kind === 'transfers'
    const fairMs = isListed ? listedMs : deliveredMs
    return from + this.#allowedMs(reader, { from, said, fairMs, isListed })
  }

  /** How late an event of this time may reach this reader. */
  #allowedMs(
    { channel, asked }: Reader,
    about: { from: number; said: Said; fairMs: number; isListed?: boolean },
  ): number {
    const { from, said, fairMs, isListed = false } = about
    const to = from + fairMs
    const ways = said.isAsking || isListed ? [channel, asked] : [channel]
    const isMute = ways.some((way) => way !== null && way.muteAt <= to)
    const isDisturbed = isMute || this.#parts.truth.isDisturbed(from, to)
    if (isDisturbed) return said.isAsking ? disturbedAskedMs : disturbedMs
    // Up to four seconds pass between two polls.
    return said.isAsking ? Math.max(fairMs, deliveredMs + 4_000) : fairMs
  }

  #count(
    reader: Reader,
    about: { kind: string; sinceMs: number; behindSince: number | null; isAllowed: boolean },
  ): void {
    const { kind, sinceMs, behindSince, isAllowed } = about
    const name = `${reader.name.split(' ')[0]}: ${kind}`
    const count = this.tally[name] ?? noCount()
    this.tally[name] = count
    count.shownMs += sinceMs
    if (behindSince === null) return
    const behindMs = this.#parts.now() - Math.max(behindSince, reader.device.awakeSince)
    count.lateMs += Math.min(sinceMs, behindMs)
    count.longestMs = Math.max(count.longestMs, behindMs)
    if (!isAllowed) count.untrueMs += Math.min(sinceMs, behindMs)
  }

  #note(reader: Reader, said: Said, what: string): void {
    const { channel, paymentId, name } = reader
    const mute = channel?.isMute === true ? ', mute' : ''
    this.#parts.note(`${name} of ${paymentId} (${said.how}${mute}) shows ${what}`)
  }
}
