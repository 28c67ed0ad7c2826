/** Describes and parses operator commands with subcommands, such as `settlewire key list`. */
import { Failure } from '@settlewire/core/errors'
import { hint, readCommandLine, wrapped } from '../command-line.ts'
import { exitsText } from './exit-codes.ts'
import type { OperatorPlace } from './place.ts'

/** An option: the placeholder of its value (null for a switch) and its meaning. */
export interface OptionRow {
  readonly takes: string | null
  readonly multiple?: boolean
  readonly means: string
}

/** Parsed arguments: values by option, and the words after the subcommand. */
export class GivenArguments {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #words: ReadonlyMap<string, string>

  constructor(values: Readonly<Record<string, unknown>>, words: ReadonlyMap<string, string>) {
    this.#values = values
    this.#words = words
  }

  /** The value of an option; null if absent. */
  value(option: string): string | null {
    const value = this.#values[option]
    return typeof value === 'string' ? value : null
  }

  /** All values of an option that may be repeated, or given once with commas. */
  list(option: string): readonly string[] {
    const value = this.#values[option]
    return Array.isArray(value) ? value.flatMap((each) => String(each).split(',')) : []
  }

  has(option: string): boolean {
    return this.#values[option] === true
  }

  word(name: string): string {
    return this.#words.get(name) ?? ''
  }
}

/** The output of a subcommand: for programs one value per line, for people a text. */
export interface OperatorAnswer {
  readonly json: readonly object[]
  readonly text: string
  /** A text for the person, printed to stderr after the output; null or left out: no warning. */
  readonly warning?: string | null
}

/** The work of a subcommand, after its arguments were parsed. */
export type OperatorWork = (place: OperatorPlace) => Promise<OperatorAnswer>

export interface Subcommand {
  /** The names of its positional arguments, in order. */
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, OptionRow>>
  readonly does: string
  /** Whether it may run on an empty database, which it then initializes. */
  readonly begins?: boolean
  /** Throws `invalid_request` for a wrong argument, before the database is opened. */
  readonly read: (given: GivenArguments) => OperatorWork
}

/** A command with its subcommands. */
export interface OperatorCommand {
  readonly name: 'merchant' | 'key'
  readonly does: string
  readonly subcommands: Readonly<Record<string, Subcommand>>
  /** Printed at the end of its help. */
  readonly notes: string
}

/** A parsed command line. */
export interface ParsedCommand {
  readonly subcommand: Subcommand
  readonly work: OperatorWork
  readonly json: boolean
}

const common: Readonly<Record<string, OptionRow>> = {
  json: { takes: null, means: 'one JSON value per line' },
  help: { takes: null, means: 'this text' },
}

/** Parses the arguments; null for help. Throws `invalid_request` for a wrong argument. */
export function readAsked(command: OperatorCommand, args: readonly string[]): ParsedCommand | null {
  const [name, ...rest] = args
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') return null
  const names = Object.keys(command.subcommands)
  const subcommand = Object.hasOwn(command.subcommands, name) ? command.subcommands[name] : null
  if (!subcommand) {
    const known = hint(name, names) || ` Subcommands: ${names.join(', ')}.`
    const words = `Unknown subcommand settlewire ${command.name} ${name}.${known}`
    throw new Failure('invalid_request', words)
  }
  const options = { ...subcommand.options, ...common }
  const { values, positionals } = readCommandLine({
    args: rest,
    allowPositionals: true,
    options: Object.fromEntries(
      Object.entries(options).map(([option, { takes, multiple = false }]) => [
        option,
        {
          type: takes === null ? ('boolean' as const) : ('string' as const),
          multiple,
          ...(option === 'help' && { short: 'h' }),
        },
      ]),
    ),
  })
  if (values.help === true) return null
  const words = wordsIn(`${command.name} ${name}`, subcommand, positionals)
  const work = subcommand.read(new GivenArguments(values, words))
  return { subcommand, work, json: values.json === true }
}

function wordsIn(
  name: string,
  { words }: Subcommand,
  given: readonly string[],
): ReadonlyMap<string, string> {
  const missing = words[given.length]
  if (missing !== undefined) {
    const usage = [name, ...words.map((word) => `<${word}>`)].join(' ')
    throw new Failure('invalid_request', `Missing ${missing}: npx settlewire ${usage}`)
  }
  const extra = given[words.length]
  if (extra !== undefined) {
    throw new Failure('invalid_request', `Unexpected argument ${extra}.`)
  }
  return new Map(words.map((word, index) => [word, given[index] ?? '']))
}

const flagWidth = 18

/** The help of a command with all subcommands and options. */
export function helpOf({ name, does, subcommands, notes }: OperatorCommand): string {
  const parts = Object.entries(subcommands).map(([sub, { words, options, does: what }]) => {
    const head = [`  npx settlewire ${name} ${sub}`, ...words.map((word) => `<${word}>`)].join(' ')
    const rows = Object.entries(options).map(([option, { takes, means }]) => {
      const flag = takes === null ? `--${option}` : `--${option} <${takes}>`
      return wrapped(`      ${flag.padEnd(flagWidth)} `, means)
    })
    return [head, `      ${what}`, ...rows].join('\n')
  })
  return `
settlewire ${name}: ${does}

${parts.join('\n\n')}

${wrapped('  ', `With --json each prints one JSON value per line. Exit codes: ${exitsText(name)}. ${notes}`)}
`
}
