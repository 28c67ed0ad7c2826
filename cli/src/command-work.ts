import type { Client } from '@settlewire/client/client'
import type { CommandLine } from './ask.ts'

/** The arguments, output and client of a command. */
export interface CommandWork {
  readonly client: Client
  readonly asked: CommandLine
  /** Prints a line of the result to stdout. */
  readonly print: (line: string) => void
  /** Prints a line for the person to stderr. */
  readonly note: (line: string) => void
  readonly signal: AbortSignal
}
