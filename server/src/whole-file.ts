import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Replaces a file atomically: after a kill or a power cut at any moment the old or the new file
 * exists, never half a file. Only its owner can read it, from the first byte on. There is one
 * writer at a time, by the lock of the data directory; a draft left by a kill is overwritten.
 */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const draft = `${path}.draft`
  rmSync(draft, { force: true })
  writeFileSync(draft, content, { mode: 0o600, flag: 'wx', flush: true })
  renameSync(draft, path)
  syncFolder(dirname(path))
}

/** Renames a complete file atomically. An existing file with the new name is replaced. */
export function moveWhole(from: string, to: string): void {
  sync(from)
  renameSync(from, to)
  syncFolder(dirname(to))
}

/** Syncs the directory entries of a folder to disk, not only the content of its files. */
export const syncFolder = (path: string): void => sync(path)

function sync(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
