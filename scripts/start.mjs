/** `npm start`: sets up, builds the pages if they changed, runs the server until it is told to end. */

import { join } from 'node:path'
import { argv, exit } from 'node:process'
import { needsBuild } from './pages.mjs'
import { run } from './run.mjs'
import { root, withSetup } from './setup.mjs'

/** What Node made of the sources the last time: half a second less at every later start. */
const compiled = { NODE_COMPILE_CACHE: join(root, '.toolchain', 'compile-cache') }

await withSetup(async (node) => {
  const built = needsBuild() ? await run(node, ['scripts/build.ts']) : 0
  exit(built || (await run(node, ['server/src/main.ts', ...argv.slice(2)], { env: compiled })))
})
