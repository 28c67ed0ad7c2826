import { isAbsolute, join, resolve } from 'node:path'
import { Failure, type FieldError, inLines } from '@settlewire/core/errors'
import { type EdgeLimits, edgeLimitsOf, edgeSettings } from './edge-limits.ts'
import {
  choice,
  databaseUrl,
  integer,
  onOff,
  origin,
  pattern,
  problem,
  redisUrl,
  type Setting,
  SettingProblem,
  type SettingRow,
  webSocketUrl,
} from './setting-text.ts'

/** The environment variables. Only this file reads them. */
export type Environment = Readonly<Record<string, string | undefined>>

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** All settings: their values, defaults and meaning. */
const table = {
  PORT: {
    takes: 'a port; 0 takes any free port',
    default: '8080',
    means: 'The port on which the server listens.',
    read: integer(0, 65_535),
  },
  HOST: {
    takes: 'an address or a host name',
    default: '127.0.0.1',
    means:
      'The address on which the server listens. The sandbox has an unlocked wallet, so without `SANDBOX_ALLOW_REMOTE=on` it only accepts loopback addresses.',
    read: pattern(/^[A-Za-z0-9.:_-]{1,255}$/, 'an address such as 127.0.0.1 or ::1'),
  },
  PUBLIC_URL: {
    takes: 'an http or https URL without path',
    default: '`http://HOST:PORT`',
    unset: null,
    means:
      'The origin under which browsers reach this installation, used in checkout links. With https, cookies are `Secure`.',
    read: origin,
  },
  SETTLEWIRE_HOME: {
    takes: 'a directory; a relative path starts at the working directory of the server',
    default: '`.settlewire` in the project',
    unset: null,
    means: 'The data directory: the embedded database, the pepper of the keys, `sandbox.json`.',
    read: (text: string) => (isAbsolute(text) ? text : resolve(text)),
  },
  SETTLEWIRE_CONFIG: {
    takes: 'a file; a relative path starts at the working directory of the server; or `off`',
    default: '`settlewire.config.ts` (or `.mjs`, `.js`) in the project, if it exists',
    unset: null,
    means: 'The file with chains, providers, tokens and policies: docs/chains.md. `off`: no file.',
    read: (text: string) => (text === 'off' ? 'off' : resolve(text)),
  },
  DATABASE_URL: {
    takes: '`postgres://user:password@host:port/database`, or `embedded`',
    default: 'embedded',
    means:
      'The PostgreSQL database. `embedded` runs a real PostgreSQL as a child process, in the data directory. The URL must contain user, host and database: `PG…` variables are never used.',
    read: databaseUrl,
  },
  REDIS_URL: {
    takes: 'a redis or rediss URL',
    default: null,
    unset: null,
    means:
      'Reserved for the Redis backplane. This version does not use it and logs a warning at the start.',
    read: redisUrl,
  },
  LOG_LEVEL: {
    takes: logLevels.map((level) => `\`${level}\``).join(', '),
    default: 'info, in the sandbox warn',
    unset: null,
    means: 'The lowest level that is logged to standard output.',
    read: choice(logLevels),
  },
  SHUTDOWN_SECONDS: {
    takes: 'seconds, 0 to 300',
    default: '10',
    means: 'How long running requests may take to finish when the server closes.',
    read: integer(0, 300),
  },
  STREAM_HEARTBEAT_MS: {
    takes: 'milliseconds, 1000 to 60000',
    default: '15000',
    means:
      'The time between two heartbeats of a stream. Proxies cut silent streams after 30 to 60 s.',
    read: integer(1_000, 60_000),
  },
  SANDBOX: {
    takes: '`on` or `off`',
    default: 'on',
    means: 'The local chain, the test token, the payer wallet and the demo shop.',
    read: onOff,
  },
  SANDBOX_ALLOW_REMOTE: {
    takes: '`on` or `off`',
    default: 'off',
    means: 'Lets other machines use the sandbox and its wallet. For containers.',
    read: onOff,
  },
  SANDBOX_RPC_URL: {
    takes: 'a ws or wss URL',
    default: 'the sandbox starts anvil',
    unset: null,
    means: 'A running development chain to use instead of starting one.',
    read: webSocketUrl,
  },
  SANDBOX_BLOCK_SECONDS: {
    takes: 'seconds, 1 to 60',
    default: '2',
    means: 'The time between two blocks of the chain that the sandbox starts.',
    read: integer(1, 60),
  },
  ...edgeSettings,
} as const satisfies Record<string, SettingRow<unknown>>

