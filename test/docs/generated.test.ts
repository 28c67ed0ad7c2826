import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { generatedUrl, pages } from '../../scripts/generate.ts'

describe('docs/generated', () => {
  it.each(Object.keys(pages))('has an up-to-date %s', (name) => {
    const url = new URL(name, generatedUrl)
    const committed = existsSync(url) ? readFileSync(url, 'utf8') : ''
    expect(committed, 'run `npm run generate`').toBe(pages[name]?.())
  })

  it('has no other files', () => {
    expect(readdirSync(generatedUrl).sort()).toEqual(Object.keys(pages).sort())
  })
})
