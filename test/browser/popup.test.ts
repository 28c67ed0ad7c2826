import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../server/src/clock.ts'
import { shopRoutes } from '../../server/src/sandbox/shop/shop-routes.ts'
import { launchBrowser } from '../support/browser.ts'
import { HttpWorld } from '../support/http-world.ts'

/** With the demo shop, whose pages are payment pages too. */
let world: HttpWorld
let shop: Server
let browser: Browser
let page: Page
beforeAll(async () => {
  let secretKey = ''
  const demoShop = shopRoutes({
    secretKey: () => secretKey,
    clock: systemClock,
    styles: join(import.meta.dirname, '../../web/src/ui'),
    publicUrl: (port) => `http://127.0.0.1:${port}`,
  })
  world = await HttpWorld.start({ plugins: [demoShop] })
  secretKey = world.secretKey
  shop = createServer((_, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>shop</title>')
  }).listen(0, '127.0.0.1')
  await once(shop, 'listening')
  browser = await launchBrowser()
  page = await browser.newPage()
  // A different site than the checkout's, like a real shop.
  const { port } = shop.address() as AddressInfo // it listens on TCP
  await page.goto(`http://localhost:${port}/`)
})
afterAll(async () => {
  await browser?.close()
  shop?.close()
  await world?.close()
})

/** Opens a popup from the shop's page. Returns whether the popup can see the shop. */
async function popUp(url: string): Promise<{ hasOpener: boolean }> {
  const opened = page.waitForEvent('popup')
  await page.evaluate((to) => Object.assign(window, { popup: window.open(to) }), url)
  const popup = await opened
  await popup.waitForURL(url)
  await popup.waitForLoadState()
  return { hasOpener: await popup.evaluate(() => window.opener !== null) }
}

/** Whether the shop's page sees the popup as closed. */
const isSeenClosed = () => page.evaluate(() => (window as unknown as Popup).popup.closed)

interface Popup {
  readonly popup: Window
}

describe('a checkout that a shop opens in a popup', () => {
  it('is seen by the shop as open while it is open, and as closed after that', async () => {
    const { checkoutUrl } = await world.create()
    expect(await popUp(checkoutUrl)).toEqual({ hasOpener: true })
    expect(await isSeenClosed()).toBe(false)
    const closed = await page.evaluate(() => {
      const { popup } = window as unknown as Popup
      popup.close()
      return popup.closed
    })
    expect(closed).toBe(true)
  })

  it.each([
    ['a wrong link', '/pay/x/y'],
    ['a link that was cut off', '/pay/pi_01'],
    ['the demo shop', '/shop'],
    ['an unknown order of the demo shop', '/shop/orders/order-000000000000'],
  ])('is seen as open while it shows %s, because that is a payment page too', async (_, path) => {
    expect(await popUp(world.url + path)).toEqual({ hasOpener: true })
    expect(await isSeenClosed()).toBe(false)
  })

  it.each(['/', '/docs/', '/docs/guides/protocol', '/nowhere'])(
    'is isolated from the shop while it shows a page that is not for payers: %s',
    async (path) => {
      expect(await popUp(world.url + path)).toEqual({ hasOpener: false })
      // The browser tells the other window a moment after the page has loaded.
      await vi.waitFor(async () => expect(await isSeenClosed()).toBe(true))
    },
  )
})
