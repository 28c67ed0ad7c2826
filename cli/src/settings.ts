import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CliProblem } from './problem.ts'

/** The address of Settlewire, and the key for it. */
export interface Settings {
  readonly baseUrl: string
  readonly key: string
}

/** The settings on the command line. */
export interface GivenSettings {
  readonly url: string | undefined
  readonly sandbox: string | undefined
}

/** Where `npm start` writes the sandbox file, relative to the folder of the project. */
const ownSandbox = join('.settlewire', 'sandbox.json')

/**
 * Reads the settings: `--url`, else the sandbox file, else the environment. Without any address, it
 * is that of the sandbox that was started in this directory, with its key unless SETTLEWIRE_KEY is
 * set. A key is never read from the command line, where every user of the machine could see it. The
 * only reader of the environment.
 */
export async function readSettings(given: GivenSettings): Promise<Settings> {
  const { SETTLEWIRE_URL, SETTLEWIRE_KEY } = process.env
  const hasAddress = Boolean(given.url || SETTLEWIRE_URL)
  const own = !hasAddress && existsSync(ownSandbox) ? ownSandbox : null
  const file = given.sandbox ?? own
  const sandbox = file === null ? null : await readSandbox(file)
  const baseUrl = given.url ?? sandbox?.url ?? SETTLEWIRE_URL
  const ofFile = sandbox?.secretKey
  const key = given.sandbox === undefined ? SETTLEWIRE_KEY || ofFile : ofFile
  if (!baseUrl || URL.parse(baseUrl) === null) {
    throw new CliProblem(
      'settings',
      baseUrl ? `Invalid address: ${baseUrl}` : 'The address of Settlewire is not set.',
      'Set SETTLEWIRE_URL, or name the file that `npm start` writes: --sandbox <path to sandbox.json>.',
    )
  }
  if (!key) {
    throw new CliProblem(
      'settings',
      'No API key is set.',
      'Set SETTLEWIRE_KEY, or name the file that `npm start` writes: --sandbox <path to sandbox.json>.',
    )
  }
  return { baseUrl, key }
}

async function readSandbox(path: string): Promise<{ url: string; secretKey: string }> {
  const advice = 'The sandbox writes it when it is ready: $SETTLEWIRE_HOME/sandbox.json.'
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const isMissing = error.code === 'ENOENT'
    const words = isMissing ? `There is no file ${path}.` : `Cannot read ${path} (${error.code}).`
    throw new CliProblem('settings', words, advice)
  })
  const { url, secretKey } = parse(text)
  if (typeof url !== 'string' || typeof secretKey !== 'string') {
    throw new CliProblem(
      'settings',
      `${path} is not a sandbox file: it has no url or no secretKey.`,
      advice,
    )
  }
  return { url, secretKey }
}

function parse(text: string): { url?: unknown; secretKey?: unknown } {
  try {
    return Object(JSON.parse(text))
  } catch {
    // Invalid JSON has neither field, so the caller refuses it as no sandbox file.
    return {}
  }
}
