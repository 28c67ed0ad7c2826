import { type ParseArgsConfig, parseArgs } from 'node:util'
import { Failure } from '@settlewire/core/errors'
import { nearest } from '@settlewire/core/words/nearest'

/** Reads the words of a command line. Throws `invalid_request` with what is wrong with them. */
export function readCommandLine<const Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new Failure('invalid_request', wordsFor(error, Object.keys(config.options ?? {})))
  }
}

/** What is wrong with the words; with an option that there is not, the one that was probably meant. */
function wordsFor(error: unknown, options: readonly string[]): string {
  if (!(error instanceof Error)) return ''
  const isUnknown = 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
  const [, dashes = '', name = ''] = isUnknown ? (/'(--?)([^'\s]+)/.exec(error.message) ?? []) : []
  if (name === '') return error.message
  return `There is no option ${dashes}${name} here.${hint(name, options, '--')}`
}

/** ` Did you mean …?`, where one of the names is near. */
export function hint(typed: string, names: readonly string[], before = ''): string {
  const meant = nearest(typed, names)
  return meant === null ? '' : ` Did you mean ${before}${meant}?`
}
