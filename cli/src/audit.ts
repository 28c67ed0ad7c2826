import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from './problem.ts'

/** Beside this workspace in a checkout: the audit reads a database and belongs to the server. */
const program = join(import.meta.dirname, '../../server/src/audit.ts')

/**
 * `settlewire audit …`: the one command that speaks to no server. It runs the server's own program,
 * which knows databases, and answers with its exit code.
 */
export async function runAudit(args: readonly string[]): Promise<number> {
  if (!existsSync(program)) {
    throw new Problem('settings', 'The audit comes with the server, which is not installed here.')
  }
  const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' })
  const [code]: readonly unknown[] = await once(child, 'exit')
  return typeof code === 'number' ? code : 1
}
