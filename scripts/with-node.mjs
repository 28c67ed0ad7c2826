/**
 * `node scripts/with-node.mjs [--tools] script.ts …`: runs a script on the pinned Node, after
 * set-up; with `--tools` it also installs what tests and checks need.
 */
import { argv, exit } from 'node:process'
import { run } from './run.mjs'
import { withSetup } from './setup.mjs'

const tools = argv[2] === '--tools'
const args = argv.slice(tools ? 3 : 2)

await withSetup(async (node) => exit(await run(node, args)), { tools })
