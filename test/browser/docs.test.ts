import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
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

it.each([
  ['a phone in the dark', { width: 360, height: 740 }, 'dark'],
  ['a desk', { width: 1280, height: 860 }, 'light'],
] as const)('the page of the contract fits %s, opened routes too', async (_, viewport, scheme) => {
  const context = await browser.newContext({ viewport, colorScheme: scheme })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await page.goto(`${world.url}/docs/`)
  const routes = page.locator('.opblock')
  await routes.first().waitFor()
  expect(await routes.count()).toBeGreaterThan(15)
  await page.locator('.opblock-post').first().click()
  await page.locator('.opblock.is-open .responses-table').waitFor()
  const tooWide = await page.evaluate(() =>
    Array.from(document.querySelectorAll('.swagger-ui .opblock, .swagger-ui .info, .opblock-tag'))
      .filter((one) => one.getBoundingClientRect().right > window.innerWidth + 1)
      .map((one) => one.className),
  )
  expect(tooWide).toEqual([])
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
  ).toBeLessThanOrEqual(0)
  const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  if (scheme === 'dark') expect(background).toBe('rgb(19, 19, 19)')
  expect(complaints).toEqual([])
  await context.close()
})
