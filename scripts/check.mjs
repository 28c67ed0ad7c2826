/** `npm run check`: types, lint and format, tidiness, documents. A failure stops no other step. */
import { exit } from 'node:process'
import { installed, run } from './run.mjs'
import { withSetup } from './setup.mjs'

const projects = ['core', 'client', 'server', 'cli', 'web', 'test']

await withSetup(
  async (node) => {
    const tsc = installed('typescript/bin/tsc')
    /** @type {[string, string[]][]} */
    const steps = [
      ...projects.map(
        (name) => /** @type {[string, string[]]} */ ([`types of ${name}`, [tsc, '-p', name]]),
      ),
      [
        'lint and format',
        [installed('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'],
      ],
      [
        'tidiness and documents',
        [installed('vitest/vitest.mjs'), 'run', '--config=test/tidy/vitest.config.ts'],
      ],
    ]
    let failed = 0
    for (const [name, args] of steps) {
      const startedAt = Date.now()
      const code = await run(node, args, { quiet: true })
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${Date.now() - startedAt} ms)`)
      if (code !== 0) failed += 1
    }
    exit(failed === 0 ? 0 : 1)
  },
  { tools: true },
)
