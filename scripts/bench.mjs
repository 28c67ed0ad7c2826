/** `npm run bench [name …]`: runs the benches one after another; each prints a table. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { argv, exit } from 'node:process'
import { needsBuild } from './pages.mjs'
import { run } from './run.mjs'
import { root, withSetup } from './setup.mjs'

await withSetup(
  async (node) => {
    const known = readdirSync(join(root, 'bench'), { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => entry.name.replace(/\.ts$/, ''))
      .sort()
    const wanted = argv.slice(2)
    const unknown = wanted.filter((name) => !known.includes(name))
    if (unknown.length > 0) {
      console.error(`Unknown bench: ${unknown.join(', ')}. Available: ${known.join(', ')}.`)
      exit(1)
    }
    const built = needsBuild() ? await run(node, ['scripts/build.ts']) : 0
    if (built !== 0) exit(built)
    let failed = 0
    for (const name of known) {
      if (wanted.length > 0 && !wanted.includes(name)) continue
      console.log(`\n── ${name} ${'─'.repeat(Math.max(0, 76 - name.length))}\n`)
      if ((await run(node, [join('bench', `${name}.ts`)])) !== 0) failed += 1
    }
    exit(failed === 0 ? 0 : 1)
  },
  { tools: true },
)
