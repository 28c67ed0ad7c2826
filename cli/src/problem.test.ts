import { RequestError } from '@settlewire/client/request-error'
import { describe, expect, it } from 'vitest'
import { tell } from './problem.ts'

const refused = (detail: string, fields: { pointer: string; detail: string }[] = []) =>
  tell(new RequestError({ code: 'invalid_request', status: 400, detail, fields }))?.lines

// Not that of the catalogue, which names parts of an HTTP answer.
const advice = 'See npx settlewire --help.'

describe('the printed lines of a refusal', () => {
  it('contain each text once, even if the message repeats a field or the advice', () => {
    const hash = { pointer: '/txHash', detail: 'Must be a transaction hash.' }
    expect(refused('/txHash: Must be a transaction hash.', [hash])).toEqual([
      'invalid_request: /txHash: Must be a transaction hash.',
      advice,
    ])
    expect(refused(advice)).toEqual([`invalid_request: ${advice}`])
  })

  it('contain every field if there are several', () => {
    const fields = [
      { pointer: '/amount', detail: 'Too long.' },
      { pointer: '/foo', detail: 'Unknown field.' },
    ]
    expect(refused('/amount: Too long.', fields)).toEqual([
      'invalid_request: /amount: Too long.',
      '  /amount Too long.',
      '  /foo Unknown field.',
      advice,
    ])
  })
})
