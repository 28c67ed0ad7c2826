import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { statuses } from '@settlewire/core/payment/status-model'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import { type FixtureName, fixtureNames, fixtures, payment } from '../support/checkout-fixtures.ts'
import { buildPages, CheckoutServer } from '../support/checkout-server.ts'

let browser: Browser
let pages: Awaited<ReturnType<typeof buildPages>>
let server: CheckoutServer
let axe: string

beforeAll(async () => {
  pages = await buildPages()
  server = await CheckoutServer.start(pages.root)
  browser = await launchBrowser()
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
})

afterAll(async () => {
  await browser.close()
  await server.close()
  await pages.remove()
})

/** Complaints of the browser: errors, refused loads, violated policies. */
const complaints = new WeakMap<Page, string[]>()

const wide = { viewport: { width: 1280, height: 860 }, colorScheme: 'light' } as const
const narrow = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' } as const

async function open(
  name: FixtureName,
  look: Parameters<Browser['newContext']>[0] = wide,
): Promise<Page> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...look })
  const page = await context.newPage()
  const heard: string[] = []
  complaints.set(page, heard)
  page.on('console', (message) => {
    if (message.type() === 'error') heard.push(message.text())
  })
  page.on('pageerror', (error) => heard.push(error.message))
  await page.goto(`${server.url}/pay/${name}/token`)
  await page.waitForSelector('.page')
  return page
}

const close = (page: Page): Promise<void> => (page.context() as BrowserContext).close()
const connection = (page: Page, state: string) =>
  page.waitForSelector(`.page[data-connection="${state}"]`, { timeout: 20_000 })
const status = (page: Page, state: string) => page.waitForSelector(`.page[data-status="${state}"]`)

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

const narrowNames: readonly FixtureName[] = [
  ...statuses,
  ...(['awaiting-choice', 'awaiting-long', 'awaiting-wrong', 'succeeded-double'] as const),
]

describe.each([
  ['wide and light', wide, fixtureNames],
  ['360 px and dark', narrow, narrowNames],
] as const)('every state of the checkout, %s,', (_, look, names) => {
  it.each(names)('is accessible, fits the screen, and respects its CSP: %s', async (name) => {
    const page = await open(name, look)
    await page.waitForLoadState('load')
    const { status: expected } = fixtures[name]
    expect(await page.getAttribute('.page', 'data-status')).toBe(expected)
    expect(await accessibilityFaults(page)).toEqual([])
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - window.innerWidth,
    )
    expect(overflow).toBeLessThanOrEqual(0)
    expect(complaints.get(page)).toEqual([])
    await close(page)
  })
})

describe('a payer on an open page', () => {
  it('sees each step as it happens, without layout shifts', async () => {
    const page = await open('awaiting')
    await connection(page, 'current')
    await page.evaluate(() => {
      const shifts: number[] = []
      Object.assign(window, { shifts })
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifts.push((entry as unknown as Shift).value)
      }).observe({ type: 'layout-shift', buffered: true })
    })
    expect(await page.locator('[role=timer]').count()).toBe(1)
    const { pending_detected, confirming, succeeded } = fixtures

    server.move(pending_detected)
    await status(page, 'pending_detected')
    expect(await page.locator('.status-title').innerText()).toBe('Payment detected, confirming.')
    expect(await page.locator('[data-step=detected]').getAttribute('data-state')).toBe('current')
    expect(await page.locator('[role=timer], .qr').count()).toBe(0)

    for (const confirmations of [1, 2]) {
      const transfers = confirming.transfers.map((one) => ({ ...one, confirmations }))
      server.move({ ...confirming, transfers })
      await page.waitForSelector(`.page[data-confirmations="${confirmations}"]`)
      expect(await page.locator('.status-title').innerText()).toContain(`${confirmations} of 3`)
    }
    server.move(succeeded)
    await status(page, 'succeeded')
    expect(await page.locator('.status-title').innerText()).toBe('Paid.')
    expect(await page.locator('[data-step=final]').getAttribute('data-state')).toBe('todo')
    server.move({ finality: 'final' })
    await page.locator('[data-step=final][data-state=done]').waitFor()
    await connection(page, 'ended')
    expect(await page.locator('.connection').innerText()).toMatch(/^As of \d\d:\d\d:\d\d$/)
    expect(await page.title()).toContain('Paid')
    expect(await page.getByRole('link', { name: 'Return to Demo Shop' }).count()).toBe(1)
    const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts)
    expect(shifts.reduce((sum, shift) => sum + shift, 0)).toBeLessThan(0.1)
    await close(page)
  })

  it('sees that a payment was taken back, and what to do', async () => {
    const page = await open('confirming')
    await connection(page, 'current')
    server.move({ ...fixtures['awaiting-again'] })
    await status(page, 'awaiting')
    const text = await page.locator('.status-text').innerText()
    expect(text).toContain('It may still arrive. Speed it up or cancel it in your wallet first;')
    expect(await page.locator('.qr').count()).toBe(1)
    await close(page)
  })

  it('gets screen reader announcements of status changes, but not of each second', async () => {
    const page = await open('awaiting')
    await connection(page, 'current')
    await page.evaluate(() => {
      const said: string[] = []
      Object.assign(window, { said })
      for (const region of document.querySelectorAll('[aria-live=polite]')) {
        new MutationObserver(() => said.push(region.textContent ?? '')).observe(region, {
          childList: true,
          characterData: true,
          subtree: true,
        })
      }
    })
    const before = await page.locator('[role=timer]').innerText()
    await page.waitForFunction(
      (text) => document.querySelector('[role=timer]')?.textContent !== text,
      before,
    )
    await page.waitForTimeout(2_100)
    const said = () => page.evaluate(() => (window as unknown as { said: string[] }).said)
    expect(await said()).toEqual([])
    server.move(fixtures.pending_detected)
    await status(page, 'pending_detected')
    expect((await said()).join()).toContain('Do not pay again')
    await close(page)
  })
})

