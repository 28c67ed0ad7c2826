import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '../../..')

/** Builds the pages if they differ from the sources. Several processes may call it at once. */
export async function ensurePages(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, 'scripts/build.ts')], { cwd: root })
}
