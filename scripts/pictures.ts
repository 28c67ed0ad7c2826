/**
 * `npm run pictures`: takes the pictures in the documents from the real product, with the tests'
 * browser, and records what each shows. A test fails when they are outdated.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { launchBrowser } from '../test/support/browser.ts'
import { ensurePages } from '../test/support/e2e/pages.ts'
import { startServer, temporaryHome } from '../test/support/e2e/server.ts'
import { type Fingerprint, fingerprintOf, scenes, withScene } from '../test/support/scenes.ts'

const images = join(import.meta.dirname, '../docs/images')
const home = temporaryHome()
await ensurePages()
const server = await startServer({ home: home.path, env: { SANDBOX_BLOCK_SECONDS: '60' } })
const browser = await launchBrowser()
try {
  mkdirSync(images, { recursive: true })
  const shown: Record<string, Fingerprint> = {}
  for (const scene of scenes) {
    await withScene({ browser, server }, scene, async (page) => {
      shown[scene.name] = await fingerprintOf(page, scene)
      await page.screenshot({ path: join(images, `${scene.name}.png`) })
    })
    console.log(`docs/images/${scene.name}.png`)
  }
  writeFileSync(join(images, 'shown.json'), `${JSON.stringify(shown, null, 2)}\n`)
} finally {
  await browser.close()
  await server.stop()
  home.remove()
}
