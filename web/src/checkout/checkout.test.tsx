import { statuses } from '@settlewire/core/payment/status-model'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, it } from 'vitest'
import { chainNames, type FixtureName, fixtures } from '../../../test/support/checkout-fixtures.ts'
import { Checkout } from './checkout.tsx'
import { Live } from './live.ts'
import { shownFrom } from './payment.ts'
import { screenOf } from './screen.ts'

function render(name: FixtureName, more = {}): string {
  const state = {
    payment: fixtures[name],
    merchant: { name: 'Demo <Shop>' },
    ...{ clientSecret: 'secret', chainNames },
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
    const text = html.replace(/<[^>]+>/g, '')
    const view = {
      now: Date.now(),
      isConnected: true,
      sights: [],
      explained: null,
      explainedMsAgo: 0,
    }
    const screen = screenOf(shownFrom(fixtures[status]), view)
    expect(text).toContain(screen.title)
    expect(text).toContain(screen.text)
    expect(html).toContain(`data-status="${status}"`)
    expect(html.match(/data-step=/g)).toHaveLength(5)
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

  it('leads back to the shop from every end, and only to a web page', () => {
    const ends = statuses.filter((status) => {
      const link = 'href="https://shop.example/thanks"'
      return render(status).includes(link)
    })
    expect(ends).toEqual([
      ...['succeeded', 'expired', 'cancelled', 'failed', 'investigation_required'],
    ])
    expect(render('awaiting-over')).toContain('shop.example')
    const payment = { ...fixtures.succeeded, redirectUrl: 'javascript:alert(1)' }
    expect(render('succeeded', { payment })).not.toContain('javascript:')
  })

  it('links to an explorer where there is one, and names the transaction in any case', () => {
    expect(render('succeeded-over')).toContain('https://polygonscan.com/tx/0x1')
    expect(render('confirming')).toContain('0x4e3a37…5a1bdd')
  })

  it('shows money that does not count: what, how much, its hash, and what to do', () => {
    const text = render('awaiting-wrong').replace(/<[^>]+>/g, ' ')
    expect(text).toMatch(/150\.00 USDC\.e\s+came on Local test chain\./)
    expect(text).toContain('Ask the merchant to send it back, and name this transaction.')
    expect(text).toMatch(/150\.00 USDC\s+came on Polygon\./)
    expect(text).toContain('It is too small to count.')
    expect(text).not.toContain('It moved nothing.')
    expect(render('awaiting-wrong')).toContain('0x4e3a37…5a1bdd')
  })

  it('offers the address as the code, and the link for wallets with what to compare', () => {
    const html = render('awaiting')
    expect(html).toContain('aria-label="QR code of the address"')
    expect(html.replace(/<[^>]+>/g, '')).toContain(
      'it must be the address above, from 0x5FbD… to …0aa3. If it differs, do not confirm;',
    )
  })

  it('calls a chain as its server does', () => {
    expect(render('awaiting-custom')).toContain('Harbour Chain')
  })

  it('takes what merchants wrote for text', () => {
    expect(render('awaiting')).toContain('Demo &lt;Shop&gt;')
  })
})
