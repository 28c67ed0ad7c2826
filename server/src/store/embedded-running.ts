import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { databaseName, urlOf } from './embedded/embedded.ts'
import { baseOf, superuser } from './embedded/embedded-place.ts'
import { isHeld } from './embedded/home-lock.ts'

/** Line numbers of `postmaster.pid`, from 0, as PostgreSQL documents them. */
const line = { sockets: 4, state: 7 } as const

/**
 * The database URL of the server that runs in this home, if the process may read its password: as
 * the user who started it, or as root. Null if none runs or is ready. Has a password: never log it.
 */
export function runningEmbedded(home: string): string | null {
  if (!isHeld(home)) return null
  try {
    const base = baseOf(home)
    const password = readFileSync(join(base, 'password'), 'utf8').trim()
    const lines = readFileSync(join(base, 'data', 'postmaster.pid'), 'utf8').split('\n')
    const sockets = lines[line.sockets]?.trim() ?? ''
    const isReady = lines[line.state]?.trim() === 'ready'
    return isReady && sockets !== '' ? urlOf({ superuser, password, sockets }, databaseName) : null
  } catch {
    // Missing, or not readable by this user: the caller then reports that the home is in use.
    return null
  }
}
