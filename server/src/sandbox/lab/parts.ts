import { printAmount } from '@settlewire/core/money/amount'
import type { EventData } from '@settlewire/core/payment/event'
import type { EventType, Status } from '@settlewire/core/payment/status-model'
import type { PaymentIntent, WireTransfer, WireType } from '@settlewire/core/wire/wire'
import { stageLabels } from '@settlewire/core/words/stage-words'
import { statusWords } from '@settlewire/core/words/words'
import { type Html, html, kept } from '../../html.ts'
import { providerModes } from './levers.ts'

/** An event as the API lists it. */
export interface LabEvent {
  readonly id: string
  readonly type: WireType
  readonly createdAt: string
  readonly data: EventData
}

/** A chain as `GET /v1/chains` shows it. */
export interface LabChain {
  readonly name: string
  readonly visibility: PaymentIntent['visibility']
  readonly head: number | null
}

/** A provider as `GET /v1/test/providers` shows it. */
export interface LabProvider {
  readonly name: string
  readonly mode: string
  readonly lagMs?: number
}

/** The content of the lab, as its server read it from the API. */
export interface LabState {
  readonly payments: readonly PaymentIntent[]
  readonly chosen: PaymentIntent | null
  readonly events: readonly LabEvent[]
  readonly chain: LabChain | null
  readonly providers: readonly LabProvider[]
}

type StatusLook = 'plain' | 'good' | 'look'

const looks: Readonly<Record<Status, StatusLook>> = {
  awaiting: 'plain',
  pending_detected: 'plain',
  pending_expired: 'look',
  confirming: 'plain',
  succeeded: 'good',
  expired: 'look',
  cancelled: 'look',
  failed: 'look',
  investigation_required: 'look',
}

const eventWords: Readonly<Record<EventType, string>> = {
  created: 'Created',
  pending: 'Payment detected',
  replaced: 'Transaction replaced',
  pending_expired: statusWords.pending_expired.label,
  confirming: 'Confirming',
  reorged: 'Taken back by a reorg',
  succeeded: 'Paid',
  finalized: 'Final',
  updated: 'Updated',
  expired: statusWords.expired.label,
  cancelled: 'Cancelled',
  failed: 'Failed',
  investigation_required: statusWords.investigation_required.label,
  resolved: 'Resolved',
}

const plain = (word: string): string => word.replaceAll('_', ' ')
const shortHash = (hash: string): string => `${hash.slice(0, 8)}…${hash.slice(-4)}`
const timeOf = (text: string): string => text.slice(11, 19)

/** The parts of the page that are refreshed, by the name of their element. */
export const partsOf = (
  state: LabState,
): Readonly<Record<'orders' | 'payment' | 'chain', Html>> => ({
  orders: ordersPart(state),
  payment: paymentPart(state),
  chain: chainPart(state),
})

function ordersPart({ payments, chosen }: LabState): Html {
  if (payments.length === 0) return html`<p class="lab-none">There are no payments yet.</p>`
  return html`<ul class="lab-orders">${payments.map(
    (payment) =>
      html`<li><a class="lab-order" data-key="${payment.id}" href="/lab?payment=${payment.id}" ${
        payment.id === chosen?.id ? html`aria-current="true"` : html``
      }>
        <span class="lab-order-amount" translate="no">${payment.amount} ${payment.currency}</span>
        ${pill(payment.status)}
        <span class="lab-order-name" translate="no">${payment.reference ?? payment.id}</span>
      </a></li>`,
  )}</ul>`
}

function pill(status: Status): Html {
  return html`<span class="lab-pill lab-${looks[status]}">${statusWords[status].label}</span>`
}

function paymentPart({ chosen, events }: LabState): Html {
  if (chosen === null) {
    return html`<p class="lab-none">Choose or create a payment to see it live.</p>`
  }
  const look = looks[chosen.status]
  const { flags, reason, finality, visibility } = chosen
  const chips = [
    ...(reason === null ? [] : [plain(reason)]),
    ...flags.map(plain),
    ...(finality === 'none' ? [] : [`finality: ${finality}`]),
    ...(visibility === 'ok' ? [] : [`chain ${visibility}`]),
  ]
  return html`<p class="lab-status lab-status-${look}">${statusWords[chosen.status].label}</p>
    <p class="lab-track lab-track-${look}" aria-hidden="true">${track(chosen.status)}</p>
    <p class="lab-sum"><strong>${kept(chosen.amountReceived)}</strong> of ${kept(`${chosen.amount} ${chosen.currency}`)}
      arrived${
        /[1-9]/.test(chosen.amountPending) ? html`, ${kept(chosen.amountPending)} pending` : html``
      }</p>
    ${chips.length > 0 ? html`<ul class="lab-chips" aria-label="Flags">${chips.map((chip) => html`<li>${chip}</li>`)}</ul>` : html``}
    ${
      chosen.transfers.length > 0
        ? html`<h3 class="lab-small">Transfers</h3>
          <ul class="lab-transfers">${chosen.transfers.map((one) => transferRow(one, chosen))}</ul>`
        : html``
    }
    <h3 class="lab-small">Events</h3>
    <ol class="lab-events">${events.map(eventRow)}</ol>`
}

