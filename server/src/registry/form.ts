/**
 * Validates the configuration file with zod. Every problem is reported as a sentence that begins
 * with its place; values are never repeated, because they may be secrets.
 */
import type { FieldError } from '@settlewire/core/errors'
import { z } from 'zod'

/** A place in the configuration file. It collects problems. */
export class ConfigPlace {
  readonly pointer: string
  readonly #problems: FieldError[]

  constructor(problems: FieldError[], pointer = '') {
    this.#problems = problems
    this.pointer = pointer
  }

  /** The place of a field, as a JSON pointer. */
  at(key: PropertyKey): ConfigPlace {
    const escaped = String(key).replaceAll('~', '~0').replaceAll('/', '~1')
    return new ConfigPlace(this.#problems, `${this.pointer}/${escaped}`)
  }

  /** Whether a problem was reported at this place or inside it. */
  get isWrong(): boolean {
    return this.#problems.some(({ pointer }) => `${pointer}/`.startsWith(`${this.pointer}/`))
  }

  /** Reports a problem. The detail continues a sentence that begins with the place: `must be …`. */
  report(detail: string): typeof invalid {
    this.#problems.push({ pointer: this.pointer, detail })
    return invalid
  }
}

/** An invalid value, whose problem was already reported. */
export const invalid = Symbol('invalid')

/** Parses a value, or reports all its problems by their places. */
export function read<Schema extends z.ZodType>(
  schema: Schema,
  written: unknown,
  place: ConfigPlace,
): z.output<Schema> | typeof invalid {
  const { success, data, error } = schema.safeParse(written)
  if (success) return data
  for (const issue of error.issues) reportIssue(issue, place)
  return invalid
}

function reportIssue(issue: z.core.$ZodIssue, place: ConfigPlace): void {
  const at = issue.path.reduce((outer, key) => outer.at(key), place)
  switch (issue.code) {
    case 'unrecognized_keys':
      for (const key of issue.keys) at.at(key).report(unknownKey(key, issue.message.split(' ')))
      return
    case 'invalid_key':
      for (const { message } of issue.issues) at.report(message)
      return
    default:
      at.report(issue.message)
  }
}

/** An optional field; null if absent. */
export const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema.optional().transform((value): z.output<Schema> | null => value ?? null)

/** A text of a form, which `what` describes: `a name such as …`. */
export const text = (form: RegExp, what: string) =>
  z.string(`must be ${what}`).regex(form, `must be ${what}`)

export const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`
  return z.int(error).min(min, error).max(max, error)
}

export const yesNo = z.boolean('must be true or false')

export const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, `must be one of ${values.join(', ')}`)

export const list = <Schema extends z.ZodType>(
  schema: Schema,
  { min, max }: { min: number; max: number },
) =>
  z
    .array(schema, 'must be a list')
    .min(min, `must name at least ${min}`)
    .max(max, `must name at most ${max}`)

/** An object with keys of the user's choice. */
export const byName = <Schema extends z.ZodType>(name: z.ZodType<string, string>, schema: Schema) =>
  z
    .record(name, schema, 'must be an object')
    .transform((members): ReadonlyMap<string, z.output<Schema>> => new Map(Object.entries(members)))

/** An object with these fields and no others. */
export const object = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) => {
      // The known fields: `reportIssue` makes a sentence of them for each unknown field.
      if (issue.code === 'unrecognized_keys') return Object.keys(shape).join(' ')
      return issue.input === undefined ? 'is missing' : 'must be an object'
    },
  })

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function unknownKey(key: string, known: readonly string[]): string {
  const meant = known.find((name) => isNear(name, key))
  return `is an unknown field: ${meant ? `did you mean ${meant}?` : `known fields are ${known.join(', ')}`}`
}

/** Whether names differ by one wrong, missing, doubled or swapped letter, or only in case. */
function isNear(name: string, typed: string): boolean {
  const [a, b] = [name.toLowerCase(), typed.toLowerCase()]
  if (a === b || a.startsWith(b) || b.startsWith(a)) return true
  const head = [...a].findIndex((letter, index) => letter !== b[index])
  const rest = (text: string, from: number): string => text.slice(head + from)
  return (
    rest(a, 1) === rest(b, 1) ||
    rest(a, 0) === rest(b, 1) ||
    rest(a, 1) === rest(b, 0) ||
    (a[head] === b[head + 1] && a[head + 1] === b[head] && rest(a, 2) === rest(b, 2))
  )
}
