import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPages } from '../support/checkout-server.ts'

const scriptBytesMax = 30_000

let pages: Awaited<ReturnType<typeof buildPages>>
let files: string[]

beforeAll(async () => {
  pages = await buildPages()
  files = await readdir(pages.root, { recursive: true })
})

afterAll(() => pages.remove())

const read = (name: string): Promise<string> => readFile(join(pages.root, name), 'utf8')

describe('the built checkout', () => {
  it(`has at most ${scriptBytesMax} bytes of script in total, gzipped`, async () => {
    const scripts = files.filter((name) => name.endsWith('.js'))
    const sizes = await Promise.all(
      scripts.map(async (name) => gzipSync(await read(name), { level: 9 }).length),
    )
    expect(scripts.length).toBeGreaterThan(0)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(scriptBytesMax)
  })

  it('has no inline script or style that its CSP would refuse', async () => {
    const html = await read('checkout.html')
    expect(html).toMatch(/<html lang="en">/)
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i)
    expect(html.match(/<script[^>]*>/g)).toHaveLength(1)
    expect(html).toMatch(/<script type="module"[^>]* src="\/assets\/[\w-]+\.js"><\/script>/)
    expect(html).toContain('</head>')
  })

  it('has no syntax that Chrome 90, Safari 15 and Firefox 102 lack', async () => {
    for (const name of files.filter((one) => one.endsWith('.js'))) {
      const script = await read(name)
      // Static blocks, `#name in object`, and look-behind assertions.
      expect(script).not.toMatch(/\bstatic\s*\{|#\w+ in \w|\(\?<[=!]/)
    }
  })

  it('has no style that Chrome 90, Safari 15 and Firefox 102 lack', async () => {
    for (const name of files.filter((one) => one.endsWith('.css'))) {
      const style = await read(name)
      expect(style).not.toMatch(/@media[^{]*[<>]|:has\(|@layer|@container|[;{}]&/)
      // The minifier keeps what only Safari 15.0 to 15.3 need.
      expect(style).toMatch(/word-break:break-word;overflow-wrap:anywhere/)
      expect(style).toMatch(/@supports not selector\(:focus-visible\)/)
    }
  })

  it('tells a payer without scripts what to do', async () => {
    const [, words = ''] =
      /<noscript>([\s\S]*?)<\/noscript>/.exec(await read('checkout.html')) ?? []
    expect(words.replace(/\s+/g, ' ')).toMatch(/JavaScript.*reload.*go back to the shop.*not lost/)
    expect(words).not.toContain('href')
  })

  it('has a content hash in every file name except the page', () => {
    const named = files.filter((name) => /\.(js|css|svg)$/.test(name))
    for (const name of named) expect(name).toMatch(/^assets\/[\w.]+-[\w-]{8}\.\w+$/)
    expect(files).toContain(join('.vite', 'manifest.json'))
  })

  it('refers to no other host', async () => {
    for (const name of files.filter((one) => /\.(html|js|css|svg)$/.test(one))) {
      // After a quote, a bracket or a space: elsewhere two slashes end a regular expression.
      const hosts = (await read(name)).match(/(?<=["'`(\s])(?:https?:)?\/\/[\w-]+\.[\w.-]+/g) ?? []
      expect(
        hosts.filter((host) => !host.endsWith('//www.w3.org')),
        name,
      ).toEqual([])
    }
  })
})
