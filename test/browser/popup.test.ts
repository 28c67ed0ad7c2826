import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import { HttpWorld } from '../support/http-world.ts'

let world: HttpWorld
let shop: Server
let browser: Browser
let page: Page
beforeAll(async () => {
  world = await HttpWorld.start()
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

/** Opens a popup from the shop's page, and returns what the two windows can see of each other. */
async function popUp(url: string): Promise<{ seenClosed: boolean; hasOpener: boolean }> {
  const opened = page.waitForEvent('popup')
  await page.evaluate((to) => Object.assign(window, { popup: window.open(to) }), url)
  const popup = await opened
  await popup.waitForURL(url)
  await popup.waitForLoadState()
  const seenClosed = await page.evaluate(() => (window as unknown as Popup).popup.closed)
  const hasOpener = await popup.evaluate(() => window.opener !== null)
  return { seenClosed, hasOpener }
}
interface Popup {
  readonly popup: Window
}

describe('a checkout that a shop opens in a popup', () => {
  it('is seen by the shop as open while it is open, and as closed after that', async () => {
    const { checkoutUrl } = await world.create()
    expect(await popUp(checkoutUrl)).toEqual({ seenClosed: false, hasOpener: true })
    const closed = await page.evaluate(() => {
      const { popup } = window as unknown as Popup
      popup.close()
      return popup.closed
    })
    expect(closed).toBe(true)
  })

  it('is isolated from the shop if the popup shows a page that is not for payers', async () => {
    const answer = await popUp(`${world.url}/docs/`)
    expect(answer).toEqual({ seenClosed: true, hasOpener: false })
  })
})
