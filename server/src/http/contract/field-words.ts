import { nearest } from '@settlewire/core/words/nearest'
import { visibleText } from '@settlewire/core/words/plain-text'
import { z } from 'zod'

/** The error message for a field that the contract does not have. */
export function unknownField(
  name: string,
  schema: z.ZodType,
  path: readonly PropertyKey[],
): string {
  const meant = nearest(name, namesAt(schema, path))
  const words = `Unknown field ${visibleText(name)}.`
  return meant === null ? words : `${words} Did you mean ${meant}?`
}

/** The types of JSON in words for people. */
const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

/** The error message for a value of the wrong type, with the value to send instead where known. */
export function wrongType(expected: string, input: unknown): string {
  const kind = kinds[expected] ?? expected
  if (input === undefined) return `Required: ${kind}.`
  if (input === null) return `Must be ${kind}, not null.`
  if (expected === 'string' && (typeof input === 'number' || typeof input === 'boolean')) {
    return `Send "${input}": it must be a text, in quotes.`
  }
  const isDigits = typeof input === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(input)
  if ((expected === 'number' || expected === 'int') && isDigits) {
    return `Send ${input} without quotes: it must be ${kind}.`
  }
  return `Must be ${kind}.`
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
