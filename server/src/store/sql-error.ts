import { Failure } from '@settlewire/core/errors'

/** Why the database accepts no writes, as a code that `/readyz` shows. */
export type StoreTrouble =
  | 'unreachable'
  | 'read_only'
  | 'no_space'
  | 'no_right'
  | 'overloaded'
  | 'refused'

/** How to handle a database error. */
export interface Meaning {
  readonly trouble: StoreTrouble
  /** Which connections may be reused: after a switchover none of the open ones. */
  readonly connections: 'keep' | 'drop' | 'drop_all'
  /** Whether the statement certainly changed nothing. If it may have, no message may say so. */
  readonly changed: 'nothing' | 'maybe'
  /** Whether to retry once at once on a new connection. Only for errors that changed nothing. */
  readonly mayRepeat: boolean
}

const lost: Meaning = {
  trouble: 'unreachable',
  connections: 'drop',
  changed: 'maybe',
  mayRepeat: false,
}
const busy: Meaning = {
  trouble: 'overloaded',
  connections: 'keep',
  changed: 'nothing',
  mayRepeat: false,
}
const broken: Meaning = {
  trouble: 'refused',
  connections: 'drop',
  changed: 'maybe',
  mayRepeat: false,
}

/**
 * By SQLSTATE or its class; the full code takes precedence. An error that is not listed is a bug: a
 * wrong statement, or a violated constraint.
 */
const meanings: Readonly<Record<string, Meaning>> = {
  // Lost connection: the answer may be lost although the commit is not.
  '08': lost,
  // Refused before the statement ran: the server became a standby in a switchover.
  '25006': { trouble: 'read_only', connections: 'drop_all', changed: 'nothing', mayRepeat: true },
  // Terminated inside a transaction, or a wrong password, or an unknown database.
  '25P03': { ...lost, changed: 'nothing' },
  '28': { ...broken, changed: 'nothing' },
  '3D': { ...broken, changed: 'nothing' },
  // Serialization and deadlock: rolled back, and a retry may succeed.
  '40': { ...busy, mayRepeat: true },
  '40003': lost,
  // Resources: memory and connections, the disk, a limit.
  '53': { ...busy, connections: 'drop' },
  '53100': { ...busy, trouble: 'no_space' },
  // A lock that was not granted in time.
  '55': busy,
  // Statement time-out: rolled back. Shutdown, crash and failover end all connections.
  '57': busy,
  '57P01': { ...lost, connections: 'drop_all' },
  '57P02': { ...lost, connections: 'drop_all' },
  '57P03': { ...lost, connections: 'drop_all', changed: 'nothing' },
  '57P04': lost,
  '57P05': lost,
  // The system below the server, mostly a disk error.
  '58': broken,
}

/** Null if the error is a bug, or was translated to a `Failure` before. */
export function meaningOf(error: unknown): Meaning | null {
  if (!(error instanceof Error) || error instanceof Failure) return null
  const state = sqlState(error)
  if (state === null) {
    // pg reports a lost connection, or none free in time, by its message only.
    return /connection|timeout|terminated|not queryable|was closed|pool/i.test(error.message)
      ? lost
      : null
  }
  if (!isSqlState(state)) return lost
  return meanings[state] ?? meanings[state.slice(0, 2)] ?? null
}

/**
 * Messages for statements that were certainly not carried out. Only `read_only` says that no change
 * was made: in the other cases a request may fail in a read after its change was committed.
 */
const messages: Readonly<Record<StoreTrouble, string>> = {
  unreachable: 'The database could not be reached.',
  read_only: 'The database takes no changes right now, so this one was not made.',
  no_space: 'The database has no room left on its disk.',
  no_right: 'The user of the database lacks a right that Settlewire needs.',
  overloaded: 'The database did not finish in time, or another change was in the way.',
  refused: 'The database refuses the connection.',
}
const repeat = 'Repeat the request with the same Idempotency-Key.'

/**
 * Translates a database error for callers. Bugs stay unchanged; every problem with the connection
 * or the resources of the server becomes `store_unavailable`. If the statement may have been
 * carried out, the advice of the catalogue says so.
 */
export function asFailure(cause: unknown): unknown {
  if (cause instanceof Failure) return cause
  const meaning = meaningOf(cause)
  if (meaning === null) return cause
  return meaning.changed === 'maybe'
    ? new Failure('store_unavailable', undefined, { cause })
    : notDone(meaning.trouble, cause)
}

/** For a statement that never reached the server, or that the server refused or rolled back. */
export const notDone = (trouble: StoreTrouble, cause: unknown): Failure =>
  new Failure('store_unavailable', `${messages[trouble]} ${repeat}`, { cause })

const noRight = '42501'

/**
 * The trouble behind a failure of the store; null for a bug. A missing right is a bug if the
 * program uses more than was granted, and trouble if a granted right was revoked; only the caller
 * knows which.
 */
export function troubleOf(error: unknown): StoreTrouble | null {
  const found = error instanceof Failure ? error.cause : error
  if (sqlState(found) === noRight) return 'no_right'
  return meaningOf(found)?.trouble ?? null
}

/** The SQLSTATE, or Node's own code of a broken connection. */
export const sqlState = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null

const isSqlState = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]+$/.test(code)