const steps: readonly Status[] = ['awaiting', 'pending_detected', 'confirming', 'succeeded']

/** The progress of a payment along the usual statuses. */
const track = (status: Status): readonly Html[] =>
  steps.map((_, i) => (i <= steps.indexOf(status) ? html`<i class="lab-done"></i>` : html`<i></i>`))

function transferRow(transfer: WireTransfer, { currency }: PaymentIntent): Html {
  const { stage, confirmations, requiredConfirmations: required, ignored } = transfer
  const counts = required !== null && ['included', 'safe', 'final'].includes(stage)
  const said = counts ? `${Math.min(confirmations, required)} of ${required}` : ''
  return html`<li class="lab-transfer" data-stage="${stage}">
    <code>${transfer.txHash === null ? 'no single transaction' : kept(shortHash(transfer.txHash))}</code>
    <span class="lab-transfer-amount kept" translate="no">${moved(transfer, currency)}</span>
    <span class="lab-transfer-stage">${stageLabels[stage]}${
      ignored ? html`: ${plain(ignored)}` : html``
    }${said === '' ? html`` : html` · ${said}`}</span>
    ${counts ? html`<span class="lab-meter" aria-hidden="true">${dots(confirmations, required)}</span>` : html``}
  </li>`
}

/** The transferred amount in units of the token, also if it does not count for the payment. */
const moved = ({ amount, units, decimals, asset }: WireTransfer, currency: string): string =>
  asset === null || typeof decimals !== 'number' || units === undefined
    ? `${amount} ${currency}`
    : `${printAmount(BigInt(units), decimals)} ${asset}`

const dotsMax = 12
const dots = (done: number, all: number): readonly Html[] =>
  Array.from({ length: Math.min(all, dotsMax) }, (_, i) =>
    i < (done * Math.min(all, dotsMax)) / all ? html`<i class="lab-done"></i>` : html`<i></i>`,
  )

function eventRow({ type, createdAt, data }: LabEvent): Html {
  // All event types of the API begin with `payment_intent.`.
  const kind = type.slice('payment_intent.'.length) as EventType
  const { confirmations, requiredConfirmations, reason, txHash, status } = data
  const details: readonly (string | Html)[] = [
    ...(kind === 'confirming' && requiredConfirmations !== null
      ? [`${confirmations} of ${requiredConfirmations}`]
      : []),
    ...(reason === undefined ? [] : [plain(reason)]),
    ...(txHash === null ? [] : [kept(shortHash(txHash))]),
  ]
  return html`<li class="lab-event lab-event-${looks[status]}">
    <time translate="no" datetime="${createdAt}">${timeOf(createdAt)}</time>
    <span><strong>${eventWords[kind]}</strong>${details.map((one) => html` · ${one}`)}</span>
  </li>`
}

const sightWords: Readonly<Record<PaymentIntent['visibility'], readonly [string, StatusLook]>> = {
  ok: ['Visible', 'good'],
  degraded: ['Partly visible', 'look'],
  blind: ['Not visible', 'look'],
}

/** How well the chains on the page are seen: the worse of the payment's and the local chain's. */
export function sightIn({ chain, chosen }: LabState): PaymentIntent['visibility'] {
  const sights = [chain?.visibility ?? 'blind', chosen?.visibility ?? 'ok']
  return (['blind', 'degraded'] as const).find((one) => sights.includes(one)) ?? 'ok'
}

function chainPart({ chain, providers }: LabState): Html {
  const [word, look] = sightWords[chain?.visibility ?? 'blind']
  return html`<p class="lab-head"><span>Block <strong>${kept(chain?.head ?? '–')}</strong></span>
      <span class="lab-pill lab-${look}">${word}</span></p>
    <ul class="lab-providers">${providers.map(providerRow)}</ul>`
}

function providerRow({ name, mode, lagMs }: LabProvider): Html {
  return html`<li class="lab-provider" data-mode="${mode}">
    <span class="lab-provider-name"><span translate="no">${name}</span>${lagMs === undefined ? html`` : html` <small>${lagMs / 1_000} s later</small>`}</span>
    <span class="lab-modes" role="group" aria-label="${name}">${providerModes.map(
      ({ mode: one, label }) =>
        html`<button class="lab-mode" type="submit" name="lever" value="provider:${name}:${one}"
          data-key="${name}:${one}" aria-pressed="${String(one === mode)}">${label}</button>`,
    )}</span>
  </li>`
}
