import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { writeWhole } from '../whole-file.ts'

/** PostgreSQL limits paths to 1024 bytes, and its own files are below this directory. */
const bytesMax = 800

/** The problem and what to do, by the error code of the system. */
const problems: Readonly<Record<string, string>> = {
  EACCES: 'is not writable for this user: give it to the user who starts the server',
  EPERM: 'is not writable for this user: give it to the user who starts the server',
  EROFS: 'is on a read-only file system: mount it for writing',
  ENOSPC: 'is on a full disk: free some space',
  EDQUOT: 'is on a disk whose quota is used up: free some space',
  ENOTDIR: 'contains a file in its path: choose another path',
  EEXIST: 'is a file, not a directory: choose another path',
  ELOOP: 'contains a loop of links in its path: choose another path',
  ENAMETOOLONG: 'has a name that is too long for this file system: choose a shorter one',
  EIO: 'cannot be read or written: check the disk',
}

/**
 * Creates the data directory and checks that it is writable. Throws `invalid_config` with the
 * problem and what to do.
 */
export function prepareHome(home: string): void {
  const path = resolve(home)
  if (hasControl(path)) refuse(JSON.stringify(path), 'has a control character in its path: rename')
  if (Buffer.byteLength(path) > bytesMax) {
    refuse(
      `${path.slice(0, 100)}…`,
      `has a path of more than ${bytesMax} bytes: choose a shorter one`,
    )
  }
  const proof = join(path, 'write-proof')
  try {
    mkdirSync(path, { recursive: true })
    writeWhole(proof, '')
    rmSync(proof)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    const problem = problems[code]
    if (problem === undefined) throw cause
    refuse(path, problem, cause)
  }
}

/** Refused, because PostgreSQL writes the path as one line of a file. */
const hasControl = (path: string): boolean =>
  [...path].some((letter) => letter < ' ' || letter === '\u007f')

function refuse(path: string, problem: string, cause?: unknown): never {
  const words = `The data directory ${path} ${problem}, or set SETTLEWIRE_HOME to another directory.`
  throw new Failure('invalid_config', words, { cause })
}
