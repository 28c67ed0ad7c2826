import { nearest } from '@settlewire/core/words/nearest'
import { visibleText } from '@settlewire/core/words/plain-text'
import { z } from 'zod'

/** Where a field was sent. */
interface FieldPlace {
  readonly schema: z.ZodType
  readonly path: readonly PropertyKey[]
  readonly isQuery: boolean
}

/** The error message for a field or query parameter that the contract does not have. */
export function unknownField(name: string, { schema, path, isQuery }: FieldPlace): string {
  const meant = nearest(name, namesAt(schema, path))
  const words = `Unknown ${isQuery ? 'parameter' : 'field'} ${visibleText(name)}.`
  return meant === null ? words : `${words} Did you mean ${meant}?`
}

/** The types of JSON in words for people. */
const kinds: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

/** The error message for a body that is not an object. */
export const bodyProblem = (body: unknown): string =>
  body === null || body === undefined
    ? 'The body is empty or null. Send a JSON object.'
    : 'The body must be a JSON object.'

/** The value of a field, and where it was sent. In a query every value is text. */
interface SentValue {
  readonly value: unknown
  readonly isQuery: boolean
}

/** The error message for a value of the wrong type, with the value to send instead where known. */
export function wrongType(expected: string, { value, isQuery }: SentValue): string {
  const kind = kinds[expected] ?? expected
  if (isQuery) {
    if (Array.isArray(value)) return 'Must be sent only once.'
    return kind === kinds.number ? 'Must be a whole number.' : `Must be ${kind}.`
  }
  if (value === undefined) return `Missing; send ${kind}.`
  if (value === null) return `Must be ${kind}, not null.`
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return `Send "${value}": it must be a string, in quotes.`
  }
  const isDigits = typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value)
  if ((expected === 'number' || expected === 'int') && isDigits) {
    return `Send ${value} without quotes: it must be ${kind}.`
  }
  return `Must be ${kind}.`
}

/**
 * The error message for a value outside its limits or its list. The parser asks for it where the
 * schema has no message of its own; undefined leaves the parser's message.
 */
export function limitWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'too_big':
      return withUnit(issue.origin, { least: false, limit: issue.maximum })
    case 'too_small':
      return withUnit(issue.origin, { least: true, limit: issue.minimum })
    case 'invalid_value': {
      const values = issue.values.map(String)
      return values.length === 1 ? `Must be ${values[0]}.` : `Must be one of: ${values.join(', ')}.`
    }
    case 'invalid_format':
      return 'Malformed value.'
    default:
      return undefined
  }
}

/** What is counted in a value of this type; a number is compared itself. */
const units: Readonly<Record<string, readonly [one: string, many: string]>> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
}

function withUnit(
  origin: string,
  { least, limit }: { readonly least: boolean; readonly limit: number | bigint },
): string {
  const bound = `at ${least ? 'least' : 'most'} ${limit}`
  const unit = units[origin]
  if (unit === undefined) return `Must be ${bound}.`
  if (least && Number(limit) === 1) return 'Must not be empty.'
  return `Must have ${bound} ${Number(limit) === 1 ? unit[0] : unit[1]}.`
}

/** The value at a path of the input; undefined if the path does not exist. */
export function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = Reflect.get(value, part)
  }
  return value
}

/** The fields of the object at a path of the schema; empty if there is no object. */
function namesAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at = bare(schema)
  for (const part of path) {
    const next = at instanceof z.ZodObject ? at.shape[String(part)] : null
    if (!(next instanceof z.ZodType)) return []
    at = bare(next)
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : []
}

/** The schema without `optional`, `nullable`, `default` and transforms around it. */
function bare(schema: z.ZodType): z.ZodType {
  let at = schema
  for (;;) {
    const inner =
      at instanceof z.ZodPipe ? at.in : 'unwrap' in at && isCall(at.unwrap) ? at.unwrap() : null
    if (!(inner instanceof z.ZodType)) return at
    at = inner
  }
}

const isCall = (value: unknown): value is () => unknown => typeof value === 'function'
