import { Failure } from '@settlewire/core/errors'

/** Why the store takes no changes, in a word that `/readyz` shows. */
export type StoreTrouble =
  | 'unreachable'
  | 'read_only'
  | 'no_space'
  | 'no_right'
  | 'overloaded'
  | 'refused'

/** What an error of the database means. */
export interface Meaning {
  readonly trouble: StoreTrouble
  /** Which connections may be used again: after a switchover none that is open. */
  readonly connections: 'keep' | 'drop' | 'drop_all'
  /** Whether the statement surely changed nothing. Where it may have, no text may say that. */
  readonly changed: 'nothing' | 'maybe'
  /** Whether it is sent once more at once, on a connection that is fit. Only what changed nothing. */
  readonly again: boolean
}

const lost: Meaning = {
  trouble: 'unreachable',
  connections: 'drop',
  changed: 'maybe',
  again: false,
}
const busy: Meaning = {
  trouble: 'overloaded',
  connections: 'keep',
  changed: 'nothing',
  again: false,
}
const broken: Meaning = { trouble: 'refused', connections: 'drop', changed: 'maybe', again: false }

/**
 * By SQLSTATE, the whole of it or its class; the whole one counts. What is not here is a bug: a
 * wrong statement, a broken rule.
 */
const meanings: Readonly<Record<string, Meaning>> = {
  // The connection: the answer may be lost while the commit is not.
  '08': lost,
  // Refused before the statement ran: the server is a standby since a switchover.
  '25006': { trouble: 'read_only', connections: 'drop_all', changed: 'nothing', again: true },
  // Ended inside a transaction, or a wrong password, or no such database.
  '25P03': { ...lost, changed: 'nothing' },
  '28': { ...broken, changed: 'nothing' },
  '3D': { ...broken, changed: 'nothing' },
  // Serialization and deadlock: rolled back, and another try may get through.
  '40': { ...busy, again: true },
  '40003': lost,
  // Resources: memory and connections, the disk, a limit.
  '53': { ...busy, connections: 'drop' },
  '53100': { ...busy, trouble: 'no_space' },
  // A lock that was not given in time.
  '55': busy,
  // Statement time-out: rolled back. Shutdown, crash and failover end the connections of all.
  '57': busy,
  '57P01': { ...lost, connections: 'drop_all' },
  '57P02': { ...lost, connections: 'drop_all' },
  '57P03': { ...lost, connections: 'drop_all', changed: 'nothing' },
  '57P04': lost,
  '57P05': lost,
  // The system below the server: an error of the disk, mostly.
  '58': broken,
}

/** Null for a bug. */
export function meaningOf(error: unknown): Meaning | null {
  if (!(error instanceof Error) || error instanceof Failure) return null
  const state = sqlState(error)
  if (state === null) {
    // pg says that a connection was lost, or none was free in time, in words only.
    return /connection|timeout|terminated|not queryable|was closed|pool/i.test(error.message)
      ? lost
      : null
  }
  if (!isSqlState(state)) return lost
  return meanings[state] ?? meanings[state.slice(0, 2)] ?? null
}

/**
 * Told where a statement was surely not carried out. Only what refuses changes alone says that no
 * change was made: a request may read after its change was committed, and fail in the reading.
 */
const told: Readonly<Record<StoreTrouble, string>> = {
  unreachable: 'The database could not be reached.',
  read_only: 'The database takes no changes right now, so this one was not made.',
  no_space: 'The database has no room left on its disk.',
  no_right: 'The user of the database lacks a right that Settlewire needs.',
  overloaded: 'The database did not finish in time, or another change was in the way.',
  refused: 'The database refuses the connection.',
}
const repeat = 'Repeat the request with the same Idempotency-Key.'

/**
 * What a database error means to those who called. Bugs stay what they are; everything about the way
 * to the server, or its strength, is `store_unavailable`. Where the statement may have been carried
 * out, the advice of the catalogue says so.
 */
export function asFailure(cause: unknown): unknown {
  if (cause instanceof Failure) return cause
  const meaning = meaningOf(cause)
  if (meaning === null) return cause
  return meaning.changed === 'maybe'
    ? new Failure('store_unavailable', undefined, { cause })
    : notDone(meaning.trouble, cause)
}

/** Of a statement that never reached the server, or was refused by it. */
export const notDone = (trouble: StoreTrouble, cause: unknown): Failure =>
  new Failure('store_unavailable', `${told[trouble]} ${repeat}`, { cause })

const noRight = '42501'

/**
 * The trouble behind a failure of the store; null for a bug. A missing right is one where we ask for
 * more than was granted, and trouble where what was granted is taken away: only who asks can tell.
 */
export function troubleOf(error: unknown): StoreTrouble | null {
  const found = error instanceof Failure ? error.cause : error
  if (sqlState(found) === noRight) return 'no_right'
  return meaningOf(found)?.trouble ?? null
}

/** The SQLSTATE, or Node's own code for a broken connection. */
export const sqlState = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null

const isSqlState = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]+$/.test(code)
