import { type ParseArgsConfig, parseArgs } from 'node:util'
import { Failure } from '@settlewire/core/errors'
import { nearest } from '@settlewire/core/words/nearest'

/** Parses a command line. Throws `invalid_request` that names the wrong argument. */
export function readCommandLine<const Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new Failure('invalid_request', wordsFor(error, Object.keys(config.options ?? {})))
  }
}

/** The error message; for an unknown option with the option that was probably meant. */
function wordsFor(error: unknown, options: readonly string[]): string {
  if (!(error instanceof Error)) return ''
  const isUnknown = 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
  const [, dashes = '', name = ''] = isUnknown ? (/'(--?)([^'\s]+)/.exec(error.message) ?? []) : []
  if (name === '') return error.message
  return `Unknown option ${dashes}${name}.${hint(name, options, '--')}`
}

/** ` Did you mean …?` if one of the names is similar, else an empty string. */
export function hint(typed: string, names: readonly string[], before = ''): string {
  const meant = nearest(typed, names)
  return meant === null ? '' : ` Did you mean ${before}${meant}?`
}

/** A count with its noun: `1 event`, `2 events`. */
export const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`

const helpWidth = 96

/** A text after its head, wrapped and indented like the first line. */
export function wrapped(head: string, text: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    const isFull = line !== '' && head.length + line.length + 1 + word.length > helpWidth
    if (isFull) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return head + lines.join(`\n${' '.repeat(head.length)}`)
}
