import { flags, statuses } from '@settlewire/core/payment/status-model'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { reasons } from '@settlewire/core/words/reason-words'
import { mayStillArrive } from '@settlewire/core/words/words'
import { describe, expect, it } from 'vitest'
import { orderPage } from '../../server/src/sandbox/shop/pages.ts'
import { shownFrom } from '../../web/src/checkout/payment.ts'
import { screenOf } from '../../web/src/checkout/screen.ts'
import { nextStepsOf } from '../../web/src/checkout/words.ts'
import { fixtures } from '../support/checkout-fixtures.ts'
import { textOf } from '../support/text-of-page.ts'

const now = Date.now()
const page = (payment: PaymentIntent) => String(orderPage(payment, now))

const past = (minutes: number) => new Date(now - minutes * 60_000).toISOString()
const timesOf: Readonly<Record<string, Partial<PaymentIntent>>> = {
  'in time': {},
  'time up': { expiresAt: past(1) },
  'watch over': { expiresAt: past(9), monitorUntil: past(1) },
}

/** Every status with every reason and flag, in time, after the deadline and after the watch. */
const cases = statuses.flatMap((status) =>
  Object.entries(timesOf).flatMap(([when, times]) => [
    ...[null, ...reasons, 'out_of_stock'].map((reason) => ({
      name: `${status}, ${reason}, ${when}`,
      payment: { ...fixtures[status], ...times, reason, flags: [] },
    })),
    ...flags.map((flag) => ({
      name: `${status}, ${flag}, ${when}`,
      payment: { ...fixtures[status], ...times, flags: [flag], amountReceived: '50.00' },
    })),
  ]),
)
const all = [...Object.entries(fixtures).map(([name, payment]) => ({ name, payment })), ...cases]

/** What the checkout says at the same moment, as a page that is connected. */
function checkoutOf(payment: PaymentIntent) {
  const shown = shownFrom(payment)
  const isSeen = payment.visibility === 'ok'
  const sights = isSeen ? [] : [{ chain: null, visibility: payment.visibility, blockAt: null }]
  const view = { now, sights, isConnected: true, explained: null, explainedMsAgo: 0 }
  return screenOf(shown, view)
}

/** The checkout prints times in the zone of the browser, and the shop's server in UTC. */
const withoutTime = (text: string): string =>
  text.replace(/until .*?(?= the full amount)/, 'until then').replaceAll('\u202f', '')

describe("the shop's page of an order, beside the checkout", () => {
  it('says the same as the checkout for every status, reason and flag', () => {
    for (const { name, payment } of all) {
      const said = withoutTime(textOf(page(payment)))
      const { title, text, notes, sightNotes } = checkoutOf(payment)
      const sights = sightNotes.map((note) => note.text)
      for (const one of [title, text, ...notes, ...sights]) {
        expect([name, said]).toEqual([name, expect.stringContaining(withoutTime(one))])
      }
    }
  })

  it('has the next steps of the checkout, where "go back to the shop" is a new order', () => {
    for (const { name, payment } of all) {
      const { panel } = checkoutOf(payment)
      const html = page(payment)
      const steps = panel === 'notice' ? nextStepsOf(payment) : []
      const here = steps.map((one) =>
        one.replace('Go back to the shop and start a new payment.', 'Start a new order.'),
      )
      expect([
        name,
        Array.from(html.matchAll(/<li class="step">([^<]*)</g), ([, one]) => one),
      ]).toEqual([name, here])
      const starts = here.join(' ').includes('Start a new order.')
      expect([name, html.includes('>Start a new order</a>')]).toEqual([name, starts])
    }
  })

  it('leads back to the payment only while it can still be paid or change', () => {
    for (const { name, payment } of all) {
      const html = page(payment)
      const { panel, isTimeUp } = checkoutOf(payment)
      expect([name, html.includes('>Back to payment</a>')]).toEqual([name, panel === 'pay'])
      const isOver =
        ['succeeded', 'cancelled', 'failed'].includes(payment.status) ||
        (payment.status === 'expired' && now >= Date.parse(payment.monitorUntil))
      const isShown = !isOver && panel !== 'pay'
      expect([name, isTimeUp, html.includes('>See the payment</a>')]).toEqual([
        name,
        isTimeUp,
        isShown,
      ])
    }
  })

  it('never asks for a new payment while the one that was sent may still arrive', () => {
    for (const { payment } of all.filter((one) => mayStillArrive(one.payment))) {
      expect(textOf(page(payment))).toMatch(/do not send now|only when it is cancelled|Time is up/)
    }
    for (const status of statuses) expect(page(fixtures[status])).not.toContain('No money')
  })
})
