import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CliProblem } from './problem.ts'

/**
 * Programs beside this workspace in a checkout: they work on a database and belong to the server.
 */
const programs = {
  merchant: join(import.meta.dirname, '../../server/src/merchant.ts'),
  key: join(import.meta.dirname, '../../server/src/key.ts'),
  audit: join(import.meta.dirname, '../../server/src/audit.ts'),
  rescan: join(import.meta.dirname, '../../server/src/rescan.ts'),
} as const

type OperatorProgram = keyof typeof programs

/** Whether it is a command for operators of a server. */
export const isOperators = (command: string | undefined): command is OperatorProgram =>
  command !== undefined && Object.hasOwn(programs, command)

/** The names of these commands. */
export const operatorCommands: readonly string[] = Object.keys(programs)

/**
 * `settlewire merchant …`, `key …`, `audit …` and `rescan …`: they work on a database, not through
 * a server. Each runs the server's own program for it and returns its exit code.
 */
export async function runOperators(
  command: OperatorProgram,
  args: readonly string[],
): Promise<number> {
  const program = programs[command]
  if (!existsSync(program)) {
    const words = `${command} is part of the server, which is not installed here.`
    throw new CliProblem('settings', words)
  }
  const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' })
  // The program shuts down in order, and this process waits for it. A terminal sends Ctrl-C to
  // both.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const [code]: readonly unknown[] = await once(child, 'exit')
  return typeof code === 'number' ? code : 1
}
