import type { Instant } from '@settlewire/core/instant'
import { type Status, statusTable } from '@settlewire/core/status-model'
import { aboutSeconds, flagWords, statusWords, type Tone } from '@settlewire/core/words'
import { missingAmount, seenAmount } from './money.ts'
import type { Shown } from './payment.ts'
import { type Sight, type SightNote, sightNotes } from './sight.ts'
import { dateAndTime } from './time.ts'
import type { words } from './words.ts'

export const stepNames = ['waiting', 'detected', 'confirming', 'paid'] as const
export type StepName = (typeof stepNames)[number]
export type StepState = keyof typeof words.stepStates

/** What fills the large part of the page. */
export type Panel = 'pay' | 'progress' | 'paid' | 'notice'

interface Row {
  readonly panel: Panel
  /** The step it stands at; where the status does not say, what was seen does. */
  readonly at: StepName | 'as_seen'
  /** Whether it goes on from there by itself. */
  readonly goes: boolean
}

/** How each status looks. */
const rows: Readonly<Record<Status, Row>> = {
  awaiting: { panel: 'pay', at: 'waiting', goes: true },
  pending_detected: { panel: 'progress', at: 'detected', goes: true },
  pending_expired: { panel: 'pay', at: 'detected', goes: false },
  confirming: { panel: 'progress', at: 'confirming', goes: true },
  succeeded: { panel: 'paid', at: 'paid', goes: true },
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
  /** Said beside the status, each a sentence. */
  readonly notes: readonly string[]
  readonly steps: readonly { readonly name: StepName; readonly state: StepState }[]
  /** What is to be sent now: the whole, or what is missing of it. */
  readonly toSend: string
  readonly isPart: boolean
  readonly seen: string
  readonly countsDown: boolean
  readonly isTimeUp: boolean
  /** Of the chains that are not fully seen, as long as anything depends on them. */
  readonly sightNotes: readonly SightNote[]
  readonly isBlind: boolean
  /** Whether the payer may name the transaction. */
  readonly canClaim: boolean
}

/** From where the payment is looked at. */
export interface View {
  /** The server's time. */
  readonly now: Instant
  /** How well each accepted chain is seen. */
  readonly sights: readonly Sight[]
  readonly isConnected: boolean
  /** What the server expects it to take, from measured block times; null where it does not say. */
  readonly etaSeconds: number | null
}

/** What the page shows of a payment at a moment of the server's time. Pure: the same in, the same out. */
export function screenOf(
  { payment, progress }: Shown,
  { now, sights, isConnected, etaSeconds }: View,
): Screen {
  const { status, flags } = payment
  const missing = missingAmount(payment)
  const seen = seenAmount(payment)
  const blocksLeft =
    progress.required === null ? null : Math.max(0, progress.required - progress.confirmations)
  const watchedUntil = Date.parse(payment.monitorUntil)
  // Once the payment is closed nothing depends on what is seen.
  const notes = statusTable[status].life === 'closed' ? [] : sightNotes(sights, now)
  const isBlind = notes.some((note) => note.isBlind)
  const isTimeUp = statusTable[status].countsDown && now >= Date.parse(payment.expiresAt)
  const told = {
    status,
    reason: payment.reason,
    flags,
    currency: payment.currency,
    amount: payment.amount,
    received: payment.amountReceived,
    seen,
    missing,
    confirmations: progress.confirmations,
    requiredConfirmations: progress.required,
    aboutSeconds: etaSeconds ?? aboutSeconds(progress.chain, blocksLeft),
    watchedUntil: now < watchedUntil ? dateAndTime(watchedUntil) : null,
    isLive: isConnected && notes.length === 0,
    isTimeUp,
  }
  const panel = isTimeUp ? 'notice' : rows[status].panel
  const isPart = flags.includes('underpaid') && panel === 'pay'
  return {
    panel,
    tone: statusWords[status].tone,
    label: statusWords[status].label,
    title: statusWords[status].title(told),
    text: statusWords[status].text(told),
    notes: flags.flatMap((flag) => flagWords[flag] ?? []),
    steps: stepsOf(payment),
    toSend: isPart ? missing : payment.amount,
    isPart,
    seen,
    countsDown: statusTable[status].countsDown && !isTimeUp,
    isTimeUp,
    sightNotes: notes,
    isBlind,
    canClaim: claimable.has(status),
  }
}

function stepsOf(payment: Shown['payment']): Screen['steps'] {
  const { at, goes } = rows[payment.status]
  const reached = stepNames.indexOf(at === 'as_seen' ? stepSeen(payment) : at)
  return stepNames.map((name, i) => {
    if (i < reached || (name === 'paid' && payment.status === 'succeeded'))
      return { name, state: 'done' }
    if (i > reached) return { name, state: 'todo' }
    return { name, state: goes ? 'current' : 'halted' }
  })
}

function stepSeen({ detectedAt, amountReceived }: Shown['payment']): StepName {
  if (detectedAt === null) return 'waiting'
  return /[1-9]/.test(amountReceived) ? 'confirming' : 'detected'
}

/** Where a payer may have paid and see nothing of it. */
const claimable: ReadonlySet<Status> = new Set(['awaiting', 'pending_expired', 'expired'])

/**
 * What is read aloud, whenever `key` changes: with the status, a flag, a quarter of the way to
 * certainty. Never because a second has passed or one block of many has come.
 */
export function spokenOf(
  { payment, progress }: Shown,
  screen: Screen,
): { readonly key: string; readonly text: string } {
  const { status, reason, flags } = payment
  const { confirmations, required } = progress
  const quarter = required === null ? 0 : Math.floor((4 * confirmations) / required)
  const sights = screen.sightNotes.map((note) => note.text)
  const key = [status, reason, ...flags, quarter, screen.seen, ...sights].join()
  return { key, text: [screen.title, screen.text, ...screen.notes, ...sights].join(' ') }
}
