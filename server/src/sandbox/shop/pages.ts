import type { Instant } from '@settlewire/core/instant'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { statusWords, type Tone } from '@settlewire/core/words/words'
import { code, type Html, html, kept, sentence } from '../../html.ts'
import { type OrderWords, orderWords } from './order-words.ts'
import { type Product, productOf, products } from './products.ts'

/** The look of a status, by the tone of its words. */
const looks: Readonly<Record<Tone, 'plain' | 'good' | 'look'>> = {
  ...{ waiting: 'plain', moving: 'plain', done: 'good', over: 'look', unclear: 'look' },
}

/** The start page of the shop, with all products. */
export const shelfPage = (): Html =>
  page({
    title: 'Tidewater',
    head: html``,
    body: html`<section class="lead">
        <h1>Good things for rough weather</h1>
        <p>A shop that sells nothing: it shows what paying with Settlewire is like, on a real chain
          with test money.</p>
      </section>
      <main class="shelf">${products.map(card)}</main>`,
  })

const card = ({ id, name, words: about, price, picture }: Product): Html =>
  html`<article class="card">
    <div class="picture">${picture}</div>
    <div class="about">
      <h2>${name}</h2>
      <p>${about}</p>
      <form class="buy" method="post" action="/shop/orders">
        <input type="hidden" name="product" value="${id}" />
        <span class="price" translate="no">${price} <small>USDC</small></span>
        <button class="button" type="submit" aria-label="Pay for ${name}">Pay</button>
      </form>
    </div>
  </article>`

/** The page of an order. Its state comes from the API, never from the returning browser. */
export function orderPage(payment: PaymentIntent, now: Instant): Html {
  const words = orderWords(payment, now)
  const { label, tone } = statusWords[payment.status]
  return page({
    title: `${label} · Tidewater`,
    // Reloads without a script or an action of the customer.
    head: !words.isAtRest ? html`<meta http-equiv="refresh" content="2" />` : html``,
    body: html`<main class="order">
      <section class="receipt">
        <span class="state state-${looks[tone]}">${label}</span>
        <h1>${sentence(words.title)}</h1>
        <p>${sentence(words.text)}</p>
        ${words.ofOrder === null ? html`` : html`<p>${words.ofOrder}</p>`}
        ${notes(words)}
        ${uncounted(words)}
        ${steps(words)}
        ${facts(payment)}
        <div class="actions">
          ${
            words.toPayment === null
              ? html``
              : html`<a class="button ${words.toPayment === 'Back to payment' ? '' : 'button-quiet'}" href="${payment.checkoutUrl ?? '/shop'}">${words.toPayment}</a>`
          }
          <a class="button button-quiet" href="/shop">${words.startsAgain ? 'Start a new order' : 'Keep shopping'}</a>
        </div>
      </section>
      <section class="inside">
        <h2>What the shop's server knows</h2>
        <p>It requested ${code(`GET /v1/payment-intents/${payment.id}`)} with its secret key, because
          a shop must not trust data from a browser.</p>
        <pre translate="no" tabindex="0" role="region" aria-label="The answer">${JSON.stringify(excerpt(payment), null, 2)}</pre>
      </section>
    </main>`,
  })
}

const notes = ({ notes: all }: OrderWords): Html =>
  all.length === 0
    ? html``
    : html`<ul class="notes">${all.map((one) => html`<li>${one}</li>`)}</ul>`

/** Money that came and does not count: its sender must find it here. */
const uncounted = ({ uncounted: all }: OrderWords): Html =>
  all.length === 0
    ? html``
    : html`<section class="uncounted"><h2>Not counted</h2><ul>${all.map(
        ({ came, why }) => html`<li><p>${sentence(came)}</p><p>${sentence(why)}</p></li>`,
      )}</ul></section>`

const steps = ({ steps: all }: OrderWords): Html =>
  all.length === 0
    ? html``
    : html`<ul class="steps">${all.map((one) => html`<li class="step">${one}</li>`)}</ul>`

function facts(payment: PaymentIntent): Html {
  const { amount, amountReceived, amountPending, currency } = payment
  const rows: readonly (readonly [string, string | Html])[] = [
    ['Order', kept(payment.reference ?? '')],
    ['Item', productOf(payment.metadata?.product)?.name ?? ''],
    ['Amount', kept(`${amount} ${currency}`)],
    ['Received', kept(`${amountReceived} ${currency}`)],
    ...(/[1-9]/.test(amountPending)
      ? [['Pending', kept(`${amountPending} ${currency}`)] as const]
      : []),
    ['Payment id', html`<code>${kept(payment.id)}</code>`],
  ]
  return html`<dl class="facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
}

/** The main fields, without secrets, which a shop never sends to a browser. */
const excerpt = (payment: PaymentIntent): object => ({
  id: payment.id,
  sequence: payment.sequence,
  status: payment.status,
  flags: payment.flags,
  finality: payment.finality,
  amount: payment.amount,
  amountReceived: payment.amountReceived,
  amountPending: payment.amountPending,
  transfers: payment.transfers.map((transfer) => ({
    txHash: transfer.txHash,
    asset: transfer.asset,
    chain: transfer.chain,
    amount: transfer.amount,
    stage: transfer.stage,
    blockNumber: transfer.blockNumber,
    confirmations: transfer.confirmations,
  })),
  settledAt: payment.settledAt,
})

/** The layout of all pages of the shop and its lab. */
export const page = ({
  title,
  head,
  body,
  here = 'shop',
}: {
  title: string
  head: Html
  body: Html
  here?: 'shop' | 'lab'
}): Html =>
  html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="robots" content="noindex" />
    <title>${title}</title>
    <link rel="stylesheet" href="/shop/style.css" />
    ${head}
  </head>
  <body>
    <header class="bar ${here === 'lab' ? 'bar-lab' : ''}">
      <a class="brand" href="/shop">
        <svg viewBox="0 0 28 28" aria-hidden="true">
          <path d="M3 11c3.700-3.500 7.300-3.500 11 0s7.300 3.500 11 0" />
          <path d="M3 18c3.700-3.500 7.300-3.500 11 0s7.300 3.500 11 0" />
        </svg>
        Tidewater
      </a>
      <span class="bar-end">
        <a class="bar-link" href="/lab" ${here === 'lab' ? html`aria-current="page"` : html``}>Lab</a>
        <span class="note">Test money only</span>
      </span>
    </header>
    ${body}
    <footer class="foot">
      The demo shop of Settlewire. Its server speaks the public API: <a href="/docs">documentation</a>.
    </footer>
  </body>
</html>
`
