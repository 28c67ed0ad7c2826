/**
 * The pictures of the documents: their pages, and the steps that bring the real product there. The
 * script `npm run pictures` takes them; a test takes the same steps and compares texts, not pixels.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import type { Browser, Page } from 'playwright-core'
import { reachesConnection, reachesStatus } from './checkout-pages.ts'
import type { ServerProcess } from './e2e/server.ts'

const root = join(import.meta.dirname, '../..')

export interface Scene {
  /** The file in docs/images, without extension. */
  readonly name: string
  readonly viewport: { readonly width: number; readonly height: number }
  readonly colorScheme: 'light' | 'dark'
  /** The sources of the page's appearance: when they change, so does the picture. */
  readonly styles: readonly string[]
  /** The part of the page in the picture; default: all of it. */
  readonly region?: string
  readonly show: (page: Page, server: ServerProcess) => Promise<void>
}

const ui = ['web/src/ui/tokens.css', 'web/src/ui/base.css']
const checkout = [...ui, 'web/src/checkout/checkout.css', 'web/src/checkout/panels.css']
const lab = [...ui, 'server/src/sandbox/shop/shop.css', 'server/src/sandbox/lab/lab.css']
const own = [...ui, 'server/src/http/pages/page.css']
const wide = { viewport: { width: 1120, height: 820 }, colorScheme: 'light' } as const
const dark = { viewport: { width: 1120, height: 820 }, colorScheme: 'dark' } as const
const narrow = { viewport: { width: 360, height: 740 }, colorScheme: 'dark' } as const

export const scenes: readonly Scene[] = [
  { name: 'start', ...wide, styles: own, show: at('/') },
  { name: 'shop', ...wide, styles: lab, show: at('/shop') },
  // First, because the lab would list the requests of the other scenes.
  {
    ...{ name: 'lab', ...wide, styles: lab },
    async show(page, server) {
      await at('/lab')(page, server)
      await page.getByRole('button', { name: 'New payment of 25 USDC' }).click()
      await page.locator('[data-line=live]').waitFor()
      await page.getByRole('button', { name: 'Pay, held', exact: true }).click()
      await page.locator('.lab-status', { hasText: 'Detected' }).waitFor()
      await page.getByRole('button', { name: 'Speed up', exact: true }).click()
      await page.getByText('replaced seen', { exact: true }).waitFor()
    },
  },
  { name: 'checkout-waiting', ...wide, styles: checkout, show: openCheckout },
  {
    ...{ name: 'checkout-detected', ...wide, styles: checkout },
    async show(page, server) {
      await openCheckout(page, server)
      await payHere(page)
    },
  },
  {
    ...{ name: 'checkout-paid', ...dark, styles: checkout },
    async show(page, server) {
      await openCheckout(page, server)
      await payHere(page)
      await ask(server, '/v1/test/chain/mine', { blocks: 3 })
      await reachesStatus(page, 'succeeded')
      // Events do not carry the transaction's stage: the page requests it at most once a second.
      await page.locator('.transactions .stage', { hasNotText: 'detected' }).waitFor()
    },
  },
  { name: 'checkout-phone', ...narrow, styles: checkout, show: openCheckout },
  {
    ...{ name: 'reference', ...wide, styles: own },
    region: 'section:has(#post-v1-payment-intents)',
    show: at('/docs#post-v1-payment-intents'),
  },
  { name: 'error', ...wide, styles: own, show: at('/pay/unknown/link') },
]

function at(path: string): Scene['show'] {
  return async (page, server) => {
    await page.goto(server.url + path)
  }
}

async function openCheckout(page: Page, server: ServerProcess): Promise<void> {
  const { checkoutUrl } = await ask<PaymentIntent>(server, '/v1/payment-intents', {
    ...{ amount: '150.00', currency: 'USDC', accept: ['USDC.local'] },
    ...{ reference: 'order-42', redirectUrl: 'https://shop.example/thanks' },
  })
  await page.goto(checkoutUrl ?? '')
  await reachesConnection(page, 'current')
}

async function payHere(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Pay from the sandbox wallet' }).click()
  await reachesStatus(page, 'pending_detected')
  await page.locator('.transactions', { hasText: /\d USDC on/ }).waitFor()
}

async function ask<T>(server: ServerProcess, path: string, body: object): Promise<T> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.sandbox.secretKey}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path} ${response.status} ${await response.text()}`)
  return (await response.json()) as T // as the contract of the path says
}

/** Opens the page of a scene, passes it to `use`, and closes it. */
export async function withScene<T>(
  { browser, server }: { readonly browser: Browser; readonly server: ServerProcess },
  scene: Scene,
  use: (page: Page) => Promise<T>,
): Promise<T> {
  const { viewport, colorScheme } = scene
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' })
  try {
    const page = await context.newPage()
    await scene.show(page, server)
    return await use(page)
  } finally {
    await context.close()
  }
}

/** The texts of the page, and a hash of the sources of its appearance. */
export interface Fingerprint {
  readonly styles: string
  readonly words: readonly string[]
}

export async function fingerprintOf(page: Page, scene: Scene): Promise<Fingerprint> {
  const styles = createHash('sha256')
  for (const path of scene.styles) styles.update(readFileSync(join(root, path)))
  return {
    styles: styles.digest('hex').slice(0, 16),
    words: wordsIn(await page.locator(scene.region ?? 'body').innerText()),
  }
}

/** The lines of a page without parts that differ between runs: figures, times, ids, addresses. */
export const wordsIn = (text: string): readonly string[] =>
  text
    .replace(/\b(0x|pi_|evt_|req_|order-|lab-)[0-9a-z…]+/gi, '…')
    .replace(/\d[\d.,:]*/g, '0')
    .split('\n')
    .map((line) => line.trim())
    // Groups of an address, and times that change.
    .filter(
      (line) =>
        line !== '' && !/^[0-9a-f… ]+$/i.test(line) && !/\b(ago|left|seconds?)\b/.test(line),
    )
