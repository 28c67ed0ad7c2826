import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
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
export const isOperatorCommand = (command: string | undefined): command is OperatorProgram =>
  command !== undefined && Object.hasOwn(programs, command)

/** The names of these commands. */
export const operatorCommands: readonly string[] = Object.keys(programs)

/**
 * `settlewire merchant …`, `key …`, `audit …` and `rescan …`: they work on a database, not through
 * a server. Each runs the server's own program for it and returns its exit code.
 */
export async function runOperatorCommand(
  command: OperatorProgram,
  args: readonly string[],
): Promise<number> {
  const program = programs[command]
  if (!existsSync(program)) {
    const words = `${command} is part of the server, which is not installed here.`
    throw new CliProblem('settings', words)
  }
  return runProgram(program, args)
}

/** Runs a program with our terminal and returns its exit code. */
export function runProgram(program: string, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' })
  // Forward signals, because `kill` reaches only this process. Then wait until the program has shut
  // down cleanly. At Ctrl-C the program gets the signal twice: from the terminal and from here.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)))
  })
}

/**
 * The exit code of the program, or 128 + n if signal n ended it, as in a shell. A second SIGINT can
 * end a program while it shuts down after the first.
 */
export const exitCodeOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? 128 + (signal === null ? 0 : constants.signals[signal])