/** The browser's entry for a layout shift. */
interface Shift {
  readonly value: number
}

describe('a payer who pays', () => {
  it('reaches every control by keyboard, and gets an announcement after copying', async () => {
    const page = await open('awaiting-choice')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    const reached: string[] = []
    for (let i = 0; i < 7; i++) {
      await page.keyboard.press('Tab')
      reached.push(
        await page.evaluate(() => {
          const element = document.activeElement
          return element?.getAttribute('aria-label') ?? element?.textContent ?? ''
        }),
      )
      if (reached.at(-1) === 'Copy address') {
        await page.keyboard.press('Enter')
        await page.getByText('Address copied.').waitFor({ state: 'attached' })
      }
    }
    expect(reached.filter((name) => name !== '')).toEqual([
      'Copy amount',
      'Copy address',
      'Pay from the sandbox wallet',
      "I've paid but don't see it",
      'Details',
    ])
    const copied = await page.evaluate(() => navigator.clipboard.readText())
    expect(copied).toBe(fixtures['awaiting-choice'].accept[0]?.address)
    await close(page)
  })

  it('sees a focus outline on every control', async () => {
    const page = await open('awaiting-choice')
    for (const stop of [
      '[name=asset]:checked + *',
      '[name=qr]:checked + *',
      '[data-copy=amount]',
    ]) {
      await page.keyboard.press('Tab')
      const outline = await page.locator(stop).evaluate((one) => getComputedStyle(one).outlineStyle)
      expect(outline, stop).toBe('solid')
    }
    await close(page)
  })

  it('gets the QR code and text of the selected network', async () => {
    const page = await open('awaiting-choice')
    const code = page.locator('.qr')
    const before = await code.innerHTML()
    // The code holds the address, which is the same on each of these networks.
    expect(await code.getAttribute('aria-label')).toContain('address')
    expect(await page.locator('.compare').isVisible()).toBe(false)
    await page.getByRole('radio', { name: 'Wallet link with amount' }).check()
    expect(await code.getAttribute('aria-label')).toContain('USDC on Polygon')
    expect(await code.innerHTML()).not.toBe(before)
    expect(await page.locator('.compare').innerText()).toContain('compare the recipient')
    await page.getByRole('radio', { name: /Base/ }).check()
    expect(await code.getAttribute('aria-label')).toContain('USDC on Base')
    expect(await code.innerHTML()).not.toBe(before)
    await close(page)
  })

  it('pays from the sandbox wallet, or sees the reason of a refusal', async () => {
    const page = await open('awaiting')
    server.refusal = 'The local chain does not answer.'
    const button = page.getByRole('button', { name: 'Pay from the sandbox wallet' })
    await button.click()
    await page.locator('.sandbox-outcome', { hasText: server.refusal }).waitFor()
    server.refusal = null
    await button.click()
    await page.locator('.sandbox-outcome', { hasText: 'Sent.' }).waitFor()
    expect(server.asked).toContain(`POST /v1/test/payment-intents/${payment().id}/pay`)
    server.move(fixtures.pending_detected)
    await status(page, 'pending_detected')
    const focused = await page.evaluate(() => document.activeElement?.className)
    expect(focused).toBe('status-title')
    await close(page)
  })

  it('claims an unseen transaction by its hash or by an explorer link', async () => {
    const page = await open('pending_expired')
    await page.locator('summary', { hasText: "I've paid but don't see it" }).focus()
    await page.keyboard.press('Enter')
    const field = page.getByLabel('Transaction hash')
    const outcome = page.locator('.claim-outcome')
    await field.fill('0x123')
    await page.keyboard.press('Enter')
    await outcome.filter({ hasText: '64 letters and digits' }).waitFor()
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    expect(await accessibilityFaults(page)).toEqual([])
    const txHash = `0x${'4e3a3754410177e6'.repeat(4)}`
    await field.fill(`https://polygonscan.com/tx/${txHash.toUpperCase().replace('0X', '0x')}?a=1`)
    await page.getByRole('button', { name: 'Look for it' }).click()
    await outcome.filter({ hasText: 'No node knows this transaction yet' }).waitFor()
    expect(server.asked).toContain(`POST /v1/payment-intents/${payment().id}/claims`)
    expect(server.claimed.toLowerCase()).toBe(txHash)
    expect(await accessibilityFaults(page)).toEqual([])
    expect(complaints.get(page)).toEqual([])
    await close(page)
  })

  it('sees no animations when the browser asks for reduced motion', async () => {
    const page = await open('confirming')
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0)
    await close(page)
    const moving = await open('pending_detected', { reducedMotion: 'no-preference' })
    await connection(moving, 'current')
    expect(await moving.evaluate(() => document.getAnimations().length)).toBeGreaterThan(0)
    await close(moving)
  })
})

