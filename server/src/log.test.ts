import { Failure } from '@settlewire/core/errors'
import { describe, expect, it } from 'vitest'
import { createLog, scrub } from './log.ts'

function recorded(): { lines: string[]; log: ReturnType<typeof createLog> } {
  const lines: string[] = []
  return { lines, log: createLog({ level: 'debug', to: { write: (line) => lines.push(line) } }) }
}

const clientSecret = 'pi_01hzzzzzzzzzzzzzzzzzzzzzzz_secret_c2VjcmV0c2VjcmV0c2VjcmV0c2Vj'
const secretKey = 'sk_test_0123456789ABCDEFabcdef0123456789'

describe('the log', () => {
  it('writes the fields it knows and drops the rest by name', () => {
    const { lines, log } = recorded()
    log.info({ chain: 'local', head: 7, authorization: 'x', from: '0xpayer' }, 'moved')
    expect(JSON.parse(lines.join(''))).toMatchObject({
      level: 'info',
      chain: 'local',
      head: 7,
      dropped: ['authorization', 'from'],
      msg: 'moved',
    })
    expect(lines.join('')).not.toContain('0xpayer')
  })

  it('drops unknown fields at every depth, and does not name keys that look like ids', () => {
    const { lines, log } = recorded()
    log.warn({ fields: [{ pointer: '/a', password: 'hunter2' }], pi_0123: 'id' }, 'odd')
    const text = lines.join('')
    expect(text).toContain('/a')
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain('pi_0123')
  })

  it.each([
    ['an api key', `key ${secretKey} is wrong`, secretKey],
    ['a client secret', `bad ${clientSecret}`, clientSecret],
    ['a bearer token', 'got Authorization: Bearer abc.def', 'abc.def'],
    ['a password in a URL', 'connect postgres://app:hunter2@db/x', 'hunter2'],
    ['a key in a URL', 'cannot ask wss://node.example/v2/Xq8kAAAAbbbbCCCC0123', 'Xq8kAAAA'],
    ['a checkout token', 'GET /pay/pi_1/tokentokentoken', 'tokentokentoken'],
    ['an extended private key', 'xprv9s21ZrQH143K3QTDL4LXw2F7HEK', 'xprv9s21'],
  ])('takes %s out of any text', (_, text, secret) => {
    const { lines, log } = recorded()
    log.error({ detail: text, error: new Error(text, { cause: new Error(text) }) }, text)
    expect(lines.join('')).not.toContain(secret)
    expect(scrub(text)).not.toContain(secret)
  })

  it('tells an expected failure by its code and a bug with its stack', () => {
    const { lines, log } = recorded()
    log.error({ error: new Failure('store_unavailable', 'gone') }, 'a')
    log.error({ error: new TypeError('oops') }, 'b')
    const [expected, bug] = lines.map((line) => JSON.parse(line).error)
    expect(expected).toEqual({ name: 'Failure', message: 'gone', code: 'store_unavailable' })
    expect(bug.stack).toContain('log.test.ts')
  })

  it('keeps the fields of its parent, filtered the same way', () => {
    const { lines, log } = recorded()
    log.child({ area: 'chain', secret: 's3cret' }).info({ chain: 'local' }, 'up')
    expect(JSON.parse(lines.join(''))).toMatchObject({ area: 'chain', chain: 'local' })
    expect(lines.join('')).not.toContain('s3cret')
  })

  it('survives bigints, cycles and enormous texts', () => {
    const { lines, log } = recorded()
    const cycle: Record<string, unknown> = {}
    cycle.cause = cycle
    log.info({ size: 10n ** 30n, cause: cycle, detail: 'x'.repeat(1e6) }, 'big')
    expect(lines.join('').length).toBeLessThan(5_000)
    expect(lines.join('')).toContain('1000000000000000000000000000000')
  })
})
