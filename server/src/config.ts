import { isAbsolute, join, resolve } from 'node:path'
import { Failure, type FieldError, inLines } from '@settlewire/core/errors'
import { type EdgeLimits, edgeLimitsOf, edgeSettings } from './edge-limits.ts'
import {
  choice,
  databaseUrl,
  integer,
  onOff,
  origin,
  Problem,
  pattern,
  problem,
  type Row,
  redisUrl,
  type Setting,
  webSocketUrl,
} from './setting-text.ts'

/** The words of the environment. Nothing but this file asks for them. */
export type Environment = Readonly<Record<string, string | undefined>>

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** The settings, whole: what they take, what holds without them, what they do. */
const table = {
  PORT: {
    takes: 'a port; 0 takes any free one',
    default: '8080',
    means: 'Where the server listens.',
    read: integer(0, 65_535),
  },
  HOST: {
    takes: 'an address or a host name',
    default: '127.0.0.1',
    means:
      'Whom it listens to. The sandbox holds an unlocked wallet, so it refuses anything but loopback without `SANDBOX_ALLOW_REMOTE=on`.',
    read: pattern(/^[A-Za-z0-9.:_-]{1,255}$/, 'an address such as 127.0.0.1 or ::1'),
  },
  PUBLIC_URL: {
    takes: 'an http or https URL without path',
    default: '`http://HOST:PORT`',
    unset: null,
    means:
      'How browsers reach this installation: in checkout links. With https, cookies are `Secure`.',
    read: origin,
  },
  SETTLEWIRE_HOME: {
    takes: 'a directory; a relative one counts from where the server was started',
    default: '`.settlewire` in the project',
    unset: null,
    means: 'The data directory: the embedded database, the pepper of the keys, `sandbox.json`.',
    read: (text: string) => (isAbsolute(text) ? text : resolve(text)),
  },
  SETTLEWIRE_CONFIG: {
    takes: 'a file; a relative path counts from where the server was started; or the word `off`',
    default: '`settlewire.config.ts` (or `.mjs`, `.js`) in the project, where there is one',
    unset: null,
    means: 'The chains, providers, tokens and policies: docs/chains.md. `off` reads none.',
    read: (text: string) => (text === 'off' ? 'off' : resolve(text)),
  },
  DATABASE_URL: {
    takes: '`postgres://user:password@host:port/database`, or the word `embedded`',
    default: 'embedded',
    means:
      'PostgreSQL. `embedded` runs the real thing as a child, in the data directory. User, host and database must be in the URL: `PG…` variables are never mixed in.',
    read: databaseUrl,
  },
  REDIS_URL: {
    takes: 'a redis or rediss URL',
    default: null,
    unset: null,
    means:
      'Kept for the Redis backplane. This version serves from one process and says at the start that it does not use it.',
    read: redisUrl,
  },
  LOG_LEVEL: {
    takes: logLevels.map((level) => `\`${level}\``).join(', '),
    default: 'info, in the sandbox warn',
    unset: null,
    means: 'The least serious line that is written to standard output.',
    read: choice(logLevels),
  },
  SHUTDOWN_SECONDS: {
    takes: 'seconds, 0 to 300',
    default: '10',
    means: 'How long requests under way may take to finish when the server closes.',
    read: integer(0, 300),
  },
  STREAM_HEARTBEAT_MS: {
    takes: 'milliseconds, 1000 to 60000',
    default: '15000',
    means:
      'The pause between two heartbeats of a stream. Proxies cut silent ones after 30 to 60 s.',
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
    means: 'Lets others than this machine use the sandbox and the wallet in it. For containers.',
    read: onOff,
  },
  SANDBOX_RPC_URL: {
    takes: 'a ws or wss URL',
    default: 'an anvil of its own',
    unset: null,
    means: 'A development chain that is running already, to be used instead.',
    read: webSocketUrl,
  },
  SANDBOX_BLOCK_SECONDS: {
    takes: 'seconds, 1 to 60',
    default: '2',
    means: 'The time between two blocks of the chain that the sandbox starts.',
    read: integer(1, 60),
  },
  ...edgeSettings,
} as const satisfies Record<string, Row<unknown>>

