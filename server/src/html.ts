/** Markup that is safe to send: `html` builds it and escapes all values. */
export class Html {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

type Part = string | number | Html | readonly Html[]

/** A template that escapes its values, unless they are `Html`. */
export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(texts.map((text, i) => text + (i < parts.length ? print(parts[i]) : '')).join(''))

function print(part: Part | undefined): string {
  if (part instanceof Html) return part.toString()
  if (Array.isArray(part)) return part.join('')
  return escaped(String(part ?? ''))
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => escapes[character] ?? '')

/** What browsers must not translate, nor break across lines: an amount, a hash, an id, a time. */
export const kept = (text: string | number): Html =>
  html`<span class="kept" translate="no">${text}</span>`

/** A name or a key of the API, which browsers must not translate. */
export const code = (text: string | number): Html => html`<code translate="no">${text}</code>`

/**
 * Dates, hexadecimal texts, ids, and numbers with the unit behind them: the same in every language.
 */
const fixed =
  /\d+ [A-Z][a-z]+, \d\d:\d\d(?: UTC)?|(?:0x[0-9a-fA-F…]+|\b(?:pi|evt|req|mer|key)_\w+|https?:\/\/[^\s<>]*\w|\d[\d\u202f.,:]*\d|\d)(?:\s(?:[A-Z]{2,}(?:\.?\w+)?|s)\b)?/g

/** A sentence whose amounts, times, codes and addresses browsers neither translate nor break. */
export function sentence(text: string): Html {
  const parts: Html[] = []
  let from = 0
  for (const { 0: found, index } of text.matchAll(fixed)) {
    parts.push(html`${text.slice(from, index)}`, kept(found))
    from = index + found.length
  }
  return html`${parts}${text.slice(from)}`
}
