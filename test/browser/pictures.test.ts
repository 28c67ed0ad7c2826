import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ProductInBrowser, startProductInBrowser } from '../support/product-in-browser.ts'
import { type Fingerprint, fingerprintOf, scenes, withScene } from '../support/scenes.ts'

const images = join(import.meta.dirname, '../../docs/images')
const bytesMax = 150_000
const advice = 'The pictures are out of date. Run `npm run pictures` to take them again.'
const shown: Record<string, Fingerprint> = JSON.parse(
  readFileSync(join(images, 'shown.json'), 'utf8'),
)

let product: ProductInBrowser
beforeAll(async () => {
  product = await startProductInBrowser()
})
afterAll(() => product.close())

describe('the pictures of the documents', () => {
  it('are exactly those that the script takes, and all are small', () => {
    const files = readdirSync(images).filter((name) => name.endsWith('.png'))
    expect(files.toSorted()).toEqual(scenes.map(({ name }) => `${name}.png`).toSorted())
    for (const file of files) {
      expect([file, statSync(join(images, file)).size < bytesMax]).toEqual([file, true])
    }
  })

  it.each(scenes.map((scene) => [scene.name, scene] as const))(
    'match the product: %s',
    async (name, scene) => {
      const now = await withScene(product, scene, (page) => fingerprintOf(page, scene))
      expect(now, advice).toEqual(shown[name])
    },
  )
})
