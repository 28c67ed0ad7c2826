import type { Browser } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { type ServerProcess, startServer, temporaryHome } from './e2e/server.ts'
import { testDatabase } from './postgres.ts'

/** The whole product with a real chain, where the test mines the blocks, and a browser. */
export interface ProductInBrowser {
  readonly browser: Browser
  readonly server: ServerProcess
  close(): Promise<void>
}

export async function startProductInBrowser(): Promise<ProductInBrowser> {
  const home = temporaryHome()
  const database = await testDatabase()
  const env = { DATABASE_URL: database.url, SANDBOX_BLOCK_SECONDS: '60' }
  const server = await startServer({ home: home.path, env })
  const browser = await launchBrowser()
  return {
    browser,
    server,
    async close() {
      await browser.close()
      await server.stop()
      await database.close()
      home.remove()
    },
  }
}
