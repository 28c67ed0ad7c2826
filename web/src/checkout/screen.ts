import type { Instant } from '@settlewire/core/instant'
import { type Flag, type Status, statusTable } from '@settlewire/core/payment/status-model'
import { flagWords } from '@settlewire/core/words/flag-words'
import { statusWords, type Tone } from '@settlewire/core/words/words'
import type { Explained } from './live.ts'
import { missingAmount, seenAmount } from './money.ts'
import { nameOf, type Shown } from './payment.ts'
import { type Sight, type SightNote, sightNotes } from './sight.ts'
import { dateAndTime } from './time.ts'
import { uncountedOf } from './uncounted-of.ts'
import type { words } from './words.ts'

export const stepNames = ['waiting', 'detected', 'confirming', 'paid', 'final'] as const
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
  /** Whether news shows at once: the page is connected, and every chain is seen. */
  readonly isLive: boolean
  /** Whether what the server said of the wait still holds. */
  readonly isExplained: boolean
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
  /** What the server said of the wait, and how long ago; null where it has not said it. */
  readonly explained: Pick<Explained, 'answer'> | null
  readonly explainedMsAgo: number
}

/** What the page shows of a payment at a moment of the server's time. Pure: the same in, the same out. */
export function screenOf(shown: Shown, view: View): Screen {
  const { payment, progress } = shown
  const { now, sights, isConnected } = view
  const { status, flags } = payment
  const missing = missingAmount(payment)
  const seen = seenAmount(payment)
  const watchedUntil = Date.parse(payment.monitorUntil)
  // Once the payment is closed nothing depends on what is seen.
  const nameOfChain = (chain: string): string => nameOf(shown, chain)
  const isPaid = status === 'succeeded'
  const notes = isSettled(payment) ? [] : sightNotes(sights, { now, nameOf: nameOfChain, isPaid })
  const isBlind = notes.some((note) => note.isBlind)
  const isTimeUp = statusTable[status].countsDown && now >= Date.parse(payment.expiresAt)
  const isLive = isConnected && notes.length === 0
  const aboutSeconds = isLive ? aboutSecondsOf(view) : null
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
    aboutSeconds,
    watchedUntil: now < watchedUntil ? dateAndTime(watchedUntil) : null,
    isLive,
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
    notes: notesOf(shown),
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

/** Nothing that is seen later changes it. */
const isSettled = ({ status, finality }: Shown['payment']): boolean =>
  statusTable[status].life === 'closed' && (status !== 'succeeded' || finality === 'final')

/** An estimate holds for as long as it says; then something is late, and the page names no time. */
const isExplained = ({ explained, explainedMsAgo }: View): boolean =>
  explained !== null && explainedMsAgo <= (explained.answer.aboutMs ?? Number.POSITIVE_INFINITY)

function aboutSecondsOf(view: View): number | null {
  const aboutMs = view.explained?.answer.aboutMs ?? 0
  // None left: it waits for something else, and nobody can say how long.
  return aboutMs > 0 && isExplained(view) ? Math.ceil(aboutMs / 1_000) : null
}

/** Without what another flag, or the list of what does not count, says better. */
function notesOf(shown: Shown): readonly string[] {
  const { flags } = shown.payment
  const listed: readonly string[] = uncountedOf(shown).map(({ ignored }) => ignored ?? '')
  const isTold = (flag: Flag): boolean =>
    listed.includes(flag) || (flag === 'overpaid' && flags.includes('duplicate_payment'))
  return flags.flatMap((flag) => (isTold(flag) ? [] : (flagWords[flag] ?? [])))
}

function stepsOf(payment: Shown['payment']): Screen['steps'] {
  const { at, goes } = rows[payment.status]
  const reached = stepNames.indexOf(at === 'as_seen' ? stepSeen(payment) : at)
  return stepNames.map((name, i) => {
    if (i < reached) return { name, state: 'done' }
    if (i > reached) return { name, state: 'todo' }
    // A success is complete: that it becomes final takes no more of anyone.
    if (name === 'final') return { name, state: payment.finality === 'final' ? 'done' : 'todo' }
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
