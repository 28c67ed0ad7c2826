import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Html, html } from '../../html.ts'

const root = join(import.meta.dirname, '../../../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Inlined into each page, so that an error page does not depend on other files being served. */
const style = [
  ...['web/src/ui/tokens.css', 'web/src/ui/base.css'].map(read),
  readFileSync(join(import.meta.dirname, 'page.css'), 'utf8'),
]
  .join('\n')
  .replace(/\/\*[\s\S]*?\*\//g, '')
  .replace(/\s+/g, ' ')

const icon = `data:image/svg+xml,${encodeURIComponent(read('web/src/checkout/icon.svg').trim())}`
const hash = createHash('sha256').update(style).digest('base64')

/** Content policy of pages without scripts: inline style by hash and data images only. */
export const plainPagePolicy = `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/** The logo: a knot on a wire. Decorative, so without an alternative text. */
export const mark: Html = html`<img class="mark" src="${icon}" alt="">`

/** A page of text with a menu beside it. */
export const readerLayout = (title: string, { menu, main }: { menu: Html; main: Html }): Html =>
  layout(
    title,
    html`<div class="reader"><main><p class="to-menu"><a href="#menu">Contents and guides</a></p>${main}</main><nav id="menu" aria-label="Contents"><p><a href="/">Settlewire</a></p>${menu}</nav></div>`,
  )

/** A whole HTML page. `body` is the content of its body element. */
export const layout = (title: string, body: Html): Html =>
  html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"><title>${title}</title><link rel="icon" type="image/svg+xml" href="${icon}">${new Html(`<style>${style}</style>`)}</head><body>${body}</body></html>`
