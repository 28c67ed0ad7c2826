#!/usr/bin/env node
/**
 * The installed command `settlewire`. In plain JavaScript, because the program itself is TypeScript
 * that an older Node cannot read: then it starts the pinned Node of this checkout.
 */
import { realpathSync } from 'node:fs'
import { argv, cwd, execPath, features } from 'node:process'
import { fileURLToPath } from 'node:url'
import { run } from '../../scripts/run.mjs'
import { withSetup } from '../../scripts/setup.mjs'

const program = new URL('../src/main.ts', import.meta.url)

await withSetup(async (node) => {
  if (realpathSync(node) !== realpathSync(execPath)) {
    const args = [fileURLToPath(program), ...argv.slice(2)]
    process.exitCode = await run(node, args, { cwd: cwd() })
  } else if (features.typescript) {
    await import(program.href)
  } else {
    // Set-up returns the running Node when the pinned one was removed after the installation.
    console.error(
      'The Node for this command is not installed: run `npm ci` in the folder of the project first.',
    )
    process.exitCode = 1
  }
})
