import { statuses } from '@settlewire/core/payment/status-model'
import { statusWords } from '@settlewire/core/words/words'
import { describe, expect, it } from 'vitest'
import { fixtures } from '../../../../test/support/checkout-fixtures.ts'
import { orderPage } from './pages.ts'

const now = Date.now()
const page = (payment: Parameters<typeof orderPage>[0], at = now) => String(orderPage(payment, at))

describe("the shop's page of an order", () => {
  it('names each status like the checkout page', () => {
    for (const status of statuses) {
      expect(page(fixtures[status])).toContain(`>${statusWords[status].label}</span>`)
    }
  })

  it('says that late money counts only until the watch ends', () => {
    const { monitorUntil } = fixtures.expired
    expect(page(fixtures.expired)).toContain(
      `until ${monitorUntil.slice(0, 16).replace('T', ' ')} UTC the full amount still counts`,
    )
    expect(page(fixtures.expired, Date.parse(monitorUntil))).not.toContain('counts')
  })

  it('never claims that no money was taken, nor asks to pay again while money may arrive', () => {
    for (const status of statuses) expect(page(fixtures[status])).not.toContain('No money')
    expect(page(fixtures.pending_expired)).toContain('cancel it in your wallet first')
  })

  it('reloads until the money is final, because a reorg may revert a payment', () => {
    const refreshes = (payment: Parameters<typeof orderPage>[0]) =>
      page(payment).includes('http-equiv="refresh"')
    expect(refreshes(fixtures.succeeded)).toBe(true)
    expect(refreshes(fixtures['succeeded-final'])).toBe(false)
    expect(refreshes(fixtures.cancelled)).toBe(false)
    expect(refreshes(fixtures.expired)).toBe(true)
  })
})
