import type { Instant } from '@settlewire/core/instant'
import type { Status } from '@settlewire/core/payment/status-model'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { statusWords } from '@settlewire/core/words/words'
import { type Html, html } from '../../html.ts'
import { type Product, productOf, products } from './products.ts'

interface StatusText {
  readonly look: 'plain' | 'good' | 'look'
  readonly title: string
  readonly words: string
}

/** Texts for the customer by status. The shop ships only on `succeeded`. */
const words: Readonly<Record<Status, StatusText>> = {
  awaiting: {
    look: 'plain',
    title: 'Your order is reserved',
    words: 'It ships when your payment is confirmed.',
  },
  pending_detected: {
    look: 'plain',
    title: 'We see your payment',
    words: 'It is on its way to the chain. Nothing more to do; please do not pay again.',
  },
  pending_expired: {
    look: 'look',
    title: 'Your payment is not confirmed',
    words:
      'It may still arrive. Speed it up or cancel it in your wallet first; pay again only when it is cancelled.',
  },
  confirming: {
    look: 'plain',
    title: 'Your payment is being confirmed',
    words: 'It is in a block. We wait for a few more before we ship.',
  },
  succeeded: {
    look: 'good',
    title: 'Thank you, it is yours',
    words: 'Your payment is confirmed. If this were a real shop, a parcel would be leaving now.',
  },
  expired: {
    look: 'look',
    title: 'Your order was not paid in time',
    words: 'Please do not pay for it now. If you have sent money, write to us.',
  },
  cancelled: {
    look: 'look',
    title: 'Your order was cancelled',
    words: 'Please do not pay for it. If you have sent money, write to us.',
  },
  failed: {
    look: 'look',
    title: 'Your payment failed',
    words: 'Please write to us before you pay again.',
  },
  investigation_required: {
    look: 'look',
    title: 'We are checking your payment',
    words: 'There is no need to pay again. We will write to you.',
  },
}

/** The text of a status. Late money counts only while the address is watched. */
function wordsFor({ status, monitorUntil }: PaymentIntent, now: Instant): string {
  if (status !== 'expired' || now >= Date.parse(monitorUntil)) return words[status].words
  const until = monitorUntil.slice(0, 16).replace('T', ' ')
  return `If you have already sent the money, keep this page: until ${until} UTC the full amount still counts as paid.`
}

/** Whether the payment cannot change by itself, so that the page need not reload. */
const isAtRest = ({ status, finality }: PaymentIntent): boolean =>
  status === 'cancelled' || status === 'failed' || (status === 'succeeded' && finality === 'final')

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
        <span class="price">${price} <small>USDC</small></span>
        <button class="button" type="submit" aria-label="Pay for ${name}">Pay</button>
      </form>
    </div>
  </article>`

/** The page of an order. Its state comes from the API, never from the returning browser. */
export function orderPage(payment: PaymentIntent, now: Instant): Html {
  const word = words[payment.status]
  const product = productOf(payment.metadata?.product)
  const { label } = statusWords[payment.status]
  const isOpen = !['succeeded', 'cancelled', 'failed'].includes(payment.status)
  return page({
    title: `${label} · Tidewater`,
    // Reloads without a script or an action of the customer.
    head: !isAtRest(payment) ? html`<meta http-equiv="refresh" content="2" />` : html``,
    body: html`<main class="order">
      <section class="receipt">
        <span class="state state-${word.look}">${label}</span>
        <h1>${word.title}</h1>
        <p>${wordsFor(payment, now)}</p>
        <dl class="facts">
          <div><dt>Order</dt><dd>${payment.reference ?? ''}</dd></div>
          <div><dt>Item</dt><dd>${product?.name ?? ''}</dd></div>
          <div><dt>Amount</dt><dd>${payment.amount} ${payment.currency}</dd></div>
          <div><dt>Received</dt><dd>${payment.amountReceived} ${payment.currency}</dd></div>
        </dl>
        <div class="actions">
          ${
            isOpen
              ? html`<a class="button" href="${payment.checkoutUrl ?? '/shop'}">Back to payment</a>`
              : html``
          }
          <a class="button button-quiet" href="/shop">Keep shopping</a>
        </div>
      </section>
      <section class="inside">
        <h2>What the shop's server knows</h2>
        <p>It requested <code>GET /v1/payment-intents/${payment.id}</code> with its secret key, because
          a shop must not trust data from a browser.</p>
        <pre tabindex="0" role="region" aria-label="The answer">${JSON.stringify(excerpt(payment), null, 2)}</pre>
      </section>
    </main>`,
  })
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
    <header class="bar">
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
