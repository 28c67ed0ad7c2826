import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { generatedUrl, pages } from '../../scripts/generate.ts'

describe('docs/generated', () => {
  it.each(Object.keys(pages))('holds %s as the code prints it today', (name) => {
    const url = new URL(name, generatedUrl)
    const committed = existsSync(url) ? readFileSync(url, 'utf8') : ''
    expect(committed, 'run `npm run generate`').toBe(pages[name]?.())
  })

  it('holds nothing else', () => {
    expect(readdirSync(generatedUrl).sort()).toEqual(Object.keys(pages).sort())
  })
})
