import type { Instant } from '@settlewire/core/instant'
import { type Status, statusTable } from '@settlewire/core/payment/status-model'
import { flagNotesOf } from '@settlewire/core/words/flag-words'
import { uncountedOf } from '@settlewire/core/words/uncounted'
import { statusWords, type Tone } from '@settlewire/core/words/words'
import type { Explained } from './live.ts'
import { grouped, missingAmount, seenAmount } from './money.ts'
import { chainNameOf, type ShownPayment } from './payment.ts'
import { type ShownSight, type SightNote, sightNotes } from './sight.ts'
import { dateAndTime } from './time.ts'
import type { words } from './words.ts'

export const stepNames = ['waiting', 'detected', 'confirming', 'paid', 'final'] as const
export type StepName = (typeof stepNames)[number]
export type StepState = keyof typeof words.stepStates

/** The content of the large part of the page. */
export type Panel = 'pay' | 'progress' | 'paid' | 'notice'

interface ScreenRow {
  readonly panel: Panel
  /** The current step; `as_seen`: it follows from the money that was seen. */
  readonly at: StepName | 'as_seen'
  /** Whether the payment continues from there by itself. */
  readonly goes: boolean
}

/** The appearance of each status. */
const rows: Readonly<Record<Status, ScreenRow>> = {
  awaiting: { panel: 'pay', at: 'waiting', goes: true },
  pending_detected: { panel: 'progress', at: 'detected', goes: true },
  pending_expired: { panel: 'pay', at: 'detected', goes: false },
  confirming: { panel: 'progress', at: 'confirming', goes: true },
  succeeded: { panel: 'paid', at: 'final', goes: true },
  expired: { panel: 'notice', at: 'as_seen', goes: false },
  cancelled: { panel: 'notice', at: 'as_seen', goes: false },
  failed: { panel: 'notice', at: 'as_seen', goes: false },
  investigation_required: { panel: 'notice', at: 'as_seen', goes: false },
}

export interface Screen {
  readonly panel: Panel
  readonly tone: Tone
  readonly label: string
  readonly title: string
  readonly text: string
  /** Sentences beside the status. */
  readonly notes: readonly string[]
  readonly steps: readonly { readonly name: StepName; readonly state: StepState }[]
  /** The amount to send now: the whole amount, or the missing part. */
  readonly toSend: string
  readonly isPart: boolean
  readonly seen: string
  readonly countsDown: boolean
  readonly isTimeUp: boolean
  /** Notes on chains that are not fully seen, while the payment depends on them. */
  readonly sightNotes: readonly SightNote[]
  readonly isBlind: boolean
  /** Whether updates show at once: the page is connected, and every chain is seen. */
  readonly isLive: boolean
  /** Whether the server's explanation of the wait still holds. */
  readonly isExplained: boolean
  /** Whether the payer may claim a transaction. */
  readonly canClaim: boolean
}

/** The circumstances in which a payment is shown. */
export interface View {
  /** The server's time. */
  readonly now: Instant
  /** How well each accepted chain is seen. */
  readonly sights: readonly ShownSight[]
  readonly isConnected: boolean
  /** The server's explanation of the wait, and its age; null until the server has sent it. */
  readonly explained: Pick<Explained, 'answer'> | null
  readonly explainedMsAgo: number
}

