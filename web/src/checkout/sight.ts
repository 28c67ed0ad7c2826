import type { ChainSight } from '@settlewire/client/wire-event'
import type { Instant } from '@settlewire/core/instant'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { words } from './words.ts'

/** How well one chain is seen, and since when what is seen of it is known. */
export interface Sight {
  /** Null: one of those that the payment accepts, and the server did not say which. */
  readonly chain: string | null
  readonly visibility: ChainSight['visibility']
  /** Up to when what is on it is known, by the server's time; null when nothing is. */
  readonly blockAt: Instant | null
}

/** Takes what was said just now. `serverNow` is the server's time. */
export const sightsFrom = (chains: readonly ChainSight[], serverNow: Instant): readonly Sight[] =>
  chains.map(({ chain, visibility, lagMs }) => ({
    ...{ chain, visibility },
    blockAt: lagMs === null ? null : serverNow - lagMs,
  }))

/** What the resource says where no heartbeat comes: how well the worst of its chains is seen. */
function sightsOf({ accept, visibility }: PaymentIntent): readonly Sight[] {
  const [chain, ...others] = new Set(accept.map((one) => one.chain))
  return [{ visibility, chain: others.length === 0 ? (chain ?? null) : null, blockAt: null }]
}

/** What is known of the chains, where only the resource says anew how well they are seen. */
export function movedBy(known: readonly Sight[], payment: PaymentIntent): readonly Sight[] {
  const worst = (['blind', 'degraded'] as const).find((word) =>
    known.some(({ visibility }) => visibility === word),
  )
  // What was said of each chain says more.
  return known.length > 0 && (worst ?? 'ok') === payment.visibility ? known : sightsOf(payment)
}

/** What is said of a chain that is not fully seen. */
export interface SightNote {
  readonly isBlind: boolean
  readonly text: string
  /** How old what we see is. It changes each second, so it is shown and never read aloud. */
  readonly age: string | null
}

interface SightView {
  readonly now: Instant
  readonly nameOf: (chain: string) => string
  /** It succeeded: only whether it is final still depends on what is seen. */
  readonly isPaid: boolean
}

/** A note for each chain that is not fully seen, the blind ones first. */
export function sightNotes(
  sights: readonly Sight[],
  { now, nameOf, isPaid }: SightView,
): readonly SightNote[] {
  const notes = sights.flatMap(({ chain, visibility, blockAt }): SightNote[] => {
    const isBlind = visibility === 'blind'
    if (visibility === 'ok' || (isPaid && !isBlind)) return []
    const say = isPaid ? words.blindAfterPaid : words[visibility]
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