type Name = keyof typeof table
type Values = {
  readonly [N in Name]: ReturnType<(typeof table)[N]['read']> | Unset<(typeof table)[N]>
}
type Unset<R> = R extends { readonly unset: null } ? null : never

/** All settings, for docs/generated/config.md. */
export const settings: readonly Setting[] = Object.entries(table).map(([name, row]) => ({
  name,
  takes: row.takes,
  default: row.default,
  means: row.means,
}))

/** The configuration of this process, read from the environment. */
export interface Config {
  readonly host: string
  readonly port: number
  /** The data directory, absolute. */
  readonly home: string
  /** Null: the embedded PostgreSQL. A secret: it holds the password. */
  readonly databaseUrl: string | null
  readonly logLevel: LogLevel
  readonly shutdownMs: number
  readonly heartbeatMs: number
  /** Limits on connections, memory and time per client. */
  readonly edge: EdgeLimits
  /** Null: no sandbox. */
  readonly sandbox: {
    /** Null: start anvil. */
    readonly rpcUrl: string | null
    readonly blockSeconds: number
  } | null
  /** The file with the chains. `project`: the one in the project, if it exists; null: no file. */
  readonly configFile: { readonly path: string } | 'project' | null
  /** Reads an environment variable that the configuration file names. Its value is a secret. */
  readonly variable: (name: string) => string | undefined
  /** The origin of checkout links, without a trailing slash. `port`: where the server listens. */
  publicUrl(port: number): string
  /** The URL by which this machine reaches the server. `port`: where the server listens. */
  localUrl(port: number): string
  /** Problems that do not prevent the start. */
  readonly warnings: readonly string[]
}

/**
 * Reads the configuration. Throws one `invalid_config` with all problems. It never repeats a value,
 * which may be a secret. `root` is the directory of the project.
 */
export function readConfig(root: string, env: Environment = process.env): Config {
  const problems: FieldError[] = []
  const values = readTable(env, problems)
  checkTogether(env, values, problems)
  if (problems.length > 0) {
    const list = problems.map((each) => `${each.pointer.slice(1)} ${each.detail}`)
    throw new Failure('invalid_config', inLines(list), { fields: problems })
  }
  return configOf(values, root, env)
}

function configOf(values: Values, root: string, env: Environment): Config {
  const remote = values.SANDBOX && !isLoopback(values.HOST)
  const localUrl = (port: number): string => `http://${urlHost(values.HOST)}:${port}`
  return {
    host: values.HOST,
    port: values.PORT,
    home: values.SETTLEWIRE_HOME ?? join(root, '.settlewire'),
    databaseUrl: values.DATABASE_URL,
    logLevel: values.LOG_LEVEL ?? (values.SANDBOX ? 'warn' : 'info'),
    shutdownMs: values.SHUTDOWN_SECONDS * 1000,
    heartbeatMs: values.STREAM_HEARTBEAT_MS,
    edge: edgeLimitsOf(values),
    sandbox: values.SANDBOX
      ? { rpcUrl: values.SANDBOX_RPC_URL, blockSeconds: values.SANDBOX_BLOCK_SECONDS }
      : null,
    configFile: configFileOf(values.SETTLEWIRE_CONFIG),
    variable: (name) => env[name],
    publicUrl: (port) => values.PUBLIC_URL ?? localUrl(port),
    localUrl,
    warnings: [
      ...(remote
        ? ['The sandbox is open to other machines: any client can spend from its wallet.']
        : []),
      ...(values.REDIS_URL === null ? [] : ['REDIS_URL is set but not used by this version.']),
    ],
  }
}

