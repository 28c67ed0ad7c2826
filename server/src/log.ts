import { Failure } from '@settlewire/core/errors'
import { toRfc3339 } from '@settlewire/core/instant'
import { type LevelWithSilent, pino } from 'pino'
import { systemClock } from './clock.ts'
import type { Clock } from './ports/clock.ts'
import type { Log } from './ports/log.ts'
import { scrub } from './scrub.ts'

/**
 * The allowed field names of a log line; other fields are dropped, at every depth. An allow list
 * fails closed: code that passes a whole request logs nothing of it. Add a name only if its values
 * can never be a secret, a payer, or a transaction id of the identiPay profile.
 */
const allowed = new Set([
  ...['area', 'what', 'why', 'reason', 'code', 'detail', 'pointer', 'fields', 'retry', 'attempt'],
  ...['error', 'name', 'message', 'stack', 'cause', 'signal', 'exitCode', 'pid', 'version', 'node'],
  ...['requestId', 'method', 'route', 'status', 'ms', 'tookMs', 'waitMs', 'delayMs', 'lagMs'],
  ...['bytes', 'bufferedBytes', 'count', 'events', 'payments', 'streams', 'open', 'limit', 'size'],
  ...['host', 'port', 'setting', 'settings', 'home', 'state', 'level', 'transport', 'outcome'],
  ...['merchantId', 'paymentId', 'eventId', 'keyId', 'livemode', 'sequence', 'position', 'type'],
  ...['chain', 'chainId', 'expected', 'actual', 'source', 'head', 'fromBlock', 'toBlock', 'view'],
  ...['block', 'blockNumber', 'blockHash', 'parentHash', 'genesisHash', 'depth', 'reverted'],
  ...['applied', 'safe', 'finalized', 'asset', 'token', 'decimals', 'visibility', 'migration'],
])

/**
 * Fields with block hashes, which are public. Elsewhere 32 hex bytes are a transaction or a key.
 */
const blockHashFields = new Set(['blockHash', 'parentHash', 'genesisHash'])
const blockHashForm = /^0x[0-9a-f]{64}$/i

const depthMax = 4
const itemsMax = 50

/**
 * One JSON line per call on standard output. `level` is pino's: debug, info, warn, error, silent.
 */
export function createLog(options: {
  readonly level: LevelWithSilent
  readonly to?: { write(line: string): void }
  readonly clock?: Clock
}): Log {
  const clock = options.clock ?? systemClock
  const root = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${toRfc3339(clock.now())}"`,
      formatters: { level: (label) => ({ level: label }) },
      // Our own filter returns plain values; pino's serializers must not process them again.
      serializers: {},
    },
    options.to ?? pino.destination({ dest: 1, sync: true }),
  )
  return wrap(root, {})
}

/** A log that discards everything. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
}

type Line = Record<string, unknown>

function wrap(root: pino.Logger, always: Line): Log {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: object, message: string): void => {
      if (!root.isLevelEnabled(level)) return
      root[level]({ ...always, ...clean(fields, 0) }, scrub(message))
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => wrap(root, { ...always, ...clean(fields, 0) }),
  }
}

/** Keeps the allowed fields. Lists the names of dropped fields, so that developers notice them. */
function clean(fields: object, depth: number): Line {
  const line: Line = {}
  const dropped: string[] = []
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    if (allowed.has(name)) line[name] = isBlockHash(name, value) ? value : plain(value, depth)
    // The keys of a map may be ids: their names must not be logged either.
    else if (/^[A-Za-z]{1,24}$/.test(name) && dropped.length < itemsMax) dropped.push(name)
  }
  if (dropped.length > 0) line.dropped = dropped
  return line
}

const isBlockHash = (name: string, value: unknown): boolean =>
  blockHashFields.has(name) && typeof value === 'string' && blockHashForm.test(value)

function plain(value: unknown, depth: number): unknown {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value === 'string') return scrub(value)
  if (typeof value === 'bigint') return value.toString()
  if (depth >= depthMax) return '…'
  if (value instanceof Error) return plainError(value, depth)
  if (Array.isArray(value)) return value.slice(0, itemsMax).map((item) => plain(item, depth + 1))
  if (typeof value === 'object') return clean(value, depth + 1)
  return `[${typeof value}]`
}

function plainError(error: Error, depth: number): Line {
  const code: unknown = 'code' in error ? error.code : undefined
  const line: Line = { name: error.name, message: scrub(error.message) }
  if (typeof code === 'string' || typeof code === 'number') line.code = code
  if (error instanceof Failure && error.fields.length > 0) {
    line.fields = plain(error.fields, depth + 1)
  }
  // An operating error is identified by its code; only unexpected errors need a stack.
  if (!(error instanceof Failure) && error.stack !== undefined) line.stack = scrub(error.stack)
  if (error.cause !== undefined) line.cause = plain(error.cause, depth + 1)
  return line
}
