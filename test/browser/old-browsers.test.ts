import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * These tests search the sources that browsers get with regular expressions; no browser runs. The
 * sources are every sheet, every script that is served as it is written, and those of the checkout,
 * whose compiler leaves methods as they are. `checkout-build.test.ts` reads what the compiler made.
 */
const root = join(import.meta.dirname, '../..')
const folders = ['web/src', 'client/src', 'server/src/sandbox', 'server/src/http/pages']
const files = folders.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map(String)
    .filter((name) => !name.includes('.test.'))
    .map((name) => `${folder}/${name}`),
)
const sheets = files.filter((path) => path.endsWith('.css'))
const scripts = files.filter(
  (path) => path.endsWith('.mjs') || (/^(web|client)\//.test(path) && /\.tsx?$/.test(path)),
)

type Newer = readonly [pattern: RegExp, since: string]

/** What Chrome 90, Safari 15.0 or Firefox 102 lacks, and the versions that brought it. */
const newerInSheets: readonly Newer[] = [
  [/@media[^{]*[<>]/, 'ranges in media queries: Chrome 104, Safari 16.4'],
  [/:has\(/, ':has(): Chrome 105, Safari 15.4, Firefox 121'],
  [/@(layer|container|scope|starting-style)\b/, 'Chrome 99 to 118, Safari 15.4 to 17.4'],
  [/(^|[;{}])\s*&/m, 'nesting: Chrome 112, Safari 16.5, Firefox 117'],
  [/\b(oklch|oklab|lch|lab|color-mix|light-dark)\(/, 'Chrome 111 to 123, Firefox 113 to 120'],
  [/:(modal|popover-open|user-(in)?valid)\b/, 'Chrome 105 to 119, Safari 15.6 to 17'],
  [/\bsubgrid\b/, 'subgrid: Chrome 117, Safari 16'],
  [/(^|[;{])\s*(translate|rotate|scale):/m, 'Chrome 104, Firefox 72'],
  [/\boverflow:\s*clip\b/, 'overflow: clip: Safari 16'],
  [/\bjustify-content:\s*(start|end)\b/, 'in flex boxes: Chrome 93, Safari 15.4'],
  [/\b(inset|overflow)-(inline|block)\b/, 'Chrome 135, Firefox 63'],
]

const newerInScripts: readonly Newer[] = [
  [/new FormData\([^)]*,/, 'the button in FormData: Chrome 112, Safari 16.4, Firefox 111'],
  [/\.submitter\b/, 'SubmitEvent.submitter: Safari 15.4'],
  [/\.at\(/, 'at(): Chrome 92, Safari 15.4'],
  [/\.(findLast|findLastIndex)\(/, 'Chrome 97, Safari 15.4, Firefox 104'],
  [/\.(toSorted|toReversed|toSpliced)\(/, 'Chrome 110, Safari 16, Firefox 115'],
  [/\bstructuredClone\(/, 'structuredClone(): Chrome 98, Safari 15.4'],
  [/\bObject\.(hasOwn|groupBy)\(/, 'Chrome 93 and 117, Safari 15.4 and 17.4'],
  [/\bAbortSignal\.(timeout|any|abort)\(|\.throwIfAborted\(/, 'Chrome 93 to 116, Safari 15.4'],
  [/\brandomUUID\(/, 'randomUUID(): Chrome 92, Safari 15.4'],
  [/\bURL\.(canParse|parse)\(/, 'Chrome 120 and 126, Safari 17 and 18'],
  [/\bPromise\.(withResolvers|try)\(|\bArray\.fromAsync\(/, 'Chrome 119 to 128, Safari 16.4'],
  [/\bfor await\b/, 'over a body: Chrome 124, Firefox 110; Safari has none'],
  [/\brequestIdleCallback\(/, 'requestIdleCallback(): Safari has none'],
  [/\bstatic\s*\{/, 'static blocks: Chrome 94, Safari 16.4'],
  [/#\w+ in \w/, '#name in object: Chrome 91'],
  [/\(\?<[=!]/, 'look-behind: Safari 16.4'],
  [/\.(replaceWith|setHTMLUnsafe)\(.*shadow|\.showPopover\(/, 'Chrome 114, Safari 17'],
]

const code = (path: string): string =>
  readFileSync(join(root, path), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '')

const findings = (paths: readonly string[], table: readonly Newer[]): string[] =>
  paths.flatMap((path) =>
    table.flatMap(([pattern, since]) => {
      const found = pattern.exec(code(path))
      return found === null ? [] : [`${path}: ${found[0].trim()} (${since})`]
    }),
  )

describe('the oldest supported browsers (Chrome 90, Safari 15.0, Firefox 102)', () => {
  it('know every listed feature that the style sheets use', () => {
    expect(sheets).toContain('server/src/sandbox/lab/lab.css')
    expect(sheets).toContain('web/src/checkout/panels.css')
    expect(findings(sheets, newerInSheets)).toEqual([])
  })

  it('know every listed feature that the scripts use', () => {
    expect(scripts).toContain('server/src/sandbox/lab/lab.mjs')
    expect(scripts).toContain('web/src/checkout/main.tsx')
    expect(findings(scripts, newerInScripts)).toEqual([])
  })

  it('find `word-break` before `overflow-wrap: anywhere`, which came with Safari 15.4', () => {
    const alone = sheets.flatMap((path) =>
      Array.from(code(path).matchAll(/([^;{}]*)[;{]\s*overflow-wrap: anywhere/g), ([, before]) => [
        path,
        before?.trim(),
      ]),
    )
    expect(alone.filter(([, before]) => before !== 'word-break: break-word')).toEqual([])
  })

  it('draw an outline on a focused control without :focus-visible, which came with Safari 15.4', () => {
    expect(code('web/src/ui/base.css')).toMatch(
      /@supports not selector\(:focus-visible\) \{\s*:focus \{\s*outline: 2px solid/,
    )
    // Elsewhere a rule with :focus-visible may refine the outline, but an older rule stands beside it.
    for (const path of sheets.filter((one) => !one.endsWith('base.css'))) {
      for (const [, selector] of code(path).matchAll(/\n([^{}()\n]*):focus-visible/g)) {
        expect(code(path)).toMatch(
          new RegExp(`not selector\\(:focus-visible\\) \\{\\s*${selector?.trim()}:focus `),
        )
      }
    }
  })
})
