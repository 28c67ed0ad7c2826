/** Rules about the documents: what they point to exists. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { root, type Violation } from './source.ts'

/** A document and the project it stands in. */
export interface Document {
  readonly path: string
  readonly text: string
}

const link = /\[[^\]]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g
const command = /\bnpm run ([a-z][\w:-]*)|\bnpm (start|test)\b/g

/** Links inside the project lead to a file, and to a heading when they name one. */
export function linkViolations({ path, text }: Document): Violation[] {
  return found(withoutFences(text), link).flatMap(({ words, line }) => {
    const [file = '', anchor] = (words[1] ?? '').split('#', 2)
    if (/^[a-z]+:/.test(file)) return []
    const target = file === '' ? path : join(dirname(path), decodeURIComponent(file))
    const onDisk = join(root, target)
    const say = (says: string): Violation[] => [{ path, line, says }]
    if (file !== '' && !existsSync(onDisk)) return say(`leads to ${target}, which is not there`)
    if (anchor === undefined || !target.endsWith('.md')) return []
    const headings = headingsOf(file === '' ? text : readFileSync(onDisk, 'utf8'))
    return headings.has(anchor) ? [] : say(`leads to #${anchor} of ${target}, which is not there`)
  })
}

/** Commands that documents tell people to type exist. */
export function commandViolations(
  { path, text }: Document,
  scripts: ReadonlySet<string>,
): Violation[] {
  return found(text, command).flatMap(({ words, line }) => {
    const name = words[1] ?? words[2] ?? ''
    return scripts.has(name)
      ? []
      : [{ path, line, says: `names npm script ${name}, which is none` }]
  })
}

function found(
  text: string,
  form: RegExp,
): { words: readonly (string | undefined)[]; line: number }[] {
  return [...text.matchAll(form)].map((match) => ({
    words: [...match],
    line: text.slice(0, match.index).split('\n').length,
  }))
}

/** As GitHub names headings. */
const headingsOf = (text: string): ReadonlySet<string> =>
  new Set(
    [...withoutFences(text).matchAll(/^#+\s+(.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  )

/** Code is no link; the lines stay, so that numbers hold. */
const withoutFences = (text: string): string =>
  text.replace(/^```[\s\S]*?^```/gm, (block) => block.replace(/[^\n]/g, ''))
