import { createHmac } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import { sameSecret } from './credential.ts'
import type { Directory } from './ports/access.ts'
import type { Clock } from './ports/clock.ts'
import { syncFolder } from './whole-file.ts'

const bytes = 32
const pathIn = (home: string): string => join(home, 'pepper')

/**
 * The pepper with which keys are hashed: 32 random bytes in the data directory, so that a stolen
 * database is useless. Created at the first start; if two processes create it at once, both use
 * one.
 */
export function readPepper(home: string, clock: Pick<Clock, 'random'>): Uint8Array {
  const path = pathIn(home)
  mkdirSync(home, { recursive: true })
  const draft = `${path}.${Buffer.from(clock.random(8)).toString('hex')}`
  writeFileSync(draft, clock.random(bytes), { mode: 0o600, flag: 'wx', flush: true })
  try {
    // A hard link is atomic, and never replaces an existing file.
    linkSync(draft, path)
    syncFolder(home)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(draft)
  }
  const pepper = new Uint8Array(readFileSync(path))
  if (pepper.length === bytes) return pepper
  throw new Failure('invalid_config', `${path} is damaged: restore it, or all keys are invalid.`)
}

/**
 * Compares the pepper with a one-way mark of it in the database. Throws `invalid_config` if the
 * keys were hashed with another pepper: every key would be refused without an explanation.
 */
export async function checkPepper(
  pepper: Uint8Array,
  { home, directory }: { home: string; directory: Pick<Directory, 'secret'> },
): Promise<void> {
  const mark = createHmac('sha256', pepper).update('settlewire pepper').digest()
  const known = await directory.secret('pepper-check', () => new Uint8Array(mark))
  if (sameSecret(Buffer.from(known).toString('hex'), mark.toString('hex'))) return
  throw new Failure(
    'invalid_config',
    `${pathIn(home)} is not the pepper that the keys of this database were hashed with, or it was lost and created again: restore it, or copy it from another server of this database. With this pepper all keys are invalid.`,
  )
}
