import { describeError, type ErrorCode, Failure, type FieldError } from '@settlewire/core/errors'

/** RFC 9457, plus a `code` for programs and an entry in `errors` for each invalid field. */
export interface ProblemDocument {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode
  readonly requestId: string
  readonly errors: readonly FieldError[]
}

export const problemType = 'application/problem+json'

/**
 * `Retry-After` if a retry can help and the failure does not give a time. No `Retry-After` for a
 * 500: the time until it is repaired is not known.
 */
const retryAfterSecondsDefault = 1

/** Our codes for Fastify's own errors. For all others their status decides (`failureOf`). */
const frameworkCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_body',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_body',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_body',
  FST_ERR_BAD_URL: 'not_found',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
}

/**
 * Converts anything thrown to an operating error. An unexpected error becomes `internal`, which
 * hides its cause from the client; the cause is kept for the log.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (!(error instanceof Error)) return new Failure('internal', undefined, { cause: error })
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const known = Object.hasOwn(frameworkCodes, code) ? frameworkCodes[code] : undefined
  if (known !== undefined) return new Failure(known, undefined, { cause: error })
  const status = 'statusCode' in error ? error.statusCode : undefined
  // Fastify marks client errors with a status below 500. Its messages may quote the request, so
  // they are replaced by ours.
  const byClient = code.startsWith('FST_') && typeof status === 'number' && status < 500
  return new Failure(byClient ? 'invalid_request' : 'internal', undefined, { cause: error })
}

/** The problem document of a failure. */
export function problemOf(failure: Failure, requestId: string): ProblemDocument {
  const { status, title, advice } = describeError(failure.code)
  const detail = failure.message === title ? advice : failure.message
  return {
    type: `urn:settlewire:problem:${failure.code}`,
    title,
    status,
    detail,
    code: failure.code,
    requestId,
    errors: failure.fields,
  }
}

/** The headers of a failure's problem document. */
export function problemHeaders(failure: Failure): Record<string, string> {
  const { status, retry } = describeError(failure.code)
  const headers: Record<string, string> = { 'content-type': problemType }
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="settlewire"'
  if (retry === 'later' && status !== 500) {
    headers['retry-after'] = String(failure.retryAfterSeconds ?? retryAfterSecondsDefault)
  }
  return headers
}
