import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixtures } from '../support/checkout-fixtures.ts'
import {
  CheckoutPages,
  closePage,
  reachesConnection,
  reachesStatus,
  storyOf,
} from '../support/checkout-pages.ts'
import { takeNewMethods } from '../support/old-browser.ts'

/** The checkout in real browsers that translate it, lack methods, refuse cookies, or print it. */
let pages: CheckoutPages

beforeAll(async () => {
  pages = await CheckoutPages.start()
})

afterAll(() => pages.close())

const way = [
  fixtures['awaiting-part'],
  fixtures['awaiting-wrong'],
  fixtures.pending_detected,
  fixtures.confirming,
  { ...fixtures.confirming, transfers: fixtures.succeeded.transfers },
  fixtures['awaiting-again'],
  fixtures['succeeded-double'],
  fixtures.investigation_required,
]

/** Takes the page through the states of a payment, and compares it with a newly opened page. */
async function goesTheWay(page: Page): Promise<void> {
  for (const step of way) {
    pages.server.move(step)
    await reachesStatus(page, step.status)
    const fresh = await pages.open('now')
    await expect.poll(() => storyOf(page), { timeout: 10_000 }).toBe(await storyOf(fresh))
    await closePage(fresh)
  }
}

/** Replaces each text node with elements around a new text node, as browser translators do. */
function translate(): void {
  const wrap = (): void => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const texts: Text[] = []
    while (walker.nextNode()) texts.push(walker.currentNode as Text)
    for (const text of texts) {
      const parent = text.parentElement
      if (parent === null || text.data.trim() === '') continue
      if (parent.closest('script, font, [translate=no]') !== null) continue
      const font = document.createElement('font')
      font.append(document.createElement('font'))
      font.firstElementChild?.append(text.data)
      text.replaceWith(font)
    }
  }
  wrap()
  new MutationObserver(wrap).observe(document.body, { childList: true, subtree: true })
}

describe('a page that the browser translates', () => {
  it('still shows every change, and leaves amounts unchanged', async () => {
    const page = await pages.open('awaiting')
    await reachesConnection(page, 'current')
    await page.evaluate(translate)
    expect(await page.locator('font').count()).toBeGreaterThan(20)
    await goesTheWay(page)
    expect(pages.complaints.get(page)).toEqual([])
    await closePage(page)
  })

  it('still says that the connection is lost', async () => {
    const page = await pages.open('awaiting')
    await reachesConnection(page, 'current')
    await page.evaluate(translate)
    await page.context().setOffline(true)
    await expect.poll(() => page.locator('.connection').innerText()).toBe('Offline')
    await closePage(page)
  })

  it('excludes amounts, codes, addresses and times from translation', async () => {
    for (const name of [
      'awaiting-part',
      'confirming-12',
      'succeeded-over',
      'expired-part',
    ] as const) {
      const page = await pages.open(name)
      const open = await page.evaluate(() => {
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
        const texts: string[] = []
        while (walker.nextNode()) {
          const text = walker.currentNode as Text
          const kept = text.parentElement?.closest('script, noscript, [translate=no], .aloud')
          // A number of blocks may be translated: it is a part of a sentence without an amount.
          if (kept === null && /\d/.test(text.data)) texts.push(text.data)
        }
        return texts
      })
      expect(
        open.filter((text) => !/^(Why|of) \d+ blocks$/.test(text)),
        name,
      ).toEqual([])
      await closePage(page)
    }
  })
})

/** Makes answers like those of a runtime that has no readable body streams. */
function withholdBodies(): void {
  Object.defineProperty(Response.prototype, 'body', { get: () => undefined })
}

describe('a page in a limited browser', () => {
  it('follows its payment without newer methods', async () => {
    const page = await pages.open('awaiting', { before: takeNewMethods })
    expect(await page.evaluate(() => 'toSorted' in Array.prototype)).toBe(false)
    await reachesConnection(page, 'current')
    await goesTheWay(page)
    expect(pages.complaints.get(page)).toEqual([])
    await closePage(page)
  })

  it('follows its payment by long-poll when answers have no readable body', async () => {
    const page = await pages.open('awaiting', { before: withholdBodies })
    await reachesConnection(page, 'fallback')
    expect(await page.locator('.connection').innerText()).toBe('Live by long-poll')
    pages.server.move(fixtures.pending_detected)
    await reachesStatus(page, 'pending_detected')
    expect(pages.complaints.get(page)).toEqual([])
    await closePage(page)
  })

  it('follows its payment without cookies, by the client secret in the page', async () => {
    // This server sets no cookies, and refuses requests without the secret in the header.
    const page = await pages.open('confirming')
    await reachesConnection(page, 'current')
    pages.server.move(fixtures.succeeded)
    await reachesStatus(page, 'succeeded')
    expect(pages.server.cookies).toEqual([])
    await closePage(page)
  })
})

describe('a printed page', () => {
  it('shows status and amount, and no controls', async () => {
    for (const name of ['awaiting', 'awaiting-wrong', 'succeeded-double', 'expired'] as const) {
      const page = await pages.open(name, { colorScheme: 'dark' })
      await page.emulateMedia({ media: 'print' })
      const hidden = '.copy, .toggle, .wallet, .sandbox, .connection, .test-banner, .claim, .return'
      for (const one of await page.locator(hidden).all()) expect(await one.isVisible()).toBe(false)
      expect(await page.locator('.status-title').isVisible()).toBe(true)
      expect(await page.locator('.amount').isVisible()).toBe(true)
      const colours = await page.evaluate(() =>
        ['.panel', '.sheet', '.page'].map(
          (one) => getComputedStyle(document.querySelector(one) as Element).backgroundColor,
        ),
      )
      expect(new Set(colours), name).toEqual(new Set(['rgba(0, 0, 0, 0)']))
      await closePage(page)
    }
  })
})
