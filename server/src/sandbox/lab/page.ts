import { type Html, html, kept, sentence } from '../../html.ts'
import { page } from '../shop/pages.ts'
import { chainGroup, type LabGroup, type LabLever, offers, paymentGroups } from './levers.ts'
import { type LabState, partsOf } from './parts.ts'

/** The result of a lever, in words. */
export interface LeverOutcome {
  readonly ok: boolean
  readonly words: string
}

/** The lab: payments to the left, one of them live, and the levers. */
export function labPage(state: LabState, outcome: LeverOutcome | null): Html {
  const parts = partsOf(state)
  const { chosen } = state
  return page({
    ...{ title: 'The lab · Tidewater', here: 'lab' },
    head: html`<script type="module" src="/lab/lab.js"></script>`,
    body: html`<main class="lab" data-payment="${chosen?.id ?? ''}" data-secret="${chosen?.clientSecret ?? ''}">
      <header class="lab-lead">
        <h1>The lab</h1>
        <p>Everything that can happen to a payment, made to happen on the real local chain.</p>
      </header>
      <section class="lab-card lab-list" aria-labelledby="lab-list-title">
        <h2 id="lab-list-title">Payments</h2>
        <form class="lab-offers" method="post" action="/lab/orders" aria-label="New payment">
          ${offers.map(
            ({ amount, currency }) =>
              html`<button class="lab-lever" type="submit" name="offer" value="${amount} ${currency}"><span
                aria-hidden="true">+</span> <span class="aloud">New payment of </span>${kept(`${amount.replace(/\.0+$/, '')} ${currency}`)}</button>`,
          )}
        </form>
        <div data-part="orders">${parts.orders}</div>
      </section>
      <section class="lab-card lab-live" aria-labelledby="lab-live-title">
        <div class="lab-live-head">
          <h2 id="lab-live-title">${chosen === null ? 'Live' : kept(chosen.reference ?? chosen.id)}</h2>
          ${
            chosen === null
              ? html``
              : html`<span class="lab-line" data-line="off">Reload to see changes</span>
                <a class="lab-link" href="${chosen.checkoutUrl ?? '/shop'}">Checkout</a>`
          }
        </div>
        <div data-part="payment" aria-live="off">${parts.payment}</div>
      </section>
      <section class="lab-levers" aria-labelledby="lab-levers-title">
        <h2 class="aloud" id="lab-levers-title">Levers</h2>
        <p class="lab-outcome ${outcome === null || outcome.ok ? '' : 'lab-outcome-bad'}" role="status" data-outcome>${sentence(outcome?.words ?? '')}</p>
        ${paymentForm(state)}
        ${chainForm(state, parts.chain)}
      </section>
    </main>`,
  })
}

const paymentForm = ({ chosen }: LabState): Html =>
  html`<form class="lab-card lab-form" method="post" action="/lab/pull" data-pull aria-label="The payment">
    <input type="hidden" name="payment" value="${chosen?.id ?? ''}" />
    ${paymentGroups.map((group) => groupOf(group, chosen !== null))}
  </form>`

const chainForm = ({ chosen }: LabState, part: Html): Html =>
  html`<form class="lab-card lab-form" method="post" action="/lab/pull" data-pull aria-label="The chain">
    <input type="hidden" name="payment" value="${chosen?.id ?? ''}" />
    ${groupOf(chainGroup, true)}
    <label class="lab-check"><input type="checkbox" name="keep" value="yes" />
      <span>The reorg mines the same transactions again</span></label>
    <div data-part="chain">${part}</div>
  </form>`

const groupOf = ({ title, levers }: LabGroup, works: boolean): Html =>
  html`<fieldset class="lab-group">
    <legend class="lab-small">${title}</legend>
    <div class="lab-buttons">${levers.map((lever) => button(lever, works))}</div>
  </fieldset>`

/** The most used lever, which is highlighted. */
const first = 'pay:all'

const button = ({ name, label, says }: LabLever, works: boolean): Html =>
  html`<button class="lab-lever ${name === first ? 'lab-first' : ''}" type="submit" name="lever" value="${name}" title="${says}" ${
    works ? html`` : html`disabled`
  }>${label}</button>`
