/** `npm start`: sets up, builds the pages if they changed, and runs the server. */

import { join } from 'node:path'
import { argv, exit } from 'node:process'
import { needsBuild } from './pages.mjs'
import { run } from './run.mjs'
import { root, withSetup } from './setup.mjs'

/** Node's cache of compiled sources, which saves half a second at every later start. */
const compiled = { NODE_COMPILE_CACHE: join(root, '.toolchain', 'compile-cache') }

await withSetup(async (node) => {
  const built = needsBuild() ? await run(node, ['scripts/build.ts']) : 0
  exit(built || (await run(node, ['server/src/main.ts', ...argv.slice(2)], { env: compiled })))
})
