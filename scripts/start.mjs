/** `npm start`: sets up, builds the pages if they changed, runs the server until it is told to end. */
import { argv, exit } from 'node:process'
import { needsBuild } from './pages.mjs'
import { run } from './run.mjs'
import { withSetup } from './setup.mjs'

await withSetup(async (node) => {
  const built = needsBuild() ? await run(node, ['scripts/build.ts']) : 0
  exit(built || (await run(node, ['server/src/main.ts', ...argv.slice(2)])))
})
