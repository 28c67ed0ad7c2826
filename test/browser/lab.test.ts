import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../server/src/clock.ts'
import { FaultProxy } from '../../server/src/sandbox/fault-proxy.ts'
import { orderPage } from '../../server/src/sandbox/shop/pages.ts'
import { fixtureNames, fixtures } from '../support/checkout-fixtures.ts'
import { openToTranslation } from '../support/kept-words.ts'
import { takeNewMethods } from '../support/old-browser.ts'
import { type ProductInBrowser, startProductInBrowser } from '../support/product-in-browser.ts'

/** The lab in a real browser, with the whole product and a real chain. */
let product: ProductInBrowser
let browser: Browser
let server: ProductInBrowser['server']
let axe: string

beforeAll(async () => {
  product = await startProductInBrowser()
  ;({ browser, server } = product)
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
})

afterAll(() => product.close())

const wide = { viewport: { width: 1280, height: 860 }, colorScheme: 'light' } as const
const narrow = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' } as const

/** Complaints of the browser: errors, refused loads, violated policies. */
const complaints = new WeakMap<Page, string[]>()

type Look = BrowserContextOptions & { readonly before?: () => void }

async function open(look: Look = wide, path = '/lab', origin = server.url): Promise<Page> {
  const { before, ...rest } = look
  const context = await browser.newContext({ reducedMotion: 'reduce', ...rest })
  if (before !== undefined) await context.addInitScript(before)
  const page = await context.newPage()
  const consoleErrors: string[] = []
  complaints.set(page, consoleErrors)
  page.on('console', (message) => {
    if (message.type() === 'error') consoleErrors.push(message.text())
  })
  page.on('pageerror', (error) => consoleErrors.push(error.message))
  await page.goto(origin + path)
  return page
}

/** The longest silence of a stream, the same as in the SDK. */
const silenceMs = Number(
  /silenceMsByDefault = ([\d_]+)/
    .exec(readFileSync(join(import.meta.dirname, '../../client/src/watch.ts'), 'utf8'))?.[1]
    ?.replaceAll('_', ''),
)

const close = (page: Page): Promise<void> => page.context().close()
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const statusIs = (page: Page, status: string) =>
  page.locator('.lab-status', { hasText: status }).waitFor({ timeout: 20_000 })
const outcome = (page: Page, words: string | RegExp) =>
  page.locator('[data-outcome]', { hasText: words }).waitFor()
async function request(page: Page, offer = '25 USDC'): Promise<void> {
  await page.getByRole('button', { name: `New payment of ${offer}` }).click()
  await page.waitForURL(/\?payment=pi_/)
  await page.locator('[data-line=live]').waitFor()
}

