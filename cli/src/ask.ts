import { parseArgs } from 'node:util'
import { nearest } from '@settlewire/core/words/nearest'
import { CliProblem, helpAdviceFor } from './problem.ts'

const options = {
  amount: { type: 'string' },
  currency: { type: 'string' },
  accept: { type: 'string', multiple: true },
  'expires-in': { type: 'string' },
  reference: { type: 'string' },
  metadata: { type: 'string', multiple: true },
  'redirect-url': { type: 'string' },
  'idempotency-key': { type: 'string' },
  reason: { type: 'string' },
  chain: { type: 'string' },
  status: { type: 'string' },
  'tx-hash': { type: 'string' },
  address: { type: 'string' },
  limit: { type: 'string' },
  cursor: { type: 'string' },
  after: { type: 'string' },
  wait: { type: 'string' },
  url: { type: 'string' },
  sandbox: { type: 'string' },
  quiet: { type: 'boolean', short: 'q' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const

/** Option values by name. Options that were not given are missing. */
interface OptionValues extends Record<string, unknown> {
  quiet?: boolean
  json?: boolean
  help?: boolean
  version?: boolean
}

const common: readonly string[] = ['url', 'sandbox', 'json', 'help']

/** A parsed command line. */
export class CommandLine {
  readonly command: string | undefined
  readonly #values: Readonly<OptionValues>
  readonly #rest: readonly string[]
  /** Where the help for this command line is. */
  readonly #advice: string

  /** `commands` has the names of all commands. */
  constructor(line: readonly string[], commands: readonly string[]) {
    this.#advice = helpAdviceFor(line.find((word) => commands.includes(word)))
    try {
      const parsed = parseArgs({ args: [...line], options, allowPositionals: true })
      this.#values = parsed.values
      const [command, ...rest] = parsed.positionals
      this.command = command
      this.#rest = rest
    } catch (error) {
      throw new CliProblem('usage', wordsFor(error), this.#advice)
    }
  }

  /** Print only what a script needs. */
  get quiet(): boolean {
    return this.#values.quiet === true
  }

  get json(): boolean {
    return this.#values.json === true
  }

  get help(): boolean {
    return this.#values.help === true
  }

  get version(): boolean {
    return this.#values.version === true
  }

  /** Refuses missing arguments, and options or arguments that the command would ignore. */
  only(takes: readonly string[], words: readonly string[]): void {
    const stray = Object.keys(this.#values).find(
      (name) => !takes.includes(name) && !common.includes(name),
    )
    if (stray !== undefined) {
      throw new CliProblem('usage', `${this.command} does not take --${stray}.`, this.#advice)
    }
    for (const word of words) this.word(word, words)
    const extra = this.#rest[this.#unnamed(words).length]
    if (extra !== undefined)
      throw new CliProblem('usage', `Unexpected argument: ${extra}.`, this.#advice)
  }

  /** The id of the payment. */
  id(): string {
    return this.word('id', ['id'])
  }

  /** The arguments that were not given as options of the same name. */
  #unnamed(words: readonly string[]): readonly string[] {
    return words.filter((word) => this.option(word) === undefined)
  }

  /**
   * The value of the argument `<name>`, by its position among `words` or from the option `--name`.
   */
  word(name: string, words: readonly string[]): string {
    const value = this.option(name) ?? this.#rest[this.#unnamed(words).indexOf(name)]
    if (value !== undefined) return value
    const usage = ['npx settlewire', this.command, ...words.map((each) => `<${each}>`)].join(' ')
    throw new CliProblem('usage', `The ${name} is missing. Usage: ${usage}`, this.#advice)
  }

  option(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  required(name: string): string {
    const value = this.option(name)
    if (value === undefined) throw new CliProblem('usage', `--${name} is missing.`, this.#advice)
    return value
  }

  /** All values of an option that may be repeated, or given once with commas. */
  list(name: string): readonly string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? value.flatMap((each) => String(each).split(',')) : []
  }

  whole(name: string): number | undefined {
    const text = this.option(name)
    if (text === undefined) return undefined
    if (!/^\d{1,9}$/.test(text)) {
      throw new CliProblem('usage', `--${name} takes a whole number, not ${text}.`, this.#advice)
    }
    return Number(text)
  }

  /** `--metadata key=value`, which may be repeated. */
  pairs(name: string): Readonly<Record<string, string>> {
    const value = this.#values[name]
    const texts = Array.isArray(value) ? value.map(String) : []
    return Object.fromEntries(
      texts.map((text) => {
        const at = text.indexOf('=')
        if (at < 1)
          throw new CliProblem('usage', `--${name} takes key=value, not ${text}.`, this.#advice)
        return [text.slice(0, at), text.slice(at + 1)]
      }),
    )
  }
}

/** The parser's message; for an unknown option, with the option that was probably meant. */
function wordsFor(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error)
  const [, dashes = '', name = ''] = /^Unknown option '(--?)([^'\s]+)/.exec(words) ?? []
  if (name === '') return words
  const meant = nearest(name, Object.keys(options))
  return `Unknown option ${dashes}${name}.${meant === null ? '' : ` Did you mean --${meant}?`}`
}
