import { describe, expect, it } from 'vitest'
import { answerIn } from './answer.ts'

const kindOf = (frame: Readonly<Record<string, unknown>> | null, status?: number): string => {
  const envelope = status === undefined ? undefined : { status, againInMs: null }
  try {
    const answer = answerIn(frame, envelope)
    if ('declined' in answer) return answer.declined.kind
    return 'refused' in answer ? 'refused' : 'answered'
  } catch {
    return 'broken'
  }
}
const error = (code: unknown, message = '') => ({ id: 1, error: { code, message } })

describe('classifying the answer of a node', () => {
  it.each<[string, Parameters<typeof kindOf>, string]>([
    ['a result', [{ result: '0x1' }], 'answered'],
    ['null as a result', [{ result: null }], 'answered'],
    ['a result beside an error that is null', [{ result: 1, error: null }], 'answered'],
    ['an unknown method', [error(-32601, 'the method does not exist')], 'unsupported'],
    ['a method that is not supported', [error(-32004)], 'unsupported'],
    [
      'a method missing from the plan, by its name',
      [error(-32000, 'method eth_getBlockReceipts is not available on your plan'), 403],
      'unsupported',
    ],
    [
      'a method missing from the plan, by the tier',
      [error(-32600, 'trace_block is not available on the Free tier')],
      'unsupported',
    ],
    ['an unknown block', [error(-32000, 'header not found')], 'unknown'],
    [
      'an unknown state',
      [error(-32000, 'missing trie node, historical state unavailable')],
      'unknown',
    ],
    ['an unknown resource', [error(-32001)], 'unknown'],
    ['an invalid parameter', [error(-32602, 'invalid argument 0')], 'unknown'],
    ['a call that reverts', [error(3, 'execution reverted')], 'unknown'],
    ...[-32005, -32007, -32029, -32016, -32090, -32603, 429].map(
      (code): [string, Parameters<typeof kindOf>, string] => [
        `code ${code}`,
        [error(code)],
        'refused',
      ],
    ),
    ...[
      'finalized block not found',
      'unknown block',
      'required historical state unavailable (reexec=128)',
      'old data not available due to pruning',
      'World state unavailable',
      'cannot query unfinalized data',
      'invalid opcode: INVALID',
      'gas required exceeds allowance (50000000)',
    ].map((text): [string, Parameters<typeof kindOf>, string] => [
      `"${text}"`,
      [error(-32000, text)],
      'unknown',
    ]),
    ...[
      [-32000, 'context deadline exceeded'],
      [-32000, 'daily request count exceeded, request rate limited'],
      [-32000, 'internal error'],
      [-32000, 'upstream request failed'],
      [-32000, 'client is shutting down'],
      [-32000, ''],
      [-32007, '50/second request limit reached - reduce calls per second or upgrade your account'],
      [30, 'Request timeout on the free tier, please upgrade your tier'],
      [-32600, 'Monthly allowance used up. Please upgrade your plan'],
    ].map(([code, text]): [string, Parameters<typeof kindOf>, string] => [
      `${code} "${text}"`,
      [error(code, String(text))],
      'refused',
    ]),
    [
      'a rate limit with status 429 whose text names a method',
      [error(-32600, 'method eth_call not allowed: monthly allowance used up'), 429],
      'refused',
    ],
    [
      'a rate limit with the code of an unknown block',
      [error(-32000, 'rate limit exceeded')],
      'refused',
    ],
    ['an error that is a bare string', [{ id: 1, error: 'Too many requests' }], 'refused'],
    ['an error without a code', [{ id: 1, error: { message: 'busy' } }], 'refused'],
    ['an error whose code is a word', [error('TOO_MANY')], 'refused'],
    ['an error beside a result', [{ result: null, ...error(-32005) }], 'refused'],
    ['a bare message', [{ message: 'API rate limit exceeded' }], 'refused'],
    ['an HTML page', [null, 200], 'refused'],
    ['status 429', [{}, 429], 'refused'],
    ['status 403', [{ result: null }, 403], 'refused'],
    ['status 503', [error(-32000, 'header not found'), 503], 'refused'],
    ['neither result nor error', [{ id: 1 }], 'broken'],
  ])('recognises %s', (_what, said, kind) => {
    expect(kindOf(...said)).toBe(kind)
  })

  it('reads how long Infura asks to wait', () => {
    const data = { rate: { allowed_rps: 1, backoff_seconds: 30, current_rps: 13.3 } }
    const limited = { error: { code: -32005, message: 'project ID request rate exceeded', data } }
    expect(answerIn(limited)).toMatchObject({ refused: { againInMs: 30_000 } })
  })
})
