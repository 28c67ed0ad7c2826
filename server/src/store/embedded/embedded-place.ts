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

/** Where the data of one home are, and who owns them. */
export interface Place {
  readonly user: RunUser
  readonly superuser: string
  readonly password: string
  readonly data: string
  readonly sockets: string
  /** Removes what is of no use after the end. */
  cleanUp(): Promise<void>
  /** Whether there are data already. Half-made ones do not count: they never had this name. */
  readonly initialised: boolean
  /** Whether a history was kept here. Its database is then never made anew. */
  readonly hasHistory: boolean
  /** Notes that a history is kept here from now on. */
  keepHistory(): void
  /** A place to make new data in; `adopt` gives them their name, at once and for good. */
  draft(): Promise<{
    draft: { data: string; passwordFile: string }
    adopt(): Promise<void>
  }>
}

/** `sun_path` has 104 bytes on macOS, and the name of the socket is added to the directory. */
const socketDirectoryMax = 80
/** The setting is a list, in which commas, quotes and blanks have a meaning. */
const plainPath = /^[\w./@+=:-]+$/
const recordName = 'postgres.json'
/** There as soon as the data hold a history. */
const historyName = 'history.json'
/** Who owns the data. */
export const superuser = 'settlewire'

/** Where the data of this home are, if there are any. */
export function baseOf(home: string): string {
  const root = resolve(home)
  const text = statOrNull(join(root, recordName)) && readFileSync(join(root, recordName), 'utf8')
  return text === null ? join(root, 'postgres') : directoryIn(text, join(root, recordName))
}

/** Whether a database was made in this home. */
export const hasDatabase = (home: string): boolean =>
  statOrNull(join(baseOf(home), 'data')) !== null

/**
 * `home/postgres` if PostgreSQL's user can get there. Else (root's home has mode 700) a directory
 * with a random name outside, recorded in the home. Data that a record names and that are gone are
 * an error, never a reason to begin with none.
 */
export async function preparePlace(home: string): Promise<Place> {
  const root = resolve(home)
  await mkdir(root, { recursive: true })
  const recorded = await readRecord(join(root, recordName))
  const base = recorded ?? join(root, 'postgres')
  if (recorded !== null && statOrNull(recorded) === null) {
    throw new Failure('invalid_config', `${recordName} names ${recorded}, which is not there.`)
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

/** A home that had a history gets no empty one in its place: all its payments would be unknown. */
export const historyIsGone = (what: string, home: string): Failure =>
  new Failure(
    'invalid_config',
    `${what} is gone, and with it the history that was kept in ${home}: put it back, from a backup if need be, or remove all of ${home} to begin anew.`,
  )

async function openPlace(base: string, user: RunUser, history: string): Promise<Place> {
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

/** This one's, and those of starts that were killed; their makers are gone or about to be. */
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
      // Not a place we may write to; the next one may be.
      continue
    }
    if (canEnter(user, base)) {
      writeWhole(join(root, recordName), JSON.stringify({ directory: base }))
      return base
    }
    await rm(base, { recursive: true, force: true })
  }
  throw new Failure('invalid_config', `There is no place for data that user ${user.uid} can reach.`)
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

/** Made before the data are, and kept: data whose password is lost are lost. */
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
  throw new Failure('invalid_config', `${path} does not say where the data are.`)
}

function statOrNull(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null
}
