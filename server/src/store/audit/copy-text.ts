import type { AuditRow } from './source.ts'

/** The characters that a backslash and a letter stand for in PostgreSQL's COPY text. */
const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}

/** Parses one line of COPY text into a row. */
export function rowOf(line: string, columns: readonly string[]): AuditRow {
  const row: Record<string, string | null> = {}
  const cells = line.split('\t')
  for (const [index, column] of columns.entries()) row[column] = unescaped(cells[index] ?? '\\N')
  return row
}

function unescaped(cell: string): string | null {
  if (cell === '\\N') return null
  return cell.includes('\\')
    ? cell.replaceAll(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter)
    : cell
}

/**
 * Parses `COPY public.event (merchant_id, …) FROM stdin;`: which table follows, and its columns.
 */
export function headerOf(line: string): { table: string; columns: readonly string[] } | null {
  const [, table = '', list = ''] = header.exec(line) ?? []
  if (table === '') return null
  return { table, columns: list.split(', ').map((column) => column.replaceAll('"', '')) }
}

const header = /^COPY (?:"?[^".\s]+"?\.)?"?(\w+)"? \((.*)\) FROM stdin;$/
