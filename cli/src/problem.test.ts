import { RequestError } from '@settlewire/client/request-error'
import { describe, expect, it } from 'vitest'
import { tell } from './problem.ts'

const refused = (detail: string, fields: { pointer: string; detail: string }[] = []) =>
  tell(new RequestError({ code: 'invalid_request', status: 400, detail, fields }))?.lines

const advice = 'See errors[] for each field, and /openapi.json for what it takes.'

describe('what is said of a refusal', () => {
  it('is each thing once, also where the message is a field or the advice itself', () => {
    const hash = { pointer: '/txHash', detail: 'Must be a transaction hash.' }
    expect(refused('/txHash: Must be a transaction hash.', [hash])).toEqual([
      'invalid_request: /txHash: Must be a transaction hash.',
      advice,
    ])
    expect(refused(advice)).toEqual([`invalid_request: ${advice}`])
  })

  it('is every field, where there are several', () => {
    const fields = [
      { pointer: '/amount', detail: 'Too long.' },
      { pointer: '/foo', detail: 'There is no such member.' },
    ]
    expect(refused('/amount: Too long.', fields)).toEqual([
      'invalid_request: /amount: Too long.',
      '  /amount Too long.',
      '  /foo There is no such member.',
      advice,
    ])
  })
})
