import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { writeWhole } from '../whole-file.ts'

/** PostgreSQL keeps paths in 1024 bytes, and its own files are named below the home. */
const bytesMax = 800

/** What is wrong, by the system's own code. */
const problems: Readonly<Record<string, string>> = {
  EACCES: 'may not be written by this user: give it to the user who starts this',
  EPERM: 'may not be written by this user: give it to the user who starts this',
  EROFS: 'is on a file system that is read-only: mount it for writing',
  ENOSPC: 'is on a disk that is full: make room there',
  EDQUOT: 'is on a disk whose quota is used up: make room there',
  ENOTDIR: 'leads through a file that is no directory: name another place',
  EEXIST: 'is a file and no directory: name another place',
  ELOOP: 'leads through links that go in a circle: name another place',
  ENAMETOOLONG: 'has a name that is too long for this file system: name a shorter one',
  EIO: 'cannot be read or written: look at the disk',
}

/**
 * Makes the data directory and proves that it can be written. Throws `invalid_config` with a sentence
 * that says what is wrong with it and what to do.
 */
export function prepareHome(home: string): void {
  const path = resolve(home)
  if (hasControl(path)) refuse(JSON.stringify(path), 'has a control character in its path: rename')
  if (Buffer.byteLength(path) > bytesMax) {
    refuse(
      `${path.slice(0, 100)}…`,
      `has a path of more than ${bytesMax} bytes: name a shorter one`,
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

/** PostgreSQL writes the path as a line of a file. */
const hasControl = (path: string): boolean =>
  [...path].some((letter) => letter < ' ' || letter === '\u007f')

function refuse(path: string, problem: string, cause?: unknown): never {
  const words = `The data directory ${path} ${problem}, or set SETTLEWIRE_HOME to another directory.`
  throw new Failure('invalid_config', words, { cause })
}
