import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import type { FixtureName } from './checkout-fixtures.ts'
import { buildPages, CheckoutServer } from './checkout-server.ts'

/** One browser with the built checkout, on a server whose payments the test changes. */
export class CheckoutPages {
  readonly server: CheckoutServer
  readonly #browser: Browser
  readonly #built: Awaited<ReturnType<typeof buildPages>>
  /** Complaints of the browser: errors, refused loads, violated policies. */
  readonly complaints = new WeakMap<Page, string[]>()

  private constructor(
    browser: Browser,
    built: Awaited<ReturnType<typeof buildPages>>,
    server: CheckoutServer,
  ) {
    this.#browser = browser
    this.#built = built
    this.server = server
  }

  static async start(): Promise<CheckoutPages> {
    const built = await buildPages()
    const server = await CheckoutServer.start(built.root)
    return new CheckoutPages(await launchBrowser(), built, server)
  }

  async close(): Promise<void> {
    await this.#browser.close()
    await this.server.close()
    await this.#built.remove()
  }

  /** A page in a browser context of its own. `now` shows the present payment. */
  async open(
    name: FixtureName | 'now',
    { before, ...look }: BrowserContextOptions & { before?: () => void } = {},
  ): Promise<Page> {
    const context = await this.#browser.newContext({ reducedMotion: 'reduce', ...look })
    if (before !== undefined) await context.addInitScript(before)
    const page = await context.newPage()
    const heard: string[] = []
    this.complaints.set(page, heard)
    page.on('console', (message) => {
      if (message.type() === 'error') heard.push(message.text())
    })
    page.on('pageerror', (error) => heard.push(error.message))
    await page.goto(`${this.server.url}/pay/${name}/token`)
    await page.waitForSelector('.page')
    return page
  }
}

export const closePage = (page: Page): Promise<void> => page.context().close()

export const reachesConnection = async (page: Page, state: string): Promise<void> => {
  await page.waitForSelector(`.page[data-connection="${state}"]`, { timeout: 30_000 })
}

export const reachesStatus = async (page: Page, status: string): Promise<void> => {
  await page.waitForSelector(`.page[data-status="${status}"]`, { timeout: 30_000 })
}

/** The visible text of the payment: status, steps and panel, without times that change. */
export const storyOf = async (page: Page): Promise<string> => {
  const parts = await page.locator('.status, .uncounted, .steps, .panel').allInnerTexts()
  return parts
    .join('\n')
    .replace(/\s+/g, ' ')
    .replace(/about \d+ s/g, 'about … s')
}
