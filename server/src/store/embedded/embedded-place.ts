import { randomBytes } from 'node:crypto'
import { lstatSync, readFileSync, type Stats } from 'node:fs'
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { syncFolder, writeWhole } from '../../whole-file.ts'
import { canEnter, chooseRunUser, type RunUser } from './embedded-user.ts'

/** Where the data of one home is, and which user owns it. */
export interface EmbeddedPlace {
  readonly user: RunUser
  readonly superuser: string
  readonly password: string
  readonly data: string
  readonly sockets: string
  /** Removes the socket directory if it is outside the home. Call it after the server has ended. */
  cleanUp(): Promise<void>
  /** Whether a complete data directory exists. A partial one never gets this name. */
  readonly initialised: boolean
  /** Whether this home ever held a history. Then a missing database is an error. */
  readonly hasHistory: boolean
  /** Records that this home holds a history from now on. */
  keepHistory(): void
  /** A draft directory for new data; `adopt` renames it to the data directory atomically. */
  draft(): Promise<{
    draft: { data: string; passwordFile: string }
    adopt(): Promise<void>
  }>
}

/** `sun_path` has 104 bytes on macOS, including the name of the socket. */
const socketDirectoryMax = 80
/** The setting is a list, in which commas, quotes and blanks are special. */
const plainPath = /^[\w./@+=:-]+$/
const recordName = 'postgres.json'
/** Exists as soon as the home holds a history. */
const historyName = 'history.json'
/** The database superuser, who owns the database. */
export const superuser = 'settlewire'

/** The directory for the data of this home, whether or not there is any. */
export function baseOf(home: string): string {
  const root = resolve(home)
  const text = statOrNull(join(root, recordName)) && readFileSync(join(root, recordName), 'utf8')
  return text === null ? join(root, 'postgres') : directoryIn(text, join(root, recordName))
}

/** Whether a database was created in this home. */
const hasDatabase = (home: string): boolean => statOrNull(join(baseOf(home), 'data')) !== null

/** For commands that never create a database. Throws `invalid_config` if this home has none. */
export function requireDatabase(home: string): void {
  if (hasDatabase(home)) return
  throw new Failure(
    'invalid_config',
    `No database in ${home}: set SETTLEWIRE_HOME to the data directory of the server, or DATABASE_URL to its database.`,
  )
}

/**
 * Uses `home/postgres` if PostgreSQL's user can enter it. Otherwise (root's home has mode 700) uses
 * a directory with a random name outside, which the home records. If a recorded directory is
 * missing, that is an error, never a reason to create a new database.
 */
export async function preparePlace(home: string): Promise<EmbeddedPlace> {
  const root = resolve(home)
  await mkdir(root, { recursive: true })
  const recorded = await readRecord(join(root, recordName))
  const base = recorded ?? join(root, 'postgres')
  if (recorded !== null && statOrNull(recorded) === null) {
    throw new Failure('invalid_config', `${recordName} names ${recorded}, which does not exist.`)
  }
  const owner = statOrNull(join(base, 'data'))
  const history = join(root, historyName)
  if (owner === null && statOrNull(history) !== null) throw historyIsGone(join(base, 'data'), root)
  if (owner !== null && statOrNull(join(base, 'data', 'PG_VERSION')) === null) {
    throw historyIsGone(join(base, 'data', 'PG_VERSION'), root)
  }
  const user = chooseRunUser(owner)
  if (owner !== null && owner.uid !== user.uid) {
    throw new Failure(
      'invalid_config',
      `${base} belongs to another user. Start as that user, or as root.`,
    )
  }
  if (owner !== null && statOrNull(join(base, 'password')) === null) {
    throw historyIsGone(join(base, 'password'), root)
  }
  const directory = owner === null && recorded === null ? await makeBase(root, user) : base
  return openPlace(directory, user, history)
}

