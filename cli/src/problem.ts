import { adviceFor, retryFor } from '@settlewire/client/advice'
import { RequestError } from '@settlewire/client/request-error'
import type { ExitName } from './exit-code.ts'

/** The advice for a command line, or a request made of it, that is not valid. */
export const helpAdvice = 'See npx settlewire --help.'

/** The advice for the command line of one command; of none if it is undefined. */
export const helpAdviceFor = (command: string | undefined): string =>
  command === undefined ? helpAdvice : `See npx settlewire ${command} --help.`

/** Stops a command before it is sent. The message is printed as it is. */
export class CliProblem extends Error {
  override readonly name = 'Problem'
  readonly exit: ExitName
  readonly advice: string

  constructor(exit: ExitName, message: string, advice = '') {
    super(message)
    this.exit = exit
    this.advice = advice
  }
}

/** The person pressed Ctrl-C and knows it, so nothing is printed. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** An error for a person: the code, the message, each field, and the advice. */
export interface ErrorReport {
  readonly exit: ExitName
  readonly lines: readonly string[]
}

/** The lines and exit code of an error. Null for a bug, which shows its stack. */
export function tell(error: unknown): ErrorReport | null {
  if (error instanceof CliProblem) {
    return { exit: error.exit, lines: present([error.message, error.advice]) }
  }
  if (error instanceof Interrupted) return { exit: 'interrupted', lines: [] }
  if (!(error instanceof RequestError)) return null
  const { code, message, fields, requestId, isFinal } = error
  const advice = adviceHere[code] ?? adviceFor(code)
  const retry = retryFor(code) ?? (isFinal ? 'never' : 'later')
  return {
    exit: retry === 'later' ? 'later' : 'refused',
    lines: present([
      `${code}: ${message}`,
      ...fields
        .filter(({ detail }) => fields.length > 1 || !message.includes(detail))
        .map((field) => `  ${field.pointer} ${field.detail}`),
      advice === message ? '' : advice,
      requestId === null ? '' : `Request ${requestId}`,
    ]),
  }
}

/** Advice for a person at a terminal, where the catalogue's is for programs. */
const adviceHere: Readonly<Record<string, string>> = {
  // The catalogue's advice names parts of an HTTP answer.
  invalid_request: helpAdvice,
  unreachable: 'Start Settlewire there, for example with npm start, or check the address.',
}

const present = (lines: readonly string[]): readonly string[] => lines.filter((line) => line !== '')
