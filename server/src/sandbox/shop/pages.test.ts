import { statuses } from '@settlewire/core/payment/status-model'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { flagWords } from '@settlewire/core/words/flag-words'
import { ignoredWords } from '@settlewire/core/words/stage-words'
import { statusWords } from '@settlewire/core/words/words'
import { describe, expect, it } from 'vitest'
import { fixtures } from '../../../../test/support/checkout-fixtures.ts'
import { textOf } from '../../../../test/support/text-of-page.ts'
import { orderPage } from './pages.ts'

/** `test/browser/shop-words.test.ts` compares every status, reason and flag with the checkout. */
const now = Date.now()
const page = (payment: PaymentIntent, at = now) => String(orderPage(payment, at))

describe("the shop's page of an order", () => {
  it('names each status like the checkout page', () => {
    for (const status of statuses) {
      expect(page(fixtures[status])).toContain(`>${statusWords[status].label}</span>`)
    }
  })

  it('shows what arrived of a partial payment, and money that does not count', () => {
    const part = textOf(page(fixtures['awaiting-part']))
    expect(part).toContain('50.00 of 150.00 arrived; 100.00 missing.')
    expect(part).toContain('Send 100.00 USDC more to the same address.')
    const wrong = textOf(page(fixtures['awaiting-wrong']))
    expect(wrong).toContain('150.00 USDC.e came on Local test chain.')
    expect(wrong).toContain('in 12 transfers')
    for (const why of ['wrong_token', 'wrong_chain', 'dust'] as const) {
      expect(wrong).toContain(ignoredWords[why].why)
      expect(wrong).toContain(ignoredWords[why].todo)
      expect(wrong).not.toContain(flagWords[why])
    }
    expect(wrong).not.toContain(ignoredWords.zero.why)
    expect(textOf(page(fixtures['succeeded-over']))).toContain(flagWords.overpaid)
  })

  it('says until when the full amount counts, in UTC, and only until the watch ends', () => {
    const { monitorUntil } = fixtures.expired
    const [, hour] = /T(\d\d:\d\d)/.exec(monitorUntil) ?? []
    expect(textOf(page(fixtures.expired))).toMatch(
      new RegExp(`until \\d+ [A-Z][a-z]+, ${hour} UTC the full amount still counts`),
    )
    expect(page(fixtures.expired, Date.parse(monitorUntil))).not.toContain('counts')
  })

  it('never claims that no money was taken, nor asks to pay again while money may arrive', () => {
    for (const status of statuses) expect(page(fixtures[status])).not.toContain('No money')
    expect(textOf(page(fixtures.pending_expired))).toContain('cancel it in your wallet first')
  })

  it('reloads until nothing can change, because a reorg may revert a payment', () => {
    const refreshes = (payment: PaymentIntent) => page(payment).includes('http-equiv="refresh"')
    expect(refreshes(fixtures.succeeded)).toBe(true)
    expect(refreshes(fixtures['succeeded-final'])).toBe(false)
    expect(refreshes(fixtures.cancelled)).toBe(false)
    expect(refreshes(fixtures.expired)).toBe(true)
    expect(refreshes(fixtures['expired-unwatched'])).toBe(false)
  })
})
