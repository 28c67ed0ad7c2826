/** How a command of operators with words of its own (`settlewire key list`) is described and read. */
import { Failure } from '@settlewire/core/errors'
import { hint, readCommandLine } from '../command-line.ts'
import type { OperatorPlace } from './place.ts'

/** An option: what stands in the place of its value, null for a switch, and what it means. */
export interface OptionRow {
  readonly takes: string | null
  readonly multiple?: boolean
  readonly means: string
}

/** What was given on the command line: values by option, and the words after the subcommand. */
export class Given {
  readonly #values: Readonly<Record<string, unknown>>
  readonly #words: ReadonlyMap<string, string>

  constructor(values: Readonly<Record<string, unknown>>, words: ReadonlyMap<string, string>) {
    this.#values = values
    this.#words = words
  }

  /** The value of an option; null when it was not given. */
  value(option: string): string | null {
    const value = this.#values[option]
    return typeof value === 'string' ? value : null
  }

  /** All values of an option that may be given often, or once with commas. */
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

/** What a subcommand answers: for programs a value for each line, for people a text. */
export interface Answer {
  readonly json: readonly object[]
  readonly text: string
}

/** What is done once the command line was understood. */
export type Work = (place: OperatorPlace) => Promise<Answer>

export interface Subcommand {
  /** What it takes without a name, in order. */
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, OptionRow>>
  readonly does: string
  /** Whether it may be the first thing that is ever done in a database. */
  readonly begins?: boolean
  /** Throws `invalid_request` with what is wrong, before anything is opened. */
  readonly read: (given: Given) => Work
}

/** A command with its subcommands. */
export interface OperatorCommand {
  readonly name: string
  readonly does: string
  readonly subcommands: Readonly<Record<string, Subcommand>>
  /** Said at the end of its help. */
  readonly notes: string
}

/** What was asked for; null for help. */
export interface Asked {
  readonly subcommand: Subcommand
  readonly work: Work
  readonly json: boolean
}

const common: Readonly<Record<string, OptionRow>> = {
  json: { takes: null, means: 'one JSON value per line' },
  help: { takes: null, means: 'this text' },
}

/** Reads the words after the command. Throws `invalid_request` with what is wrong with them. */
export function readAsked(command: OperatorCommand, args: readonly string[]): Asked | null {
  const [name, ...rest] = args
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') return null
  const names = Object.keys(command.subcommands)
  const subcommand = Object.hasOwn(command.subcommands, name) ? command.subcommands[name] : null
  if (!subcommand) {
    const known = hint(name, names) || ` There is ${names.join(', ')}.`
    throw new Failure('invalid_request', `There is no ${command.name} ${name}.${known}`)
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
  const work = subcommand.read(new Given(values, words))
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
    throw new Failure('invalid_request', `Which ${missing}? settlewire ${usage}`)
  }
  const extra = given[words.length]
  if (extra !== undefined) throw new Failure('invalid_request', `What is ${extra}?`)
  return new Map(words.map((word, index) => [word, given[index] ?? '']))
}

const flagWidth = 18
const helpWidth = 96

/** A text after its head, its further lines indented as far as the first. */
function wrapped(head: string, text: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    const isFull = line !== '' && head.length + line.length + 1 + word.length > helpWidth
    if (isFull) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return head + lines.join(`\n${' '.repeat(head.length)}`)
}

/** The help of a command: each subcommand with what it takes. */
export function helpOf({ name, does, subcommands, notes }: OperatorCommand): string {
  const parts = Object.entries(subcommands).map(([sub, { words, options, does: what }]) => {
    const head = [`  settlewire ${name} ${sub}`, ...words.map((word) => `<${word}>`)].join(' ')
    const rows = Object.entries(options).map(([option, { takes, means }]) => {
      const flag = takes === null ? `--${option}` : `--${option} <${takes}>`
      return wrapped(`      ${flag.padEnd(flagWidth)} `, means)
    })
    return [head, `      ${what}`, ...rows].join('\n')
  })
  return `
settlewire ${name}: ${does}

${parts.join('\n\n')}

  With --json each answers one JSON value per line. Exit codes: 0 done, 1 it could not be done,
  2 the command line does not fit. ${notes}
`
}
