import { Failure, type FieldError } from '@settlewire/core/errors'
import { visibleText } from '@settlewire/core/words/plain-text'
import type { FastifySchemaCompiler } from 'fastify'
import type { z } from 'zod'
import { bodyProblem, limitWords, unknownField, valueAt, wrongType } from './field-words.ts'

const fieldsMax = 20
const textMax = 200

/** Validates a part of a request against the route's schema; a mismatch is an `invalid_request`. */
export const validateWithZod: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (input) => {
    const result = schema.safeParse(input, { error: limitWords })
    if (result.success) return { value: result.data }
    // A malformed id gets the same answer as an unknown one.
    if (httpPart === 'params') return { error: new Failure('not_found') }
    const sent = { schema, input, isQuery: httpPart === 'querystring' }
    const found = result.error.issues.flatMap((each) => fieldsOf(each, sent))
    const fields = withoutRepeats(found).slice(0, fieldsMax)
    return { error: new Failure('invalid_request', detailOf(fields), { fields }) }
  }

interface SentInput {
  readonly schema: z.ZodType
  readonly input: unknown
  readonly isQuery: boolean
}

/** The first problem, with its field unless it is about the body as a whole. */
function detailOf([first]: readonly FieldError[]): string | undefined {
  return first?.pointer ? `${first.pointer}: ${first.detail}` : first?.detail
}

/** A schema may check the same rule before and after it normalizes a value. */
const withoutRepeats = (fields: readonly FieldError[]): readonly FieldError[] =>
  fields.filter(
    ({ pointer, detail }, at) =>
      at === fields.findIndex((each) => each.pointer === pointer && each.detail === detail),
  )

function fieldsOf(issue: z.core.$ZodIssue, { schema, input, isQuery }: SentInput): FieldError[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      field([...path, key], unknownField(key, { schema, path, isQuery })),
    )
  }
  if (issue.code === 'invalid_type') {
    const value = valueAt(input, path)
    const detail =
      path.length === 0 ? bodyProblem(value) : wrongType(issue.expected, { value, isQuery })
    return [field(path, detail)]
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
