import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '../../..')

/** The built pages are those of the sources: builds them where they are not. Several may ask at once. */
export async function ensurePages(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, 'scripts/build.ts')], { cwd: root })
}