/** What the page shows of a payment at one moment of the server's time. Pure. */
export function screenOf(shown: ShownPayment, view: View): Screen {
  const { payment, progress } = shown
  const { now, sights, isConnected } = view
  const { status, flags } = payment
  const missing = missingAmount(payment)
  const seen = seenAmount(payment)
  const watchedUntil = Date.parse(payment.monitorUntil)
  // A settled payment no longer depends on the chains.
  const nameOf = (chain: string): string => chainNameOf(shown, chain)
  const isPaid = status === 'succeeded'
  const isSeen = isPaid || rows[status].panel === 'progress'
  const notes = isSettled(payment) ? [] : sightNotes(sights, { now, nameOf, isSeen, isPaid })
  const isBlind = notes.some((note) => note.isBlind)
  const isTimeUp = statusTable[status].countsDown && now >= Date.parse(payment.expiresAt)
  const isLive = isConnected && notes.length === 0
  // While providers disagree, the time until they agree is unknown.
  const aboutSeconds = isLive && !flags.includes('sources_disagree') ? aboutSecondsOf(view) : null
  const values = {
    status,
    reason: payment.reason,
    flags,
    currency: payment.currency,
    amount: grouped(payment.amount),
    received: grouped(payment.amountReceived),
    seen: grouped(seen),
    missing: grouped(missing),
    confirmations: progress.confirmations,
    requiredConfirmations: progress.required,
    aboutSeconds,
    watchedUntil: now < watchedUntil ? dateAndTime(watchedUntil) : null,
    isLive,
    isTimeUp,
  }
  const panel = isTimeUp ? 'notice' : rows[status].panel
  const isPart = flags.includes('underpaid') && panel === 'pay'
  const text = statusWords[status].text(values)
  return {
    panel,
    tone: statusWords[status].tone,
    label: statusWords[status].label,
    title: statusWords[status].title(values),
    text,
    notes: flagNotesOf(payment, text, uncountedOf(payment)),
    steps: stepsOf(payment),
    toSend: isPart ? missing : payment.amount,
    isPart,
    seen,
    countsDown: statusTable[status].countsDown && !isTimeUp,
    isTimeUp,
    sightNotes: notes,
    isBlind,
    isLive,
    isExplained: isLive && isExplained(view),
    canClaim: claimable.has(status),
  }
}

/** Whether nothing on the chains can change it any more. */
const isSettled = ({ status, finality }: ShownPayment['payment']): boolean =>
  statusTable[status].life === 'closed' && (status !== 'succeeded' || finality === 'final')

/**
 * An estimate holds until the estimated time has passed; after that the transfer is late, and
 * neither the time nor the explanation is shown. An explanation without an estimate always holds.
 */
const isExplained = ({ explained, explainedMsAgo }: View): boolean =>
  explained !== null && explainedMsAgo <= (explained.answer.aboutMs ?? Number.POSITIVE_INFINITY)

function aboutSecondsOf(view: View): number | null {
  // Without an estimate, or once it has passed, no time is shown.
  const leftMs = (view.explained?.answer.aboutMs ?? 0) - view.explainedMsAgo
  return leftMs > 0 ? Math.ceil(leftMs / 1_000) : null
}

function stepsOf(payment: ShownPayment['payment']): Screen['steps'] {
  const { at, goes } = rows[payment.status]
  const reached = stepNames.indexOf(at === 'as_seen' ? stepSeen(payment) : at)
  return stepNames.map((name, i) => {
    if (i < reached) return { name, state: 'done' }
    if (i > reached) return { name, state: 'todo' }
    // A success is complete: becoming final needs no action, so the step is not shown as current.
    if (name === 'final') return { name, state: payment.finality === 'final' ? 'done' : 'todo' }
    return { name, state: goes ? 'current' : 'halted' }
  })
}

function stepSeen({ detectedAt, amountReceived }: ShownPayment['payment']): StepName {
  if (detectedAt === null) return 'waiting'
  return /[1-9]/.test(amountReceived) ? 'confirming' : 'detected'
}

/** Statuses in which a payer may have paid without seeing the payment. */
const claimable: ReadonlySet<Status> = new Set(['awaiting', 'pending_expired', 'expired'])

/**
 * The text that is read aloud whenever `key` changes: with the status, its reason, a flag, the
 * amount that was seen, a note on a chain, or a quarter of the confirmations. A passing second or a
 * single block of many must not change the key.
 */
export function spokenOf(
  { payment, progress }: ShownPayment,
  screen: Screen,
): { readonly key: string; readonly text: string } {
  const { status, reason, flags } = payment
  const { confirmations, required } = progress
  const quarter = required === null ? 0 : Math.floor((4 * confirmations) / required)
  const sights = screen.sightNotes.map((note) => note.text)
  const key = [status, reason, ...flags, quarter, screen.seen, ...sights].join()
  return { key, text: [screen.title, screen.text, ...screen.notes, ...sights].join(' ') }
}
