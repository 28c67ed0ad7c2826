import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { axeFindings } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { HttpWorld } from '../support/http-world.ts'
import { openToTranslation } from '../support/kept-words.ts'

let world: HttpWorld
let browser: Browser

beforeAll(async () => {
  world = await HttpWorld.start()
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser.close()
  await world.close()
})

interface Look {
  readonly viewport: { readonly width: number; readonly height: number }
  readonly colorScheme: 'dark' | 'light'
}
const phone = { width: 360, height: 740 }
const desk = { width: 1280, height: 860 }
const looks: readonly Look[] = [
  { viewport: phone, colorScheme: 'dark' },
  { viewport: phone, colorScheme: 'light' },
  { viewport: desk, colorScheme: 'dark' },
  { viewport: desk, colorScheme: 'light' },
]

const open = async (path: string, look: Look): Promise<Page> => {
  const context = await browser.newContext(look)
  const page = await context.newPage()
  await page.goto(world.url + path)
  return page
}

describe.each(looks)('at $viewport.width px, $colorScheme,', (look) => {
  it.each([
    ['the start page', '/', 'Settlewire'],
    ['the reference', '/docs', 'Settlewire API, version 0.1.0'],
    ['a guide', '/docs/guides/protocol', 'The wire contract'],
    ['a guide with tables', '/docs/guides/statuses', 'Statuses'],
    ['a guide with commands', '/docs/guides/going-live', 'Going live'],
    ['the page of a wrong address', '/nowhere', 'There is nothing at this address'],
    ['the page of a wrong link', '/pay/x/y', 'This payment link does not work'],
    ['the page of a route for keys', '/v1/events', 'This address is for programs with a key'],
  ])('%s fits the screen, and axe has no findings', async (_, path, title) => {
    const page = await open(path, look)
    expect(await page.locator('h1').first().textContent()).toContain(title)
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
    ).toBeLessThanOrEqual(0)
    expect(await axeFindings(page)).toEqual([])
    expect(await openToTranslation(page)).toEqual([])
    const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    expect(paper).toBe(look.colorScheme === 'dark' ? 'rgb(13, 16, 15)' : 'rgb(244, 244, 241)')
    await page.context().close()
  })
})

it('start page, reference, guides and error page link to each other', async () => {
  const page = await open('/nowhere', { viewport: desk, colorScheme: 'light' })
  await page.getByRole('link', { name: 'To the start page' }).click()
  await page.getByRole('link', { name: /API reference/ }).click()
  await page.getByRole('link', { name: 'Ask for a payment' }).click()
  expect(await page.locator(':target').textContent()).toContain('/v1/payment-intents')
  await page.getByRole('link', { name: 'Protocol' }).click()
  expect(page.url()).toBe(`${world.url}/docs/guides/protocol`)
  await page.getByRole('link', { name: 'Statuses', exact: true }).click()
  expect(await page.locator('h1').textContent()).toBe('Statuses')
  await page.context().close()
})

/** The codes of tables that break inside of a word: only a space or `_` may end a line. */
const brokenCodes = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll('td code')]
      .filter((code) => {
        const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT)
        let before = { top: Number.NaN, character: ' ' }
        while (walker.nextNode()) {
          const text = walker.currentNode as Text
          for (let at = 0; at < text.data.length; at += 1) {
            const range = document.createRange()
            range.setStart(text, at)
            range.setEnd(text, at + 1)
            const { top } = range.getBoundingClientRect()
            if (top > before.top + 4 && !/[\s_]/.test(before.character)) return true
            before = { top, character: text.data[at] ?? '' }
          }
        }
        return false
      })
      .map((code) => code.textContent ?? ''),
  )

it.each(['/docs', '/docs/guides/statuses', '/docs/guides/errors', '/docs/guides/settings'])(
  'no code in a table breaks inside of a word on a phone: %s',
  async (path) => {
    const page = await open(path, { viewport: phone, colorScheme: 'light' })
    expect(await brokenCodes(page)).toEqual([])
    await page.context().close()
  },
)