describe('a page whose chain is not fully visible', () => {
  it('names a blind chain with the age of its last block, and shows no countdown or estimate', async () => {
    const page = await open('awaiting-choice')
    await connection(page, 'current')
    expect(await page.locator('[role=timer]').count()).toBe(1)
    server.see('blind')
    const note = page.locator('[data-blind=true]')
    await note.waitFor()
    expect(await note.innerText()).toMatch(
      /^We cannot see Polygon right now; your payment is safe, it will be found. Last block read (39|4\d) s ago\.$/,
    )
    expect(await page.locator('[role=timer]').count()).toBe(0)
    expect(await page.locator('.time').innerText()).toContain('What you send by then counts')
    expect(await page.locator('.connection').innerText()).toBe('Connected')
    expect(await page.locator('.status-text').innerText()).not.toContain('as soon as')
    const before = await note.innerText()
    await page.waitForFunction(
      (text) => document.querySelector<HTMLElement>('[data-blind=true]')?.innerText !== text,
      before,
    )
    expect(await accessibilityFaults(page)).toEqual([])
    server.see('ok')
    await note.waitFor({ state: 'detached' })
    expect(await page.locator('.connection').innerText()).toBe('Live')
    expect(await page.locator('[role=timer]').count()).toBe(1)
    await close(page)
  })

  it('shows a degraded chain in a quiet note and keeps the countdown', async () => {
    const page = await open('awaiting')
    await connection(page, 'current')
    server.see('degraded')
    await page.locator('[data-blind=false]').waitFor()
    expect(await page.locator('[role=timer]').count()).toBe(1)
    await close(page)
  })
})

describe('the estimate of a confirming payment', () => {
  it('is the one of the server, and its reasons can be opened', async () => {
    const page = await open('confirming-12')
    await page.locator('.status-title', { hasText: '5 of 12, about 40 s' }).waitFor()
    await page.getByText('Why 12 blocks').click()
    await page.getByText('An attacker would have to spend more').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await close(page)
  })
})

describe('a page that loses its connection', () => {
  it('says so with the time of the shown state, and catches up after the outage', async () => {
    const page = await open('awaiting')
    await connection(page, 'current')
    await server.close()
    await page
      .locator('.warning', { hasText: /Connection lost – what you see is from \d\d:/ })
      .waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await server.listen()
    server.move(fixtures.pending_detected)
    await status(page, 'pending_detected')
    await connection(page, 'current')
    expect(await page.locator('.warning').count()).toBe(0)
    await close(page)
  })

  it('says that the device is offline, and continues when it is online again', async () => {
    const page = await open('awaiting')
    await connection(page, 'current')
    await page.context().setOffline(true)
    await connection(page, 'paused')
    expect(await page.locator('.warning').innerText()).toContain('You are offline')
    await page.context().setOffline(false)
    await connection(page, 'current')
    await close(page)
  })

  it('says that it is live by long-poll when streams are buffered', async () => {
    server.mute = true
    const page = await open('awaiting')
    await connection(page, 'fallback')
    expect(await page.locator('.connection').innerText()).toBe('Live by long-poll')
    server.mute = false
    await close(page)
  })

  it('reads the payment again when it is restored from the back/forward cache', async () => {
    const page = await open('awaiting')
    await connection(page, 'current')
    const fire = (type: string) =>
      page.evaluate((name) => {
        window.dispatchEvent(new PageTransitionEvent(name, { persisted: true }))
      }, type)
    await fire('pagehide')
    await connection(page, 'paused')
    server.move(fixtures.pending_detected)
    await fire('pageshow')
    await status(page, 'pending_detected')
    await close(page)
  })

  it('shows the same status after a reload', async () => {
    const page = await open('confirming')
    await connection(page, 'current')
    const before = await page.locator('.status').innerText()
    await page.reload()
    await connection(page, 'current')
    expect(await page.locator('.status').innerText()).toBe(before)
    await close(page)
  })
})
