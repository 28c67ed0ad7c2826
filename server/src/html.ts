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
