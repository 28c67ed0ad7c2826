import { statuses } from '@settlewire/core/status-model'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { type FixtureName, fixtures } from '../../../test/support/checkout-fixtures.ts'
import { Checkout } from './checkout.tsx'
import { Live } from './live.ts'
import { shownFrom } from './payment.ts'
import { screenOf } from './screen.ts'

function render(name: FixtureName, more = {}): string {
  const state = {
    payment: fixtures[name],
    merchant: { name: 'Demo <Shop>' },
    serverTime: new Date().toISOString(),
    chains: [],
    sandbox: false,
    ...more,
  }
  return renderToStaticMarkup(<Checkout live={new Live(state)} state={state} />)
}

describe('the checkout', () => {
  it.each(statuses)('says in %s what is true, in words and for machines', (status) => {
    const html = render(status)
    const view = { now: Date.now(), isConnected: true, sights: [], etaSeconds: null }
    const screen = screenOf(shownFrom(fixtures[status]), view)
    expect(html).toContain(screen.title)
    expect(html).toContain(screen.text)
    expect(html).toContain(`data-status="${status}"`)
    expect(html.match(/data-step=/g)).toHaveLength(4)
  })

  it('shows the address where a payment is wanted, and nowhere once it was seen', () => {
    expect(render('awaiting')).toContain('ethereum:0x')
    for (const name of ['pending_detected', 'confirming', 'succeeded', 'cancelled'] as const) {
      expect(render(name)).not.toContain('ethereum:0x')
    }
  })

  it('lets the payer choose where there is a choice', () => {
    expect(render('awaiting')).not.toContain('name="asset"')
    expect(render('awaiting-choice').match(/name="asset"/g)).toHaveLength(3)
  })

  it('warns of money that is not counted, and not of another way that is offered', () => {
    expect(render('awaiting')).toContain('Send only USDC on')
    expect(render('awaiting-choice')).toContain('or choose another way above.')
    expect(render('awaiting-choice')).not.toContain('Send only')
  })

  it('offers the sandbox wallet in the sandbox only', () => {
    expect(render('awaiting')).not.toContain('sandbox wallet')
    expect(render('awaiting', { sandbox: true })).toContain('Pay from the sandbox wallet')
    expect(render('awaiting-live')).not.toContain('Test mode')
    expect(render('awaiting')).toContain('Test mode')
  })

  it('leads back to the shop after success, and only to a web page', () => {
    expect(render('succeeded')).toContain('href="https://shop.example/thanks"')
    const payment = { ...fixtures.succeeded, redirectUrl: 'javascript:alert(1)' }
    expect(render('succeeded', { payment })).not.toContain('javascript:')
    for (const name of ['awaiting', 'expired', 'failed'] as const) {
      expect(render(name)).not.toContain('shop.example')
    }
  })

  it('links to an explorer where there is one, and names the transaction in any case', () => {
    expect(render('succeeded-over')).toContain('https://polygonscan.com/tx/0x1')
    expect(render('confirming')).toContain('0x4e3a37…5a1bdd')
  })

  it('takes what merchants wrote for text', () => {
    expect(render('awaiting')).toContain('Demo &lt;Shop&gt;')
  })
})
