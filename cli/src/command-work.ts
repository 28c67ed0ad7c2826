import type { Client } from '@settlewire/client/client'
import type { CommandLine } from './ask.ts'
import type { Medium } from './show-event.ts'

/** The arguments, output and client of a command. */
export interface CommandWork {
  readonly client: Client
  /** The address of the server, without a path. */
  readonly address: string
  /** Where `print` prints to. */
  readonly medium: Medium
  readonly asked: CommandLine
  /** Prints a line of the result to stdout. */
  readonly print: (line: string) => void
  /** Prints a line for the person to stderr. */
  readonly note: (line: string) => void
  readonly signal: AbortSignal
}
