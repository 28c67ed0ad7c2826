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
  it.each(statuses)('shows the words and the data attributes of the status %s', (status) => {
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

  it('shows the address while a payment is awaited, and not once money was seen', () => {
    expect(render('awaiting')).toContain('ethereum:0x')
    for (const name of ['pending_detected', 'confirming', 'succeeded', 'cancelled'] as const) {
      expect(render(name)).not.toContain('ethereum:0x')
    }
  })

  it('says until when it counts once the time is up, also to a payer whose earlier payment was seen', () => {
    const over = { ...fixtures['awaiting-over'], detectedAt: new Date().toISOString() }
    for (const visibility of ['ok', 'blind'] as const) {
      const html = render('awaiting-over', { payment: { ...over, visibility } })
      expect(html.replace(/<[^>]+>/g, '')).toContain('What you send by then counts')
      expect(html).not.toContain('Ended ')
    }
  })

  it('offers a choice of assets only if there are several', () => {
    expect(render('awaiting')).not.toContain('name="asset"')
    expect(render('awaiting-choice').match(/name="asset"/g)).toHaveLength(3)
  })

  it('warns that other assets do not count, but not about the other accepted ones', () => {
    expect(render('awaiting')).toContain('Send only USDC on')
    expect(render('awaiting-choice')).toContain('or choose another way above.')
    expect(render('awaiting-choice')).not.toContain('Send only')
  })

  it('offers the sandbox wallet only in the sandbox', () => {
    expect(render('awaiting')).not.toContain('sandbox wallet')
    expect(render('awaiting', { sandbox: true })).toContain('Pay from the sandbox wallet')
    expect(render('awaiting-live')).not.toContain('Test mode')
    expect(render('awaiting')).toContain('Test mode')
  })

  it('links back to the shop in every end status, and only to a web address', () => {
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

  it('shows the transaction hash, with a link to an explorer if there is one', () => {
    expect(render('succeeded-over')).toContain('https://polygonscan.com/tx/0x1')
    expect(render('confirming')).toContain('0x4e3a37…5a1bdd')
  })

  it('shows asset, amount, hash and advice for money that does not count', () => {
    const text = render('awaiting-wrong').replace(/<[^>]+>/g, ' ')
    expect(text).toMatch(/150\.00 USDC\.e\s+came on Local test chain\./)
    expect(text).toContain('Ask the merchant to send it back, and name this transaction.')
    expect(text).toMatch(/150\.00 USDC\s+came on Polygon\./)
    expect(text).toContain('It is too small to count.')
    expect(text).not.toContain('It moved nothing.')
    expect(render('awaiting-wrong')).toContain('0x4e3a37…5a1bdd')
  })

  it('shows the address as QR code, and a wallet link with the recipient to compare', () => {
    const html = render('awaiting')
    expect(html).toContain('aria-label="QR code of the address"')
    expect(html.replace(/<[^>]+>/g, '')).toContain(
      'it must be the address above, from 0x5FbD… to …0aa3. If it differs, do not confirm;',
    )
  })

  it('uses the chain names of the server', () => {
    expect(render('awaiting-custom')).toContain('Harbour Chain')
  })

  it('escapes texts of the merchant', () => {
    expect(render('awaiting')).toContain('Demo &lt;Shop&gt;')
  })
})
