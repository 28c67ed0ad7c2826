import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@settlewire/core/errors'
import type { Clock } from './ports.ts'

const bytes = 32

/**
 * What keys are hashed with: 32 random bytes in the data directory, so that a stolen database opens
 * nothing. Made at the first start; of two processes that make it at once, one wins and both use it.
 */
export function readPepper(home: string, clock: Pick<Clock, 'random'>): Uint8Array {
  const path = join(home, 'pepper')
  mkdirSync(home, { recursive: true })
  const draft = `${path}.${Buffer.from(clock.random(8)).toString('hex')}`
  writeFileSync(draft, clock.random(bytes), { mode: 0o600, flag: 'wx' })
  try {
    // A link appears whole or not at all, and never replaces what is there.
    linkSync(draft, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    rmSync(draft)
  }
  const pepper = new Uint8Array(readFileSync(path))
  if (pepper.length === bytes) return pepper
  throw new Failure('invalid_config', `${path} is damaged: restore it, or every key is void.`)
}
