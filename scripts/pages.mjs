/** Whether the built pages are up to date. Imports no bundler, so that a start stays quick. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

const sources = ['web', 'client/src', 'core/src', 'scripts/build.ts', 'package-lock.json']
const left = new Set(['dist', 'node_modules'])

export const dist = join(root, 'web', 'dist')
export const stampFile = join(dist, '.stamp')

/** A hash over all sources of the pages. */
export function stampOfSources() {
  const hash = createHash('sha256')
  for (const path of sources.flatMap(filesUnder)) {
    hash.update(`\n${path}\n`).update(readFileSync(join(root, path)))
  }
  return hash.digest('hex')
}

export const needsBuild = () =>
  !existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stampOfSources()

/** @param {string} path @returns {string[]} */
function filesUnder(path) {
  if (/\.(ts|json)$/.test(path)) return [path]
  return readdirSync(join(root, path), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .filter((entry) => !left.has(entry.name) && !/\.test\.tsx?$/.test(entry.name))
    .flatMap((entry) =>
      entry.isDirectory() ? filesUnder(`${path}/${entry.name}`) : `${path}/${entry.name}`,
    )
}
