import { Failure } from '@settlewire/core/errors'
import { describe, expect, it } from 'vitest'
import { createLog } from './log.ts'
import { scrub } from './scrub.ts'

function recorded(): { lines: string[]; log: ReturnType<typeof createLog> } {
  const lines: string[] = []
  return { lines, log: createLog({ level: 'debug', to: { write: (line) => lines.push(line) } }) }
}

const clientSecret = 'pi_01hzzzzzzzzzzzzzzzzzzzzzzz_secret_c2VjcmV0c2VjcmV0c2VjcmV0c2Vj'
const secretKey = 'sk_test_0123456789ABCDEFabcdef0123456789'

describe('the log', () => {
  it('writes allowed fields and only the names of others', () => {
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

  it('drops other fields at every depth, and their names too if they look like ids', () => {
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
    ['a short key in a URL', 'cannot ask https://node.example/?k=abc', 'abc'],
    ['an extended private key', 'xprv9s21ZrQH143K3QTDL4LXw2F7HEK', 'xprv9s21'],
    ['an extended public key', 'xpub9s21ZrQH143K3QTDL4LXw2F7HEK', 'xpub9s21'],
    ['the hash of a transaction', `unknown 0x${'5E'.repeat(32)}`, '5E5E'],
    ['a private key', `(0) ${'ac09'.repeat(16)}`, 'ac09'],
    ['a stored hash', `Key (hash)=(\\x${'0b'.repeat(32)}) already exists`, '0b0b'],
    ['a value of a query', 'duplicate: Key (reference)=(ref-of-a-payer) already exists', 'payer'],
    ['a value of a statement', 'invalid input syntax for type bigint: "order 7"', 'order 7'],
    [
      'an answer that is not JSON',
      `Unexpected token 'h', "hunter2 is" is not valid JSON`,
      'hunter2',
    ],
    ['a transaction id', 'for 3f7e0c1d-5b7a-4a56-8a39-0b6f3f0d9f11', '0b6f3f0d9f11'],
    ['a mnemonic', 'Mnemonic:   test test test junk', 'junk'],
    ['a cookie', 'set-cookie: settlewire_checkout=abcdefg; path=/', 'abcdefg'],
    ['an idempotency key', "{ 'idempotency-key': 'order-7' }", 'order-7'],
    ['a basic password', 'Authorization=Basic aHVudGVyMg==', 'aHVudGVyMg'],
    ['a key that is cut off', `${'x '.repeat(995)}${secretKey}`, 'sk_test'],
  ])('removes %s from any text', (_, text, secret) => {
    const { lines, log } = recorded()
    log.error({ detail: text, error: new Error(text, { cause: new Error(text) }) }, text)
    expect(lines.join('')).not.toContain(secret)
    expect(scrub(text)).not.toContain(secret)
  })

  it('writes block hashes in fields for block hashes only', () => {
    const { lines, log } = recorded()
    const hash = `0x${'5e'.repeat(32)}`
    log.info({ blockHash: hash }, 'a')
    log.info({ txHash: hash, detail: hash, source: hash, blockHash: `${hash}${hash}` }, hash)
    expect(lines[0]).toContain(hash)
    expect(lines[1]).not.toContain('5e5e')
  })

  it('writes the code of an operating error, and the stack of a bug', () => {
    const { lines, log } = recorded()
    log.error({ error: new Failure('store_unavailable', 'gone') }, 'a')
    log.error({ error: new TypeError('oops') }, 'b')
    const [expected, bug] = lines.map((line) => JSON.parse(line).error)
    expect(expected).toEqual({ name: 'Failure', message: 'gone', code: 'store_unavailable' })
    expect(bug.stack).toContain('log.test.ts')
  })

  it('adds the filtered fields of a parent logger', () => {
    const { lines, log } = recorded()
    log.child({ area: 'chain', secret: 's3cret' }).info({ chain: 'local' }, 'up')
    expect(JSON.parse(lines.join(''))).toMatchObject({ area: 'chain', chain: 'local' })
    expect(lines.join('')).not.toContain('s3cret')
  })

  it('writes bigints, cycles and enormous texts as short lines', () => {
    const { lines, log } = recorded()
    const cycle: Record<string, unknown> = {}
    cycle.cause = cycle
    log.info({ size: 10n ** 30n, cause: cycle, detail: 'x'.repeat(1e6) }, 'big')
    expect(lines.join('').length).toBeLessThan(5_000)
    expect(lines.join('')).toContain('1000000000000000000000000000000')
  })
})