const configFileOf = (setting: string | null): Config['configFile'] => {
  if (setting === null) return 'project'
  return setting === 'off' ? null : { path: setting }
}

function readTable(env: Environment, problems: FieldError[]): Values {
  const values: Record<string, unknown> = {}
  for (const [name, row] of Object.entries<SettingRow<unknown>>(table)) {
    const text = env[name]
    try {
      if (text === '') problem('is set but empty: give it a value or unset it')
      if (text !== undefined) values[name] = row.read(text)
      else values[name] = row.unset === null ? null : row.read(row.default ?? '')
    } catch (error) {
      if (!(error instanceof SettingProblem)) throw error
      problems.push({ pointer: `/${name}`, detail: error.message })
      // The checks across settings continue with the default, so that all problems are reported.
      values[name] = row.unset === null ? null : row.read(row.default ?? '')
    }
  }
  // The loop has set every name of the table to a value that its own row returned.
  return values as Values
}

/** Variables of the command line client `settlewire`, often set in the same shell. */
const ofTheTerminal: ReadonlySet<string> = new Set(['SETTLEWIRE_URL', 'SETTLEWIRE_KEY'])

/** Checks settings against each other. */
function checkTogether(env: Environment, values: Values, problems: FieldError[]): void {
  const report = (name: string, detail: string): void => {
    problems.push({ pointer: `/${name}`, detail })
  }
  for (const name of Object.keys(env)) {
    const isOurs = name.startsWith('SETTLEWIRE_') && !ofTheTerminal.has(name)
    if (isOurs && !Object.hasOwn(table, name)) {
      report(name, 'is an unknown setting: see docs/generated/config.md')
    }
  }
  if (values.SANDBOX && !values.SANDBOX_ALLOW_REMOTE && !isLoopback(values.HOST)) {
    report(
      'HOST',
      'would open the sandbox wallet to other machines: use 127.0.0.1, or set SANDBOX_ALLOW_REMOTE=on',
    )
  }
  if (values.SANDBOX_RPC_URL !== null) {
    if (!values.SANDBOX) report('SANDBOX_RPC_URL', 'has no effect with SANDBOX=off: unset one')
    if (env.SANDBOX_BLOCK_SECONDS !== undefined) {
      report('SANDBOX_BLOCK_SECONDS', 'has no effect with SANDBOX_RPC_URL: unset one')
    }
  }
  checkPgVariables(env, report)
}

/**
 * Variables that `pg` reads from the environment by itself, and the part of the URL they replace.
 */
const pgVariables: Readonly<Record<string, (url: URL) => string>> = {
  PGHOST: (url) => url.hostname || (url.searchParams.get('host') ?? ''),
  PGPORT: (url) => url.port,
  PGUSER: (url) => url.username,
  PGPASSWORD: (url) => url.password,
  PGDATABASE: (url) => url.pathname.slice(1),
  PGSERVICE: () => '',
}

function checkPgVariables(env: Environment, report: (name: string, detail: string) => void): void {
  const text = env.DATABASE_URL
  if (text === 'embedded') return
  const url = text === undefined ? null : URL.parse(text)
  for (const [name, part] of Object.entries(pgVariables)) {
    if (!env[name]) continue
    if (text === undefined) {
      report(
        name,
        'is set but DATABASE_URL is not: set DATABASE_URL, or set it to `embedded` for the embedded database',
      )
    } else if (url !== null && part(url) === '') {
      report(name, 'is set but this part is missing in DATABASE_URL: add it to DATABASE_URL')
    }
  }
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)

/** The host by which this machine reaches a server that listens on `host`. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
