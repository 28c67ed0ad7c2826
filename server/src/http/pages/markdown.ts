import { posix } from 'node:path'
import { Marked } from 'marked'
import { code, Html, html, kept } from '../../html.ts'
import { guidePath, guides } from './guide-list.ts'

const byFile: ReadonlyMap<string, string> = new Map(
  Object.entries(guides).map(([name, { file }]) => [file, guidePath(name)]),
)

/** Renders the Markdown of a description in the contract. */
export function inMarkdown(text: string): Html {
  return text === '' ? html`` : new Html(withLinks('').parse(text, { async: false }))
}

/**
 * Renders a guide. Links to other guides lead to their pages; links to files that are not served
 * become plain text, and pictures are left out. The text is trusted: it comes from the project.
 */
export const guideHtml = (file: string, text: string): Html =>
  new Html(withLinks(file).parse(text, { async: false }))

function withLinks(file: string): Marked {
  const used = new Map<string, number>()
  return new Marked({
    gfm: true,
    renderer: {
      heading({ tokens, depth, text }) {
        const id = unique(slugOf(text), used)
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>`
      },
      link({ href, tokens }) {
        const words = this.parser.parseInline(tokens)
        const to = targetOf(href, file)
        return to === null ? words : String(html`<a href="${to}">${new Html(words)}</a>`)
      },
      text(token) {
        if ('tokens' in token && token.tokens) return this.parser.parseInline(token.tokens)
        return withKept(token.text)
      },
      image: () => '',
      code: ({ text }) => String(html`<pre tabindex="0" translate="no">${text}</pre>`),
      codespan: ({ text }) => String(code(text)),
      // HTML in a guide is escaped, and comments are removed: no guide needs HTML.
      html: ({ text }) => String(html`${text.startsWith('<!--') ? '' : text}`),
      table(token) {
        const row = (cells: typeof token.header, isHead: boolean): string =>
          `<tr>${cells
            .map(({ text, tokens }) => {
              const words = this.parser.parseInline(tokens)
              // An empty cell is not a heading.
              return isHead && text !== '' ? `<th scope="col">${words}</th>` : `<td>${words}</td>`
            })
            .join('')}</tr>`
        const isEmpty = token.header.every(({ text }) => text === '')
        const head = isEmpty ? '' : `<thead>${row(token.header, true)}</thead>`
        const rows = token.rows.map((cells) => row(cells, false)).join('')
        return `<div class="scroll" tabindex="0"><table>${head}<tbody>${rows}</tbody></table></div>`
      },
    },
  })
}

/** Amounts with their unit, and hexadecimal texts: the same in every language. */
const fixed = /\d[\d.,]*\s(?:USDC(?:\.\w+)?|ETH|TOLL)\b|\b\d+\.\d{2,}\b|0x[0-9a-fA-F…]{4,}/g

/** A text of Markdown, where an entity such as `&amp;` is already escaped. */
const withKept = (text: string): string =>
  text
    .replace(/&(?!#?\w+;)|[<>"]/g, (character) => String(html`${character}`))
    .replace(fixed, (found) => String(kept(found)))

/** The target of a link on a served page; null if the linked file is not served. */
function targetOf(href: string, file: string): string | null {
  if (/^(https?:|#|\/)/.test(href)) return href
  const [path = '', anchor] = href.split('#', 2)
  const page = byFile.get(posix.normalize(posix.join(posix.dirname(file), path)))
  if (page === undefined) return null
  return anchor === undefined ? page : `${page}#${anchor}`
}

/** The same slug as on GitHub, so that links work in both places. */
const slugOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')

function unique(slug: string, used: Map<string, number>): string {
  const times = used.get(slug) ?? 0
  used.set(slug, times + 1)
  return times === 0 ? slug : `${slug}-${times}`
}
