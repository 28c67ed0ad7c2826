/** `node scripts/with-node.mjs script.ts …`: runs a script on the pinned Node, set up if need be. */
import { argv, exit } from 'node:process'
import { run } from './run.mjs'
import { withSetup } from './setup.mjs'

await withSetup(async (node) => exit(await run(node, argv.slice(2))))
