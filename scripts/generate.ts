/**
 * Prints docs/generated from code: the statuses, the errors, the settings. Run it after changing one
 * of these; a test compares what is committed with what this prints.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { errorCatalogue } from '../core/src/errors.ts'
import { edges, flags, statuses, statusTable } from '../core/src/status-model.ts'
import { flagWords, statusWords } from '../core/src/words.ts'
import { settings } from '../server/src/config.ts'

/** Where the pages are. */
export const generatedUrl = new URL('../docs/generated/', import.meta.url)

/** The pages by file name, as they should be. */
export const pages: Readonly<Record<string, () => string>> = {
  'states.md': statesPage,
  'errors.md': errorsPage,
  'config.md': configPage,
}

const note = '<!-- Printed from code by `npm run generate`. Do not edit. -->'

function statesPage(): string {
  return joinPage([
    '# Statuses',
    'Where a payment intent stands. The same words in REST, streams, webhooks and on every screen.',
    table(
      ['status', 'means', 'evidence on record', 'for the payer', 'the operator'],
      statuses.map((status) => {
        const { means, evidence, life, operator } = statusTable[status]
        const { label } = statusWords[status]
        return [code(status), means, evidence, `“${label}”, ${life}`, operator]
      }),
    ),
    '`open`: it may change by itself. `closed`: closed to the payer. A stream ends after ' +
      `${list(statuses.filter((status) => statusTable[status].endsStream))}. The payer's countdown runs in ` +
      `${list(statuses.filter((status) => statusTable[status].countsDown))}.`,
    '## Edges',
    'From the row to the column, told by the event in the cell. What is empty cannot happen. Within any ' +
      'status `updated`, `reorged`, `replaced` and `finalized` may be told as well.',
    table(
      ['from \\ to', ...statuses.map(code)],
      statuses.map((from) => [
        code(from),
        ...statuses.map((to) => {
          const event = edges[from][to]
          return event === null ? '' : code(event)
        }),
      ]),
    ),
    '## Flags',
    'Said beside the status, several at once, never instead of it.',
    table(
      ['flag', 'told to the payer'],
      flags.map((flag) => [code(flag), flagWords[flag] ?? '']),
    ),
  ])
}

function errorsPage(): string {
  return joinPage([
    '# Errors',
    'Every refusal is an RFC 9457 problem document (`application/problem+json`). Decide by `code`, never ' +
      'by the words. Retry: `never` helps nothing; `later` the same request may work; `changed` another ' +
      'request is needed.',
    table(
      ['code', 'HTTP', 'what happened', 'what to do', 'retry'],
      Object.entries(errorCatalogue).map(([name, { status, title, advice, retry }]) => [
        code(name),
        String(status),
        title,
        advice,
        retry,
      ]),
    ),
  ])
}

function configPage(): string {
  return joinPage([
    '# Settings',
    'Environment variables, all optional. A value that does not fit, and settings that contradict each ' +
      'other, stop the start with one message that names them all.',
    table(
      ['name', 'takes', 'default', 'means'],
      settings.map(({ name, takes, default: unset, means }) => [
        code(name),
        takes,
        unset ?? '',
        means,
      ]),
    ),
  ])
}

const joinPage = (parts: readonly string[]): string => `${[note, ...parts].join('\n\n')}\n`

const code = (text: string): string => `\`${text}\``

const list = (names: readonly string[]): string => names.map(code).join(', ')

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(generatedUrl, { recursive: true })
  for (const [name, print] of Object.entries(pages)) {
    writeFileSync(new URL(name, generatedUrl), print())
    console.log(`docs/generated/${name}`)
  }
}
