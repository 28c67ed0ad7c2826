import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { axeFindings } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { HttpWorld } from '../support/http-world.ts'

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
