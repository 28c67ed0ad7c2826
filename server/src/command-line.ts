import { type ParseArgsConfig, parseArgs } from 'node:util'
import { Failure } from '@settlewire/core/errors'

/** Reads the words of a command line. Throws `invalid_request` with what is wrong with them. */
export function readCommandLine<const Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new Failure('invalid_request', error instanceof Error ? error.message : '')
  }
}
