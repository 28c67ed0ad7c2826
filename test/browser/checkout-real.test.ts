import { stdout } from 'node:process'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { reachesConnection, reachesStatus, storyOf } from '../support/checkout-pages.ts'
import { type ProductInBrowser, startProductInBrowser } from '../support/product-in-browser.ts'

/** The checkout in a browser that refuses cookies, with the whole product and a real chain. */
let product: ProductInBrowser
let browser: Browser
let server: ProductInBrowser['server']

beforeAll(async () => {
  product = await startProductInBrowser()
  ;({ browser, server } = product)
})

afterAll(() => product.close())

/** The longest time after which a page must show its server's knowledge that a chain is blind. */
const blindPageMsMax = 5_000

async function ask<T>(path: string, body?: object): Promise<T> {
  const response = await fetch(server.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${server.sandbox.secretKey}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const answer: unknown = await response.json()
  expect(response.ok, JSON.stringify(answer)).toBe(true)
  return answer as T // as the contract of the path says
}

/** Opens the checkout of a new payment in a browser that refuses its cookies. */
async function openNew(): Promise<Page> {
  const { checkoutUrl } = await ask<PaymentIntent>('/v1/payment-intents', {
    ...{ amount: '6.00', currency: 'USDC', redirectUrl: 'https://shop.example/thanks' },
  })
  const context = await browser.newContext({ reducedMotion: 'reduce' })
  const page = await context.newPage()
  await page.route('**/pay/**', async (route) => {
    // Not with the browser's own fetch, which stores the cookies of answers.
    const response = await fetch(route.request().url())
    const headers = Object.fromEntries(response.headers)
    delete headers['set-cookie']
    await route.fulfill({ status: response.status, headers, body: await response.text() })
  })
  await page.goto(checkoutUrl ?? '')
  await reachesConnection(page, 'current')
  expect(await context.cookies()).toEqual([])
  return page
}

it('the checkout follows a payment without cookies, and shows a reorg that takes the money back', async () => {
  const page = await openNew()
  await page.getByRole('button', { name: 'Pay from the sandbox wallet' }).click()
  await reachesStatus(page, 'pending_detected')
  await ask('/v1/test/chain/mine', { blocks: 2 })
  await reachesStatus(page, 'succeeded')
  expect(await storyOf(page)).toContain('Paid. 6.00 USDC arrived.')
  await ask('/v1/test/chain/reorg', { depth: 2 })
  await reachesStatus(page, 'investigation_required')
  const story = await storyOf(page)
  expect(story).toContain('We are checking. No need to pay again.')
  expect(story).toContain('Received 0.00 USDC')
  await page.context().close()
})

it('the checkout shows within 5 s of its server that the chain is blind, and that it is seen again', async () => {
  const page = await openNew()
  const wrongMs: number[] = []
  for (const mode of ['outage', 'ok'] as const) {
    for (const name of ['anvil-a', 'anvil-b']) await ask('/v1/test/providers', { name, mode })
    const seenAs = async (): Promise<string | undefined> => {
      const { data } = await ask<{ data: { name: string; visibility: string }[] }>('/v1/chains')
      return data.find(({ name }) => name === 'local')?.visibility
    }
    const isBlind = mode === 'outage'
    await expect
      .poll(async () => (await seenAs()) === 'blind', { timeout: 90_000, interval: 50 })
      .toBe(isBlind)
    const since = Date.now()
    const note = page.locator('[data-blind=true]')
    await note.waitFor({ state: isBlind ? 'attached' : 'detached' })
    wrongMs.push(Date.now() - since)
    if (isBlind) expect(await page.locator('.connection').innerText()).toBe('Connected')
  }
  stdout.write(`the page showed its server's visibility after ${wrongMs.join(' and ')} ms\n`)
  expect(Math.max(...wrongMs)).toBeLessThanOrEqual(blindPageMsMax)
  await page.context().close()
}, 240_000)
