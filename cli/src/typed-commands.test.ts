import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { commands } from './commands.ts'
import { operatorCommands } from './operator.ts'

const root = join(import.meta.dirname, '../..')
const names = [...Object.keys(commands), ...operatorCommands].join('|')
/** A command at the start of a line or of a quotation, where a reader would copy it. */
const bare = new RegExp(`(^|\`)settlewire (${names})\\b.*`, 'gm')

it.each([
  ...['README.md', 'SECURITY.md', 'PROTOCOL.md', 'ARCHITECTURE.md', 'CHANGELOG.md'],
  ...globSync('docs/{,generated/}*.md', { cwd: root }),
  'core/src/errors.ts',
  'scripts/generate.ts',
  'server/src/engine/watch/unrecorded.ts',
])('%s writes commands with npx, as they are typed in a clone', (path) => {
  expect(readFileSync(join(root, path), 'utf8').match(bare) ?? []).toEqual([])
})
