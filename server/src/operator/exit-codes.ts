/** How an operator command ended, for scripts. One table for all of them: a code has one meaning. */
import { Failure } from '@settlewire/core/errors'

/** Printed in the help of each command that can end so, and in docs/operating.md. */
export const operatorExits = {
  done: { code: 0, means: 'done' },
  failed: { code: 1, means: 'failed; the reason is on standard error' },
  usage: { code: 2, means: 'invalid command line' },
  incomplete: { code: 3, means: 'some blocks were not read from every provider' },
  contradiction: { code: 4, means: 'the history contradicts itself' },
  interrupted: { code: 130, means: 'Ctrl-C' },
} as const satisfies Readonly<Record<string, { readonly code: number; readonly means: string }>>

export type OperatorExit = keyof typeof operatorExits

/** Which of them each command can end with, in the order of the table. */
export const exitsOf = {
  merchant: ['done', 'failed', 'usage', 'interrupted'],
  key: ['done', 'failed', 'usage', 'interrupted'],
  audit: ['done', 'failed', 'usage', 'contradiction', 'interrupted'],
  rescan: ['done', 'failed', 'usage', 'incomplete', 'interrupted'],
} as const satisfies Readonly<Record<string, readonly OperatorExit[]>>

export type OperatorCommandName = keyof typeof exitsOf

/**
 * Parses a command line. For an invalid one (`invalid_request`) it prints the problem, and where the
 * help is, and returns the exit code. Every failure after this is one of the command.
 */
export function readOrExit<T>(command: OperatorCommandName, read: () => T): { asked: T } | number {
  try {
    return { asked: read() }
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'invalid_request') throw error
    process.stderr.write(`${error.message}\nSee npx settlewire ${command} --help.\n`)
    return operatorExits.usage.code
  }
}

/** The exit codes of a command, for its help: `0 done, 1 failed; …`. */
export const exitsText = (command: OperatorCommandName): string =>
  exitsOf[command]
    .map((exit) => `${operatorExits[exit].code} ${operatorExits[exit].means}`)
    .join(', ')
