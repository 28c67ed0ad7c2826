import type { ChainSight } from '@settlewire/client/wire-event'
import type { Instant } from '@settlewire/core/instant'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { words } from './words.ts'

/** How well one chain is seen, and the time of the last block that was read. */
export interface ShownSight {
  /** Null: one of the accepted chains, but the report does not name it. */
  readonly chain: string | null
  readonly visibility: ChainSight['visibility']
  /**
   * The time of the last block read, by the server's clock; null if none was read, or if the report
   * lacks it.
   */
  readonly blockAt: Instant | null
}

/** Converts a report that has just arrived. `serverNow` is the server's time. */
export const sightsFrom = (
  chains: readonly ChainSight[],
  serverNow: Instant,
): readonly ShownSight[] =>
  chains.map(({ chain, visibility, lagMs }) => ({
    ...{ chain, visibility },
    blockAt: lagMs === null ? null : serverNow - lagMs,
  }))

/** Without heartbeats, the resource reports only the worst visibility of its chains. */
function sightsOf({ accept, visibility }: PaymentIntent): readonly ShownSight[] {
  const [chain, ...others] = new Set(accept.map((one) => one.chain))
  return [{ visibility, chain: others.length === 0 ? (chain ?? null) : null, blockAt: null }]
}

/** The sights after a resource was read, where only the resource reports visibility. */
export function sightsAfter(
  known: readonly ShownSight[],
  payment: PaymentIntent,
): readonly ShownSight[] {
  const worst = (['blind', 'degraded'] as const).find((level) =>
    known.some(({ visibility }) => visibility === level),
  )
  // Keep the more detailed report per chain while it agrees with the resource.
  return known.length > 0 && (worst ?? 'ok') === payment.visibility ? known : sightsOf(payment)
}

/** A note on a chain that is not fully seen. */
export interface SightNote {
  readonly isBlind: boolean
  readonly text: string
  /**
   * The age of the view of a blind chain, if it is known. It changes each second, so it is shown
   * but never read aloud.
   */
  readonly age: string | null
}

interface SightView {
  readonly now: Instant
  readonly nameOf: (chain: string) => string
  /** The payer's transaction was seen. */
  readonly isSeen: boolean
  /** The payment succeeded: only its finality still depends on the chain. */
  readonly isPaid: boolean
}

/** A note for each chain that is not fully seen, the blind ones first. */
export function sightNotes(
  sights: readonly ShownSight[],
  { now, nameOf, isSeen, isPaid }: SightView,
): readonly SightNote[] {
  const notes = sights.flatMap(({ chain, visibility, blockAt }): SightNote[] => {
    const isBlind = visibility === 'blind'
    if (visibility === 'ok' || (isPaid && !isBlind)) return []
    // A payment that was seen does not have to be found.
    const say = isBlind && isSeen ? words.blindAfterSeen : words[visibility]
    const age = isBlind && blockAt !== null ? words.lastBlock(agoOf(now - blockAt)) : null
    return [{ isBlind, text: say(chain === null ? words.aNetwork : nameOf(chain)), age }]
  })
  return notes.sort((a, b) => Number(b.isBlind) - Number(a.isBlind))
}

/** `40 s`, `5 min`, `3 h`. */
function agoOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 120) return `${seconds} s`
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`
}
