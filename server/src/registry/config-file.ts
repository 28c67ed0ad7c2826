import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Failure } from '@settlewire/core/errors'
import type { ChainConfig } from '../chain-config.ts'
import type { Config } from '../config.ts'
import type { ReadVariable } from './chain-form.ts'
import type { ChainReaders } from './chain-reader.ts'
import { isObject } from './form.ts'
import { readChains } from './read-chains.ts'

/** The default names of the file. The first existing one is used. */
export const configNames = [
  'settlewire.config.ts',
  'settlewire.config.mjs',
  'settlewire.config.js',
] as const

/**
 * The path of the file; null without one. Throws `invalid_config` if a given path does not exist.
 */
export function findConfigFile(root: string, setting: Config['configFile']): string | null {
  if (setting === null) return null
  if (setting === 'project') {
    return configNames.map((name) => join(root, name)).find((path) => existsSync(path)) ?? null
  }
  if (existsSync(setting.path)) return setting.path
  const message = `SETTLEWIRE_CONFIG is ${setting.path}, but this file does not exist.`
  throw new Failure('invalid_config', message)
}

/**
 * Runs the file and validates its export. Throws `invalid_config` with every problem by its place;
 * an error that the file itself throws is the cause.
 */
export async function loadConfigFile(
  path: string,
  variable: ReadVariable,
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
    return 'Outside of the project @settlewire/server/define-config is not found: import define-config.ts by its path in server/src, or export a plain object, with { env: "NAME" } for secrets.'
  }
  if (code === 'ERR_MODULE_NOT_FOUND') return 'One import is missing.'
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' || error instanceof SyntaxError) {
    return 'It has a syntax error. Only TypeScript types are removed, nothing else is compiled.'
  }
  return 'It threw an error.'
}

function defaultOf(module: unknown, path: string): unknown {
  if (isObject(module) && 'default' in module) return module.default
  throw new Failure(
    'invalid_config',
    `${path} has no default export: write export default defineConfig({ … }).`,
  )
}
