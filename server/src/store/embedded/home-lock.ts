import { createHash, randomBytes } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { birthOf, livesOn } from './process-birth.ts'

export interface HomeLock {
  /** Records the URL of the holder, which `home_in_use` then shows to other processes. */
  recordUrl(url: string): void
  /** Releases the directory. Calling it again does nothing. */
  release(): void
}

interface LockHolder {
  readonly pid: number
  readonly born: string
  /** The URL of the server, once it accepts requests. */
  readonly url?: string
}

const attemptsMax = 50

/**
 * Locks a data directory for this process. Throws `home_in_use`, naming the process that holds it.
 * A killed holder is detected by its pid and birth, so a lock never has to be removed by hand.
 *
 * The lock is the newest of numbered files. A file appears complete (it is linked, not written),
 * and the newest never disappears: it is only succeeded or marked as released. So if several
 * processes find the same dead holder, one wins the next number, and the others find the winner.
 */
export function lockHome(home: string): HomeLock {
  const directory = join(home, 'lock')
  // In two steps: the mode in a recursive call would also close the home to PostgreSQL's user.
  mkdirSync(home, { recursive: true })
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const me: LockHolder = { pid: process.pid, born: birthOf(process.pid) ?? '' }
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const newest = newestOf(directory)
    const holder = newest === 0 ? null : read(directory, newest)
    if (holder !== null && livesOn(holder.pid, holder.born)) {
      throw new Failure('home_in_use', inUse(home, holder))
    }
    const mine = newest + 1
    if (!claim(directory, mine, me)) continue
    // A process that listed the files before a successor was made may win an outdated number.
    if (newestOf(directory) !== mine) {
      rmSync(join(directory, String(mine)), { force: true })
      continue
    }
    for (const number of numbersIn(directory)) {
      if (number < mine) rmSync(join(directory, String(number)), { force: true })
    }
    let isHeld = true
    return {
      recordUrl: (url) => {
        if (isHeld) put(directory, mine, { ...me, url })
      },
      release() {
        if (isHeld) put(directory, mine, null)
        isHeld = false
      },
    }
  }
  throw new Failure('home_in_use', `Several processes are trying to lock ${home} at once.`)
}

function inUse(home: string, { pid, url }: LockHolder): string {
  const where = url === undefined ? 'It does not answer yet.' : `Settlewire runs at ${url}.`
  return `Process ${pid} uses ${home}. ${where}`
}

/** Whether a living process holds the lock of this home. */
export function isHeld(home: string): boolean {
  const directory = join(home, 'lock')
  if (!existsSync(directory)) return false
  const newest = newestOf(directory)
  const holder = newest === 0 ? null : read(directory, newest)
  return holder !== null && livesOn(holder.pid, holder.born)
}

function claim(directory: string, number: number, holder: LockHolder): boolean {
  const draft = writeDraft(directory, holder)
  try {
    linkSync(draft, join(directory, String(number)))
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

const put = (directory: string, number: number, holder: LockHolder | null): void =>
  renameSync(writeDraft(directory, holder), join(directory, String(number)))

function writeDraft(directory: string, holder: LockHolder | null): string {
  const draft = join(directory, `draft-${randomBytes(8).toString('hex')}`)
  writeFileSync(draft, JSON.stringify(holder), { mode: 0o600, flag: 'wx' })
  return draft
}

const numbersIn = (directory: string): number[] =>
  readdirSync(directory)
    .filter((name) => /^[1-9][0-9]{0,14}$/.test(name))
    .map(Number)

const newestOf = (directory: string): number => Math.max(0, ...numbersIn(directory))

/** Null if it was released, or was succeeded and removed meanwhile. */
function read(directory: string, number: number): LockHolder | null {
  try {
    const holder: unknown = JSON.parse(readFileSync(join(directory, String(number)), 'utf8'))
    if (typeof holder !== 'object' || holder === null) return null
    if (!('pid' in holder) || !('born' in holder)) return null
    if (typeof holder.pid !== 'number' || typeof holder.born !== 'string') return null
    const url = 'url' in holder && typeof holder.url === 'string' ? { url: holder.url } : {}
    return { pid: holder.pid, born: holder.born, ...url }
  } catch {
    // The file was removed meanwhile; or a power cut truncated it, and so the holder is dead too.
    return null
  }
}

/**
 * An identifier of this data directory on this machine, the same at each start. A random mark in
 * the directory tells two hosts apart that have the same name, path and inode, as containers may;
 * name, path and inode tell a copy apart from its original. Call it with the lock held: the holder
 * of the lock is the only process with this identifier.
 */
export function placeOf(home: string): string {
  const place = [hostname(), realpathSync(home), statSync(home).ino, markOf(home)]
  return createHash('sha256').update(JSON.stringify(place)).digest('hex')
}

/** The random mark of a data directory, which the first start makes. */
function markOf(home: string): string {
  const file = join(home, 'lock', 'mark')
  try {
    writeFileSync(file, randomBytes(16).toString('hex'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return readFileSync(file, 'utf8')
}
