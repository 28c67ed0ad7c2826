import { join } from 'node:path'
import { describeError, type ErrorCode, Failure } from '@settlewire/core/errors'
import { nearest } from '@settlewire/core/words/nearest'
import { systemClock } from './clock.ts'
import { type Config, readConfig, settings } from './config.ts'
import { scrub } from './scrub.ts'

/** A server that answers. */
export interface Running {
  readonly url: string
  /** Where this machine reaches it: another address than `url` where PUBLIC_URL names one. */
  readonly localUrl: string
  /** Holds a password: never logged. */
  readonly databaseUrl: string
  /** Resolves with what it was if something it stands on ends by itself: the database, or the chain. */
  readonly lost: Promise<string>
  /** Ends everything in the reverse order of its making. Calling it again waits for the first. */
  close(): Promise<void>
}

/**
 * Runs a server, configured by the environment, until it is told to end. Never rejects: what goes
 * wrong is the exit code. `root` is the directory of the project.
 */
export async function runProgram(
  root: string,
  start: (config: Config) => Promise<Running>,
  args: readonly string[] = [],
): Promise<void> {
  endOnBugs()
  try {
    refuseArguments(args)
    const config = readConfig(root)
    const running = await start(config)
    const told = nextSignal()
    process.stdout.write(greeting(running, config))
    const lost = await Promise.race([told, running.lost])
    if (lost === null) process.stdout.write('\nStopping …\n')
    else process.stderr.write(`${lost} has ended by itself. Start again to go on.\n`)
    await running.close()
    if (lost === null) process.stdout.write(goodbye(config))
    // Everything is closed. Left to itself, Node's own end was seen to turn in a circle for ever, one
    // time in ten on a busy machine, over a socket that was still closing.
    process.exit(lost === null ? 0 : 1)
  } catch (error) {
    process.stderr.write(complaint(error))
    process.exitCode = 1
  }
}

/**
 * One Ctrl-C arrives up to three times: from the terminal, from npm, from the start script. So only
 * a signal that comes this much later is a second one.
 */
const echoMs = 1_000

/** The first signal asks for an orderly end; a second one does not wait for it. */
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

function greeting({ url: publicUrl, localUrl: url }: Running, config: Config): string {
  const rows = config.sandbox
    ? [
        ['Demo shop', `${url}/shop`],
        ['Lab', `${url}/lab`],
        ['API', `${url}/docs`],
        ['Keys', join(config.home, 'sandbox.json')],
      ]
    : [['API', `${url}/docs`]]
  if (publicUrl !== url) rows.push(['Public', publicUrl])
  const lines = rows.map(([name = '', where = '']) => `  ${name.padEnd(11)}${where}`)
  return `\nSettlewire is ready: ${url}\n${lines.join('\n')}\n  Stop it with Ctrl-C.\n\n`
}

/** What remains when it has ended. Without the embedded database the history is elsewhere. */
const goodbye = ({ databaseUrl, home }: Config): string =>
  databaseUrl === null
    ? `Stopped. Everything is kept in ${home}; start again to go on.\n`
    : 'Stopped. Everything is kept in the database; start again to go on.\n'

/** Settings come from the environment alone: an argument would have no effect. Its value may be a secret. */
function refuseArguments([first]: readonly string[]): void {
  if (first === undefined) return
  const [name = ''] = first.split('=', 1)
  const meant = nearest(
    name,
    settings.map((setting) => setting.name),
  )
  const how = meant === null ? '' : ` Did you mean ${meant}=…?`
  const what = name.startsWith('-') ? ` ${name}` : ''
  throw new Failure('unknown_argument', `The server takes no argument${what}.${how}`)
}

/** Where the catalogue speaks to those who sent a request, who starts a server needs other words. */
const adviceAtStart: Partial<Record<ErrorCode, string>> = {
  store_unavailable: 'Check DATABASE_URL, and that the database answers there.',
}

/** What a person needs to mend what `task` failed at: the words of the failure, its cause and advice. A bug shows its stack. */
export function complaint(error: unknown, task = 'start'): string {
  if (!(error instanceof Failure)) return `${scrub(stackOf(error))}\n`
  const { code, message, cause } = error
  const why = cause instanceof Error ? `\nThe cause: ${scrub(cause.message)}` : ''
  const advice = adviceAtStart[code] ?? describeError(code).advice
  return `\nSettlewire cannot ${task} (${code}): ${scrub(message)}${why}\n${advice}\n`
}

/** Without what else an error carries: a database's has the values of its statement. */
const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)

/** A bug that nothing caught ends the process. Node would print all that the error carries. */
function endOnBugs(): void {
  process.on('uncaughtException', (error) => {
    process.stderr.write(complaint(error, 'go on'))
    process.exit(1)
  })
}