/** A home that held a history never gets an empty one instead: all payments would be unknown. */
export const historyIsGone = (what: string, home: string): Failure =>
  new Failure(
    'invalid_config',
    `${what} is missing, so the history in ${home} cannot be read. Restore it from a backup, or delete all of ${home} to start without a history.`,
  )

async function openPlace(base: string, user: RunUser, history: string): Promise<EmbeddedPlace> {
  const data = join(base, 'data')
  const password = await readPassword(base)
  const sockets = await makeSocketDirectory(base, user)
  return {
    user,
    superuser,
    password,
    data,
    sockets,
    async cleanUp() {
      if (!sockets.startsWith(base)) await rm(sockets, { recursive: true, force: true })
    },
    initialised: statOrNull(data) !== null,
    hasHistory: statOrNull(history) !== null,
    keepHistory: () => writeWhole(history, JSON.stringify({ data })),
    async draft() {
      const directory = await mkdtemp(join(base, 'draft-'))
      await chmod(directory, 0o711)
      const draft = { data: join(directory, 'data'), passwordFile: join(directory, 'password') }
      await makeOwned(draft.data, user)
      await writeFile(draft.passwordFile, `${password}\n`, { mode: 0o600 })
      if (user.other) await chown(draft.passwordFile, user.uid, user.gid)
      const adopt = async (): Promise<void> => {
        await rename(draft.data, data)
        syncFolder(base)
        await removeDrafts(base)
      }
      return { draft, adopt }
    },
  }
}

/** Removes this draft and those of killed starts: the lock of the home excludes other processes. */
async function removeDrafts(base: string): Promise<void> {
  const drafts = (await readdir(base)).filter((name) => name.startsWith('draft-'))
  const options = { recursive: true, force: true, maxRetries: 3 }
  await Promise.all(drafts.map((name) => rm(join(base, name), options)))
}

async function makeBase(root: string, user: RunUser): Promise<string> {
  if (!user.other || canEnter(user, root)) {
    const base = join(root, 'postgres')
    await mkdir(base, { recursive: true })
    await chmod(base, user.other ? 0o711 : 0o700)
    return base
  }
  for (const parent of ['/var/lib', '/var/tmp']) {
    const base = join(parent, `settlewire-${randomBytes(12).toString('hex')}`)
    try {
      await mkdir(base, { mode: 0o711 })
      await chmod(base, 0o711)
    } catch {
      // Not writable for this process: try the next directory.
      continue
    }
    if (canEnter(user, base)) {
      writeWhole(join(root, recordName), JSON.stringify({ directory: base }))
      return base
    }
    await rm(base, { recursive: true, force: true })
  }
  throw new Failure(
    'invalid_config',
    `Found no directory for the data that user ${user.uid} can enter.`,
  )
}

async function makeSocketDirectory(base: string, user: RunUser): Promise<string> {
  const beside = join(base, 'run')
  if (Buffer.byteLength(beside) > socketDirectoryMax || !plainPath.test(beside)) {
    const outside = await mkdtemp('/tmp/settlewire-')
    if (user.other) await chown(outside, user.uid, user.gid)
    return outside
  }
  if (statOrNull(beside) === null) await makeOwned(beside, user)
  return beside
}

async function makeOwned(directory: string, user: RunUser): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  if (user.other) await chown(directory, user.uid, user.gid)
}

/** Written before the data is created, and kept: data without its password is lost. */
async function readPassword(base: string): Promise<string> {
  const path = join(base, 'password')
  const known = (await readFile(path, 'utf8').catch(() => '')).trim()
  if (known !== '') return known
  const fresh = randomBytes(24).toString('base64url')
  writeWhole(path, fresh)
  return fresh
}

async function readRecord(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch(() => null)
  return text === null ? null : directoryIn(text, path)
}

function directoryIn(text: string, path: string): string {
  const record: unknown = JSON.parse(text)
  if (typeof record === 'object' && record !== null && 'directory' in record) {
    return String(record.directory)
  }
  throw new Failure('invalid_config', `${path} does not name the data directory.`)
}

function statOrNull(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null
}