type Name = keyof typeof table
type Values = {
  readonly [N in Name]: ReturnType<(typeof table)[N]['read']> | Unset<(typeof table)[N]>
}
type Unset<R> = R extends { readonly unset: null } ? null : never

/** Every setting, for the page that lists them. */
export const settings: readonly Setting[] = Object.entries(table).map(([name, row]) => ({
  name,
  takes: row.takes,
  default: row.default,
  means: row.means,
}))

/** What this installation is told to be. */
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
  /** What clients may take. */
  readonly edge: EdgeLimits
  /** Null: no sandbox. */
  readonly sandbox: {
    /** Null: start anvil. */
    readonly rpcUrl: string | null
    readonly blockSeconds: number
  } | null
  /** The file with the chains, absolute. `project`: the one in the project, if there is one; null: none. */
  readonly configFile: { readonly path: string } | 'project' | null
  /** What the environment holds under a name that the file asks for. A secret. */
  readonly variable: (name: string) => string | undefined
  /** The origin that checkout links carry, without a slash at the end. `port` is the one listened on. */
  publicUrl(port: number): string
  /** Where this machine reaches the server, whatever the world calls it. `port` is the one listened on. */
  localUrl(port: number): string
  /** What holds together but should be known. */
  readonly warnings: readonly string[]
}

/**
 * Reads the configuration. Throws one `invalid_config` that names every problem, and never repeats
 * a value: it may be a secret. `root` is the directory of the project.
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
        ? ['The sandbox is open to other machines: whoever reaches it can spend from its wallet.']
        : []),
      ...(values.REDIS_URL === null ? [] : ['REDIS_URL is set but not used by this version.']),
    ],
  }
}

const configFileOf = (told: string | null): Config['configFile'] => {
  if (told === null) return 'project'
  return told === 'off' ? null : { path: told }
}

function readTable(env: Environment, problems: FieldError[]): Values {
  const values: Record<string, unknown> = {}
  for (const [name, row] of Object.entries<Row<unknown>>(table)) {
    const text = env[name]
    try {
      if (text === '') problem('is set but empty: give it a value or unset it')
      if (text !== undefined) values[name] = row.read(text)
      else values[name] = row.unset === null ? null : row.read(row.default ?? '')
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      problems.push({ pointer: `/${name}`, detail: error.message })
      // The checks across settings go on with what would hold, so that every problem is told at once.
      values[name] = row.unset === null ? null : row.read(row.default ?? '')
    }
  }
  // The loop has filled every name of the table with what its own row reads.
  return values as Values
}

/** What the command `settlewire` reads; often set in the same shell. */
const ofTheTerminal: ReadonlySet<string> = new Set(['SETTLEWIRE_URL', 'SETTLEWIRE_KEY'])

/** What only shows when settings are seen together. */
function checkTogether(env: Environment, values: Values, problems: FieldError[]): void {
  const report = (name: string, detail: string): void => {
    problems.push({ pointer: `/${name}`, detail })
  }
  for (const name of Object.keys(env)) {
    const isOurs = name.startsWith('SETTLEWIRE_') && !ofTheTerminal.has(name)
    if (isOurs && !Object.hasOwn(table, name)) {
      report(name, 'is no setting of Settlewire: see docs/generated/config.md')
    }
  }
  if (values.SANDBOX && !values.SANDBOX_ALLOW_REMOTE && !isLoopback(values.HOST)) {
    report(
      'HOST',
      'would open the wallet of the sandbox to other machines: use 127.0.0.1, or set SANDBOX_ALLOW_REMOTE=on',
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

/** What `pg` would take from the environment by itself, and the part of the URL it stands for. */
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
        'is set but DATABASE_URL is not: set DATABASE_URL, to `embedded` for the database that comes along',
      )
    } else if (url !== null && part(url) === '') {
      report(name, 'is set and DATABASE_URL leaves it out: write it into DATABASE_URL')
    }
  }
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)

/** The name under which this machine reaches what listens on `host`. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
