import { type ErrorCode, errorCatalogue, Failure } from '@settlewire/core/errors'
import { describe, expect, it } from 'vitest'
import { failureOf, problemHeaders, problemOf } from './problem.ts'

const codes = Object.keys(errorCatalogue) as ErrorCode[] // the catalogue's own keys

describe('a problem document', () => {
  it.each(codes)('has the status and title of the catalogue for %s', (code) => {
    const problem = problemOf(new Failure(code), 'req_1')
    expect(problem).toMatchObject({
      type: `urn:settlewire:problem:${code}`,
      code,
      status: errorCatalogue[code].status,
      title: errorCatalogue[code].title,
      requestId: 'req_1',
      errors: [],
    })
    expect(problem.detail).not.toBe(problem.title)
  })

  it.each(codes)(
    'never claims for %s that nothing was done: the request may have taken effect',
    (code) => {
      expect(problemOf(new Failure(code), 'req_1').detail).not.toMatch(
        /nothing (was|has)|not (made|sent|stored|written|changed)/i,
      )
    },
  )

  it('keeps the detail and the fields of the failure', () => {
    const fields = [{ pointer: '/amount', detail: 'must be a string' }]
    const problem = problemOf(new Failure('invalid_request', 'No.', { fields }), 'req_1')
    expect(problem).toMatchObject({ detail: 'No.', errors: fields })
  })

  it('hides the message of an unexpected error', () => {
    const bug = new TypeError('password hunter2 at /srv/app.ts')
    const problem = problemOf(failureOf(bug), 'req_1')
    expect(problem.code).toBe('internal')
    expect(JSON.stringify(problem)).not.toMatch(/hunter2|srv/)
    expect(failureOf(bug).cause).toBe(bug)
    expect(failureOf('thrown text').code).toBe('internal')
  })

  it('ignores the status of an error that is not from Fastify', () => {
    const foreign = Object.assign(new Error('x'), { statusCode: 403, code: 'SOMETHING' })
    expect(failureOf(foreign).code).toBe('internal')
  })

  it.each([
    ['FST_ERR_CTP_BODY_TOO_LARGE', 413, 'body_too_large'],
    ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 415, 'unsupported_media_type'],
    ['FST_ERR_CTP_INVALID_JSON_BODY', 400, 'malformed_body'],
    ['FST_ERR_BAD_URL', 400, 'not_found'],
    ['FST_ERR_SOMETHING_NEW', 418, 'invalid_request'],
    ['FST_ERR_SOMETHING_NEW', 500, 'internal'],
  ])('gives %s (%i) the name %s', (code, statusCode, name) => {
    expect(failureOf(Object.assign(new Error('x'), { code, statusCode })).code).toBe(name)
  })

  it('has Retry-After where a retry can help', () => {
    expect(problemHeaders(new Failure('overloaded'))['retry-after']).toBe('1')
    const limited = new Failure('rate_limited', undefined, { retryAfterSeconds: 30 })
    expect(problemHeaders(limited)['retry-after']).toBe('30')
    expect(problemHeaders(new Failure('not_found'))).not.toHaveProperty('retry-after')
    expect(problemHeaders(new Failure('unauthenticated'))).toHaveProperty('www-authenticate')
  })
})
