import { Failure, type FieldError } from '@settlewire/core/errors'
import { visibleText } from '@settlewire/core/words/plain-text'
import type { FastifySchemaCompiler } from 'fastify'
import type { z } from 'zod'
import { unknownField, valueAt, wrongType } from './field-words.ts'

const fieldsMax = 20
const textMax = 200

/** Validates a part of a request against the route's schema; a mismatch is an `invalid_request`. */
export const validateWithZod: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (input) => {
    const result = schema.safeParse(input)
    if (result.success) return { value: result.data }
    // A malformed id gets the same answer as an unknown one.
    if (httpPart === 'params') return { error: new Failure('not_found') }
    const sent = { schema, input }
    const fields = result.error.issues.flatMap((each) => fieldsOf(each, sent)).slice(0, fieldsMax)
    const [first] = fields
    const detail = first === undefined ? undefined : `${first.pointer}: ${first.detail}`
    return { error: new Failure('invalid_request', detail, { fields }) }
  }

interface SentInput {
  readonly schema: z.ZodType
  readonly input: unknown
}

function fieldsOf(issue: z.core.$ZodIssue, { schema, input }: SentInput): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      field([...issue.path, key], unknownField(key, schema, issue.path)),
    )
  }
  if (issue.code === 'invalid_type') {
    return [field(issue.path, wrongType(issue.expected, valueAt(input, issue.path)))]
  }
  // The key of a record entry is invalid: report why, not only that it is.
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => field(issue.path, message))
  }
  return [field(issue.path, issue.message)]
}

const field = (path: readonly PropertyKey[], detail: string): FieldError => ({
  pointer: clip(path.map((part) => `/${escapePart(String(part))}`).join('')),
  detail: clip(detail),
})

/** RFC 6901. */
const escapePart = (part: string): string =>
  visibleText(part).replaceAll('~', '~0').replaceAll('/', '~1')

const clip = (text: string): string => (text.length > textMax ? `${text.slice(0, textMax)}…` : text)
