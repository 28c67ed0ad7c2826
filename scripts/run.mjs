/** Runs programs for the scripts, on the pinned Node, with signals forwarded. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { environment, root } from './setup.mjs'

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Runs a program with our terminal and resolves with its exit code, 128 + n for signal n. Forwards
 * the signals that this process receives.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ quiet?: boolean, env?: Record<string, string>, cwd?: string }} [options] quiet: the
 *   output is shown only if the program fails; cwd: the checkout, unless given
 * @returns {Promise<number>}
 */
export function run(command, args, options = {}) {
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    env: { ...environment(), ...options.env },
    stdio: options.quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
  })
  /** @type {Buffer[]} */
  const kept = []
  child.stdout?.on('data', (chunk) => kept.push(chunk))
  child.stderr?.on('data', (chunk) => kept.push(chunk))
  const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal)
  for (const signal of forwarded) process.on(signal, forward)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      for (const name of forwarded) process.off(name, forward)
      const result = code ?? 128 + (signal ? constants.signals[signal] : 0)
      if (options.quiet && result !== 0) process.stdout.write(Buffer.concat(kept))
      resolve(result)
    })
  })
}

/** The path of an installed program's start file. @param {string} path */
export const installed = (path) => `${root}/node_modules/${path}`
