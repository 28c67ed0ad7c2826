import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { databaseName, urlOf } from './embedded/embedded.ts'
import { baseOf, superuser } from './embedded/embedded-place.ts'
import { isHeld } from './embedded/home-lock.ts'

/** Lines of `postmaster.pid`, counted from 0, as PostgreSQL documents them. */
const line = { sockets: 4, state: 7 } as const

/**
 * The database of a server that runs in this home, for those who may read its password: the user who
 * started it, or root. Null when none runs, or is not ready. Holds a password: never log it.
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
    // Not there yet, or not ours to read: the caller finds the home in use, and says so.
    return null
  }
}
