import { join } from 'node:path'
import { describeError, type ErrorCode, Failure } from '@settlewire/core/errors'
import { nearest } from '@settlewire/core/words/nearest'
import { systemClock } from './clock.ts'
import { type Config, readConfig, settings } from './config.ts'
import { endProcess } from './end-process.ts'
import { scrub } from './scrub.ts'

/** A started server. */
export interface RunningProgram {
  readonly url: string
  /** The URL by which this machine reaches it; differs from `url` if PUBLIC_URL is set. */
  readonly localUrl: string
  /** Holds a password: never logged. */
  readonly databaseUrl: string
  /** The chain of the sandbox, and the usual port if that is in use; null without a sandbox. */
  readonly chain: { readonly url: string; readonly takenPort: number | null } | null
  /** Resolves with its name if the database or the local chain stops unexpectedly. */
  readonly lost: Promise<string>
  /** Closes everything in reverse order. Calling it again waits for the first call. */
  close(): Promise<void>
}

/**
 * Runs a server, configured by the environment, until a signal stops it, and ends the process: with
 * 0 after a signal, else with 1. `root` is the directory of the project.
 */
export async function runProgram(
  root: string,
  start: (config: Config) => Promise<RunningProgram>,
  args: readonly string[] = [],
): Promise<void> {
  endOnBugs()
  try {
    refuseArguments(args)
    const config = readConfig(root)
    const running = await start(config)
    const signalled = nextSignal()
    process.stdout.write(greeting(running, config))
    const lost = await Promise.race([signalled, running.lost])
    if (lost === null) process.stdout.write('\nStopping …\n')
    else process.stderr.write(`${lost} stopped unexpectedly. Start the server again.\n`)
    await running.close()
    if (lost === null) process.stdout.write(goodbye(config))
    endProcess(lost === null ? 0 : 1)
  } catch (error) {
    process.stderr.write(complaint(error))
    endProcess(1)
  }
}

/**
 * One Ctrl-C arrives up to three times: from the terminal, npm and the start script. So only a
 * signal that comes this much later counts as a second one.
 */
const echoMs = 1_000

/** Resolves at the first signal, for an orderly shutdown. A second signal exits at once. */
function nextSignal(): Promise<null> {
  const { promise, resolve } = Promise.withResolvers<null>()
  let isImpatient = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isImpatient) process.exit(1)
      resolve(null)
      systemClock.after(echoMs, () => {
        isImpatient = true
      })
    })
  }
  return promise
}

function greeting(running: RunningProgram, config: Config): string {
  const { url: publicUrl, localUrl: url, chain } = running
  const rows = chain
    ? [
        ['Demo shop', `${url}/shop`],
        ['Lab', `${url}/lab`],
        ['API', `${url}/docs`],
        ['Chain', placeOf(chain)],
        ['Keys', join(config.home, 'sandbox.json')],
      ]
    : [['API', `${url}/docs`]]
  if (publicUrl !== url) rows.push(['Public', publicUrl])
  const lines = rows.map(([name = '', where = '']) => `  ${name.padEnd(11)}${where}`)
  return `\nSettlewire is ready: ${url}\n${lines.join('\n')}\n  Stop it with Ctrl-C.\n\n`
}

const placeOf = ({ url, takenPort }: NonNullable<RunningProgram['chain']>): string =>
  takenPort === null ? url : `${url} (${takenPort} is in use)`

/** Says where the history is stored after the server has stopped. */
const goodbye = ({ databaseUrl, home }: Config): string =>
  databaseUrl === null
    ? `Stopped. Everything is stored in ${home}; start again to continue.\n`
    : 'Stopped. Everything is stored in the database; start again to continue.\n'

/** A word that may be printed: shorter than any secret, and no URL. */
const plainWord = /^[\w.-]{1,16}$/

/** Refuses arguments: only environment variables set anything. The value may be a secret. */
function refuseArguments([first]: readonly string[]): void {
  if (first === undefined) return
  const [name = ''] = first.split('=', 1)
  const meant = nearest(
    name,
    settings.map((setting) => setting.name),
  )
  const how = meant === null ? '' : ` Did you mean ${meant}=…?`
  const what = name.startsWith('-') || plainWord.test(name) ? ` ${name}` : ''
  throw new Failure('unknown_argument', `The server takes no argument${what}.${how}`)
}

/** What a person at a terminal wanted to do. */
type Task = 'start' | 'continue' | 'audit' | 'rescan' | 'run this command'

type Advice = Partial<Record<ErrorCode, string>>

/** Advice for a person at a terminal, where the catalogue's advice is for API clients. */
const adviceHere: Advice = {
  store_unavailable: 'Check DATABASE_URL, and that the database answers there.',
  merchant_cannot_receive: 'How to get the right xpub: docs/going-live.md, section 1.',
  // The catalogue's advice is about the fields of an HTTP request.
  invalid_request: '',
}

/** Advice for one task, where it differs. */
const adviceFor: Readonly<Record<Task, Advice>> = {
  start: {},
  continue: {},
  audit: {
    home_in_use: 'Stop it to audit its history.',
    not_found: 'npx settlewire merchant list shows the merchants.',
  },
  rescan: {
    home_in_use: 'Stop it first: without DATABASE_URL a rescan starts its own server.',
    // The message already says what to do. A rescan sends no transaction.
    chain_unavailable: '',
    not_found: 'Check --payment, --chain, and that DATABASE_URL is the database of the server.',
  },
  'run this command': {
    home_in_use: 'Stop it, or run this command as the user who started it.',
    not_found:
      'npx settlewire merchant list shows the merchants, npx settlewire key list --all their keys.',
  },
}

/** The text for a failed `task`: message, cause and advice of a failure; the stack of a bug. */
export function complaint(error: unknown, task: Task = 'start'): string {
  if (!(error instanceof Failure)) return `${scrub(stackOf(error))}\n`
  const { code, message, cause } = error
  const why = cause instanceof Error ? `\nThe cause: ${scrub(cause.message)}` : ''
  const advice = adviceFor[task][code] ?? adviceHere[code] ?? describeError(code).advice
  return `\nSettlewire cannot ${task} (${code}): ${scrub(message)}${why}\n${advice === '' ? '' : `${advice}\n`}`
}

/** Only the stack: a database error has other fields with the values of its statement. */
const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)

/** An uncaught error ends the process. Node itself would print all fields of the error. */
function endOnBugs(): void {
  process.on('uncaughtException', (error) => {
    process.stderr.write(complaint(error, 'continue'))
    process.exit(1)
  })
}