/** The axe rules for WCAG 2 A and AA and good practice. */
async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }> }
    } // set by the script in the line above
    const { violations } = await axe.run()
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join()}`)
  })
}

/** Hashes and amounts that are broken across lines. */
const brokenFigures = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll('main .kept')].flatMap((one) => {
      const range = document.createRange()
      range.selectNodeContents(one)
      const lines = new Set(Array.from(range.getClientRects(), ({ top }) => Math.round(top)))
      return lines.size > 1 ? [one.textContent ?? ''] : []
    }),
  )

async function checkFit(page: Page): Promise<void> {
  expect(await accessibilityFaults(page)).toEqual([])
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - window.innerWidth,
  )
  expect(overflow).toBeLessThanOrEqual(0)
  expect(complaints.get(page)).toEqual([])
}

describe.each([
  ['wide and light', wide],
  ['360 px and dark', narrow],
] as const)('the lab, %s,', (_, look) => {
  it('is accessible, fits the screen, and respects its CSP, with and without a payment', async () => {
    const page = await open(look)
    await checkFit(page)
    await request(page)
    await button(page, 'Pay, held').click()
    await statusIs(page, 'Detected')
    await button(page, 'Speed up').click()
    await page.getByText('replaced seen', { exact: true }).waitFor()
    await button(page, 'Wrong token').click()
    await outcome(page, 'USDC.e')
    await button(page, 'Mine 1 block').click()
    await statusIs(page, 'Confirming')
    await page.getByText('wrong token', { exact: true }).waitFor()
    await page.getByText('25.00 USDC.e', { exact: true }).waitFor()
    await checkFit(page)
    expect(await openToTranslation(page)).toEqual([])
    expect(await brokenFigures(page)).toEqual([])
    await close(page)
  })
})

describe('a tester in the lab', () => {
  it('sees a payment from detected to final without a reload', async () => {
    const page = await open()
    await request(page, '6 USDC')
    const loaded = await page.evaluate(() => performance.timeOrigin)
    await button(page, 'Pay').click()
    await outcome(page, 'Sent 6.00 USDC as 0x')
    await statusIs(page, 'Detected')
    await button(page, 'Mine 5').click()
    await statusIs(page, 'Paid')
    // The lab follows the payment until the money is irrevocable.
    const line = page.locator('[data-line]')
    for (let more = 0; more < 20; more++) {
      if ((await line.getAttribute('data-line')) === 'ended') break
      await button(page, 'Mine 5').click()
      await outcome(page, 'The chain is at block')
    }
    await page.locator('[data-line=ended]').waitFor()
    expect(await page.evaluate(() => performance.timeOrigin)).toBe(loaded)
    await close(page)
  })

  it('never sees "Live" while the chain cannot be seen', async () => {
    const page = await open()
    await request(page)
    await page.evaluate(recordLines)
    const set = async (mode: string): Promise<void> => {
      for (const name of ['anvil-a', 'anvil-b']) {
        await page.getByRole('group', { name }).getByRole('button', { name: mode }).click()
        await outcome(page, `${name}: ${mode.toLowerCase()}.`)
      }
    }
    await set('Outage')
    await page.getByText('Not visible', { exact: true }).waitFor({ timeout: 25_000 })
    await page.locator('[data-line=unseen]', { hasText: 'Connected' }).waitFor()
    // Also on a page that is opened now: its stream works, and the chain is blind.
    const other = await open(wide, new URL(page.url()).pathname + new URL(page.url()).search)
    await other.locator('[data-line=unseen]').waitFor()
    await close(other)
    await set('OK')
    await page.locator('[data-line=live]').waitFor({ timeout: 25_000 })
    expect(await page.getByText('Visible', { exact: true }).count()).toBe(1)
    expect(await page.evaluate(() => (window as unknown as Recorded).contradictions)).toEqual([])
    await close(page)
  }, 90_000)

  it('sees "Reconnecting …" when the connection stays open and carries nothing', async () => {
    const proxy = await FaultProxy.start({ port: Number(new URL(server.url).port) }, systemClock)
    const page = await open(wide, '/lab', `http://127.0.0.1:${proxy.port}`)
    await request(page)
    await page.clock.install()
    await page.reload()
    await page.locator('[data-line=live]').waitFor()
    proxy.set({ mode: 'half_open' })
    await page.clock.fastForward(silenceMs - 5_000)
    expect(await page.locator('[data-line]').textContent()).not.toContain('Reconnecting')
    await page.clock.fastForward(6_000)
    await page.locator('[data-line=lost]', { hasText: 'Reconnecting …' }).waitFor()
    proxy.set({ mode: 'ok' })
    for (let more = 0; more < 15; more++) await page.clock.runFor(1_000)
    await page.locator('[data-line=live]').waitFor()
    await close(page)
    await proxy.close()
  })

  it('can use it in a browser that lacks newer methods', async () => {
    const page = await open({ ...wide, before: takeNewMethods })
    expect(await page.evaluate(() => 'submitter' in SubmitEvent.prototype)).toBe(false)
    await request(page)
    await button(page, 'Pay, held').click()
    await outcome(page, 'Sent 25.00 USDC as 0x')
    await statusIs(page, 'Detected')
    await button(page, 'Speed up').press('Enter')
    await page.getByText('replaced seen', { exact: true }).waitFor()
    await button(page, 'Mine 5').click()
    await statusIs(page, 'Paid')
    expect(complaints.get(page)).toEqual([])
    await close(page)
  })

  it('reads the same words in the shop, the checkout and the lab', async () => {
    const checkout = await open(wide, '/shop')
    await checkout.getByRole('button', { name: 'Pay for Deck mug' }).click()
    await checkout.waitForURL(/\/pay\//)
    const lab = await open()
    const reference = (await lab.locator('#lab-live-title').textContent()) ?? ''
    await lab.locator('[data-line=live]').waitFor()
    const shop = await open(wide, `/shop/orders/${reference}`)
    const agree = async (title: string, label: string): Promise<void> => {
      await checkout.locator('.status-title', { hasText: title }).waitFor({ timeout: 20_000 })
      await shop.locator('h1', { hasText: title }).waitFor({ timeout: 20_000 })
      await statusIs(lab, label)
      expect(await shop.locator('.state').textContent()).toBe(label)
      expect(await shop.locator('.receipt').innerText()).toContain(
        await checkout.locator('.status-text').innerText(),
      )
    }
    await agree('Waiting for your payment.', 'Waiting')
    await button(lab, 'Wrong token').click()
    await shop.getByText('25.00 USDC.e came on Local test chain.').waitFor()
    await button(lab, 'Half').click()
    await button(lab, 'Mine 5').click()
    await agree('9.00 of 18.00 arrived; 9.00 missing.', 'Waiting')
    await button(lab, 'Pay').click()
    await button(lab, 'Mine 5').click()
    await agree('Paid.', 'Paid')
    await button(lab, 'Pay again').click()
    await button(lab, 'Mine 5').click()
    const twice = 'This was paid more than once. Ask the merchant for the extra payment.'
    for (const page of [shop, checkout]) await page.getByText(twice).first().waitFor()
    for (const page of [checkout, lab, shop]) await close(page)
  }, 60_000)

  it('sees the reason when a lever has no effect', async () => {
    const page = await open()
    await request(page)
    await button(page, 'Speed up').click()
    await outcome(page, 'This payment has no pending transaction.')
    expect(await page.locator('.lab-outcome-bad').count()).toBe(1)
    await close(page)
  })

  it('takes a payment back with a reorg, or lets the reorg mine its transaction again', async () => {
    const page = await open()
    await request(page)
    await button(page, 'Pay').click()
    await statusIs(page, 'Detected')
    await button(page, 'Mine 1 block').click()
    await statusIs(page, 'Confirming')
    await button(page, 'Reorg 1 block').click()
    await statusIs(page, 'Waiting')
    await page.getByText('reorg seen', { exact: true }).waitFor()
    await button(page, 'Pay').click()
    await button(page, 'Mine 1 block').click()
    await statusIs(page, 'Confirming')
    await page
      .getByRole('checkbox', { name: 'The reorg mines the same transactions again' })
      .check()
    await button(page, 'Reorg 3').click()
    await page.getByText('Taken back by a reorg').nth(1).waitFor()
    await button(page, 'Mine 5').click()
    await statusIs(page, 'Paid')
    await close(page)
  })

  it('sets a provider to outage and back by keyboard, and the focus stays on the button', async () => {
    const page = await open()
    const group = page.getByRole('group', { name: 'anvil-b' })
    await group.getByRole('button', { name: 'Lag' }).focus()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await outcome(page, 'anvil-b: outage.')
    const outage = group.getByRole('button', { name: 'Outage' })
    await page.getByText('Partly visible').waitFor()
    expect(await outage.getAttribute('aria-pressed')).toBe('true')
    expect(await outage.evaluate((one) => one === document.activeElement)).toBe(true)
    expect(await accessibilityFaults(page)).toEqual([])
    await group.getByRole('button', { name: 'OK' }).press('Enter')
    await page.getByText('Visible', { exact: true }).waitFor({ timeout: 20_000 })
    await close(page)
  })

  it('sees a focus outline on every kind of lever', async () => {
    const page = await open()
    await request(page)
    for (const one of ['.lab-order', '[value="pay:held"]', '[name=keep]', '.lab-mode']) {
      await page.locator(one).first().focus()
      await page.keyboard.press('Shift+Tab')
      await page.keyboard.press('Tab')
      // Read in one go: a refresh replaces the element, and focuses the new one.
      const style = await page.evaluate(
        () => getComputedStyle(document.activeElement ?? document.body).outlineStyle,
      )
      expect(style, one).toBe('solid')
    }
    await close(page)
  })

  it('can use the forms without JavaScript', async () => {
    const page = await open({ ...wide, javaScriptEnabled: false })
    await page.getByRole('button', { name: 'New payment of 25 USDC' }).click()
    await button(page, 'Pay').click()
    await outcome(page, 'Sent 25.00 USDC as 0x')
    await close(page)
  })

  it('finds an order of the shop, and a link to its checkout', async () => {
    const page = await open(wide, '/shop')
    await page.getByRole('button', { name: 'Pay for Deck mug' }).click()
    await page.waitForURL(/\/pay\//)
    await page.goto(`${server.url}/shop`)
    await page.getByRole('link', { name: 'Lab' }).click()
    await page.getByRole('heading', { name: /^order-/ }).waitFor()
    await page.getByRole('link', { name: 'Checkout' }).click()
    await page.waitForURL(/\/pay\//)
    await close(page)
  })
})

interface Recorded {
  contradictions: string[]
}

/** Records each moment at which the page says "Live" and "Not visible" together. */
function recordLines(): void {
  const recorded = window as unknown as Recorded
  recorded.contradictions = []
  const look = (): void => {
    const line = document.querySelector('[data-line]')?.textContent ?? ''
    const sight = document.querySelector('[data-part=chain] .lab-pill')?.textContent ?? ''
    if (line === 'Live' && sight === 'Not visible') recorded.contradictions.push(`${line} ${sight}`)
  }
  const all = { subtree: true, childList: true, characterData: true }
  new MutationObserver(look).observe(document.body, all)
}

describe('a page of the shop', () => {
  it('excludes amounts, hashes, addresses and ids from translation, in every state', async () => {
    const page = await open(wide, '/shop')
    expect(await openToTranslation(page)).toEqual([])
    const styles = await (await fetch(`${server.url}/shop/style.css`)).text()
    for (const name of fixtureNames) {
      await page.setContent(String(orderPage(fixtures[name], Date.now())))
      expect([name, await openToTranslation(page)]).toEqual([name, []])
    }
    await page.setContent(
      `${orderPage(fixtures['awaiting-wrong'], Date.now())}<style>${styles}</style>`,
    )
    await page.setViewportSize({ width: 360, height: 740 })
    expect(await brokenFigures(page)).toEqual([])
    await close(page)
  })
})

describe('the lab’s server', () => {
  const post = (path: string, fields: Record<string, string>, headers = {}) =>
    fetch(server.url + path, { method: 'POST', headers, body: new URLSearchParams(fields) })

  it('refuses forms from other sites', async () => {
    const cross = { 'sec-fetch-site': 'cross-site' }
    expect((await post('/lab/pull', { lever: 'mine:1' }, cross)).status).toBe(403)
    expect((await post('/lab/orders', { offer: '25.00 USDC' }, cross)).status).toBe(403)
  })

  it('refuses unknown levers and offers, but shows a page for an unknown payment', async () => {
    expect((await post('/lab/pull', { lever: 'mine:1000000' })).status).toBe(404)
    expect((await post('/lab/pull', { lever: 'pay:all' })).status).toBe(404)
    expect((await post('/lab/orders', { offer: '1.00 USDC' })).status).toBe(404)
    expect((await fetch(`${server.url}/lab?payment=nonsense`)).status).toBe(200)
  })

  it('sends neither its secret key nor inline scripts or styles', async () => {
    for (const path of ['/lab', '/lab/parts', '/lab/lab.js', '/lab/stream.mjs']) {
      const text = await (await fetch(server.url + path)).text()
      expect(text).not.toContain(server.sandbox.secretKey)
      expect(text).not.toMatch(/<script(?![^>]* src=)|<style|style="/)
    }
  })
})
