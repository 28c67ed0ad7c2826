import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../support/anvil.ts'
import { launchBrowser } from '../support/browser.ts'
import { MerchantProgram } from '../support/e2e/merchant.ts'
import { ensurePages } from '../support/e2e/pages.ts'
import { Payer } from '../support/e2e/payer.ts'
import { type ServerProcess, startServer, temporaryHome } from '../support/e2e/server.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

const pictures = join(import.meta.dirname, '../../.artifacts/e2e')
const request = { amount: '150.00', currency: 'USDC', accept: ['USDC.local'] }

let anvil: Anvil
let database: TestDatabase
let server: ServerProcess
let browser: Browser
let merchant: MerchantProgram
let payer: Payer
const home = temporaryHome()

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true })
  await ensurePages()
  anvil = await startAnvil({ args: ['--no-mining', '--slots-in-an-epoch', '4'] })
  database = await testDatabase()
  // Deploying the token needs blocks; afterwards the test mines them.
  const mining = setInterval(() => void anvil.rpc('anvil_mine', ['0x1']).catch(() => null), 100)
  server = await startServer({
    home: home.path,
    env: { DATABASE_URL: database.url, SANDBOX_RPC_URL: anvil.wsUrl },
  })
  clearInterval(mining)
  merchant = new MerchantProgram(server.url, server.sandbox)
  payer = new Payer(server.sandbox)
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  await Promise.all([anvil.stop(), database.close()])
  home.remove()
})

/** A page that records every status its root element has shown. */
async function openCheckout(url: string, viewport = { width: 1280, height: 900 }): Promise<Page> {
  const page = await browser.newPage({ viewport })
  await page.addInitScript(() => {
    const told: string[] = []
    Object.assign(window, { told })
    new MutationObserver(() => {
      const root = document.querySelector<HTMLElement>('[data-status]')
      const standing = `${root?.dataset.status}/${root?.dataset.confirmations}`
      if (root !== null && told.at(-1) !== standing) told.push(standing)
    }).observe(document, { subtree: true, childList: true, attributes: true })
  })
  await page.goto(url)
  await standsAt(page, 'awaiting')
  return page
}

const standsAt = async (page: Page, status: string, confirmations?: number): Promise<void> => {
  const depth = confirmations === undefined ? '' : `[data-confirmations="${confirmations}"]`
  await page.waitForSelector(`[data-status="${status}"]${depth}`, { timeout: 15_000 })
}

const picture = async (page: Page, name: string): Promise<void> => {
  // The page is animated after a change; take the picture when that has ended.
  await page.waitForTimeout(400)
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
}

describe('one real payment', () => {
  it('is shown in every step on a real page, when paid by a plain JSON-RPC transaction', async () => {
    const intent = await merchant.create(request)
    const page = await openCheckout(intent.checkoutUrl ?? '')
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(String(error)))
    page.on('console', (line) => line.type() === 'error' && problems.push(line.text()))
    await page.waitForSelector('[data-connection="current"]')
    await picture(page, '1-waiting')

    await payer.send(intent, 150_000_000n)
    await standsAt(page, 'pending_detected')
    await picture(page, '2-detected')
    for (const confirmations of [1, 2]) {
      await payer.mine()
      await standsAt(page, 'confirming', confirmations)
      await picture(page, `${2 + confirmations}-confirming-${confirmations}`)
    }
    await payer.mine()
    await standsAt(page, 'succeeded', 3)
    await picture(page, '5-paid')

    const told = await page.evaluate(() => (window as unknown as { told: string[] }).told)
    expect(told).toEqual([
      'awaiting/0',
      'pending_detected/0',
      'confirming/1',
      'confirming/2',
      'succeeded/3',
    ])
    expect(problems).toEqual([])
    await page.close()
  })

  it('is paid by the sandbox wallet button, on a phone', async () => {
    const intent = await merchant.create(request)
    const page = await openCheckout(intent.checkoutUrl ?? '', { width: 360, height: 780 })
    await page.getByRole('button', { name: /sandbox wallet/i }).click()
    await standsAt(page, 'pending_detected')
    await payer.mine(3)
    await standsAt(page, 'succeeded')
    await picture(page, '6-paid-phone')
    expect((await merchant.get(intent.id)).amountReceived).toBe('150.00')
    await page.close()
  })

  it('is shown with its present status after a reload, and after a server outage', async () => {
    const intent = await merchant.create(request)
    const page = await openCheckout(intent.checkoutUrl ?? '')
    await payer.send(intent, 150_000_000n)
    await standsAt(page, 'pending_detected')
    await page.reload()
    await standsAt(page, 'pending_detected')

    const port = new URL(server.url).port
    await server.kill9()
    await page.waitForSelector('[data-connection="reconnecting"], [data-connection="stale"]', {
      timeout: 15_000,
    })
    await picture(page, '7-connection-lost')
    await payer.mine(3)
    server = await startServer({
      home: home.path,
      env: { DATABASE_URL: database.url, SANDBOX_RPC_URL: anvil.wsUrl, PORT: port },
    })
    await standsAt(page, 'succeeded')
    await page.close()
  })
})
