import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Replaces a file in one step: after a kill or a power cut at any moment it is the old one or the new
 * one, never half of one. Readable by its owner alone from its first byte. One writer at a time: the
 * lock of the data directory sees to that, and a draft that a kill has left is written over.
 */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const draft = `${path}.draft`
  rmSync(draft, { force: true })
  writeFileSync(draft, content, { mode: 0o600, flag: 'wx', flush: true })
  renameSync(draft, path)
  syncFolder(dirname(path))
}

/** Gives a file that is whole already another name, in one step. What had that name is gone. */
export function moveWhole(from: string, to: string): void {
  sync(from)
  renameSync(from, to)
  syncFolder(dirname(to))
}

/** Has the disk keep the names of a folder, and not only what is in its files. */
export const syncFolder = (path: string): void => sync(path)

function sync(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
