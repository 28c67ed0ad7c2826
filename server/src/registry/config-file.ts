import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Failure } from '@settlewire/core/errors'
import type { ChainConfig } from '../chain-config.ts'
import type { Config } from '../config.ts'
import type { Variable } from './chain-form.ts'
import type { ChainReaders } from './chain-reader.ts'
import { isObject } from './form.ts'
import { readChains } from './read-chains.ts'

/** What the file is called when nothing says otherwise. The first that is there is taken. */
export const configNames = [
  'settlewire.config.ts',
  'settlewire.config.mjs',
  'settlewire.config.js',
] as const

/** Where the configuration is. Null when there is none. Throws `invalid_config` when it is not where it is told to be. */
export function findConfigFile(root: string, told: Config['configFile']): string | null {
  if (told === null) return null
  if (told === 'project') {
    return configNames.map((name) => join(root, name)).find((path) => existsSync(path)) ?? null
  }
  if (existsSync(told.path)) return told.path
  throw new Failure('invalid_config', `SETTLEWIRE_CONFIG names ${told.path}, which is not there.`)
}

/**
 * Runs the file and reads what it exports. Throws `invalid_config` with every problem by its place;
 * what the file itself throws is the cause.
 */
export async function loadConfigFile(
  path: string,
  variable: Variable,
  readers?: ChainReaders,
): Promise<readonly ChainConfig[]> {
  const written = defaultOf(await run(path), path)
  try {
    return readChains(written, variable, readers)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure(
      'invalid_config',
      `${basename(path)}: ${error.message}`.replace(': \n', ':\n'),
      {
        fields: error.fields,
      },
    )
  }
}

async function run(path: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(path).href)
  } catch (error) {
    throw new Failure('invalid_config', `${path} cannot be run. ${adviceFor(error)}`, {
      cause: error,
    })
  }
}

function adviceFor(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null
  const text = error instanceof Error ? error.message : ''
  if (code === 'ERR_MODULE_NOT_FOUND' && text.includes('@settlewire/')) {
    return 'It is outside of the project, where @settlewire/server/define-config is not found: import define-config.ts by its path in server/src, or export the plain object, with { env: "NAME" } for what is secret.'
  }
  if (code === 'ERR_MODULE_NOT_FOUND') return 'Something that it imports is not there.'
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' || error instanceof SyntaxError) {
    return 'It does not parse: types are stripped and nothing else is translated.'
  }
  return 'It threw while it ran.'
}

function defaultOf(module: unknown, path: string): unknown {
  if (isObject(module) && 'default' in module) return module.default
  throw new Failure(
    'invalid_config',
    `${path} exports nothing as its default: export default defineConfig({ … }).`,
  )
}
