import { Failure } from '@settlewire/core/errors'

/**
 * What a database error means to those who called. Bugs (a wrong statement, a broken rule) stay what
 * they are; everything about the way to the server, or its strength, is `store_unavailable`.
 */
export function asFailure(error: unknown): unknown {
  if (error instanceof Failure || !(error instanceof Error)) return error
  return isOperating(error) ? new Failure('store_unavailable', undefined, { cause: error }) : error
}

/** The SQLSTATE, or Node's own code for a broken connection. */
export const sqlState = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null

/** Whether the connection itself is in doubt, and not only its last statement. */
export function isLostConnection(error: unknown): boolean {
  const state = sqlState(error)
  return state === null || !isSqlState(state) || state.startsWith('08') || state.startsWith('57P')
}

const isSqlState = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]+$/.test(code)

/**
 * Connection (08), resources (53), operator intervention (57), system (58), serialization and
 * deadlock (40), lock time-out (55), wrong password or database (28, 3D), read-only standby (25006).
 */
const operatingClasses = new Set(['08', '53', '57', '58', '40', '55', '28', '3D'])

function isOperating(error: Error): boolean {
  const state = sqlState(error)
  // pg says that a connection was lost, or none was free in time, in words only.
  if (state === null) {
    return /connection|timeout|terminated|not queryable|was closed|pool/i.test(error.message)
  }
  if (!isSqlState(state)) return true
  return state === '25006' || operatingClasses.has(state.slice(0, 2))
}
