import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServerProcess, startServer, temporaryHome } from '../support/e2e/server.ts'
import { startPostgres, type TestPostgres } from '../support/postgres-server.ts'

/** The key of the first account of every development chain, which anvil prints at its start. */
const anvilKey = 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const idempotencyKey = 'once-3f7e0c1d-5b7a-4a56-8a39-0b6f3f0d9f11'
const providerKey = 'kEy0123456789abcdefghij'

describe('a server at log level debug', () => {
  const home = temporaryHome()
  let postgres: TestPostgres
  let server: ServerProcess

  beforeAll(async () => {
    postgres = await startPostgres()
    server = await startServer({
      home: home.path,
      env: { DATABASE_URL: postgres.url, LOG_LEVEL: 'debug', SANDBOX_BLOCK_SECONDS: '1' },
    })
  }, 120_000)

  afterAll(async () => {
    await postgres.stop()
    home.remove()
  })

  const ask = async (path: string, body?: object, headers: Record<string, string> = {}) => {
    const answer = await fetch(server.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${server.sandbox.secretKey}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { cookie: answer.headers.get('set-cookie') ?? '', text }
  }
  const intents = '/v1/payment-intents'

  it('logs no key, secret, ticket, cookie, transaction hash or provider URL', async () => {
    const order = { amount: '1.00', currency: 'USDC', reference: 'ref-of-a-payer' }
    const key = { 'idempotency-key': idempotencyKey }
    const payment = JSON.parse((await ask(intents, order, key)).text)
    await ask(intents, order, key)
    // Requests that are refused for each reason: their form, their key, the resource they name.
    await ask(intents, { ...order, amount: '2.00' }, key)
    await ask(intents, { amount: server.sandbox.secretKey, currency: providerKey }, key)
    await ask(`${intents}/${payment.id}/${payment.clientSecret}?key=${providerKey}`)
    await ask(intents, order, { authorization: `Bearer sk_test_${'Z'.repeat(32)}` })
    const paid = JSON.parse((await ask(`/v1/test/payment-intents/${payment.id}/pay`, {})).text)
    const claimed = `0x${'5e'.repeat(32)}`
    await ask(`${intents}/${payment.id}/claims`, { chain: 'local', txHash: claimed })
    const page = await ask(new URL(payment.checkoutUrl).pathname)
    const client = { authorization: `Bearer ${payment.clientSecret}` }
    await expect
      .poll(async () => JSON.parse((await ask(`${intents}/${payment.id}`)).text).status, {
        timeout: 30_000,
        interval: 300,
      })
      .toBe('succeeded')
    await ask(`${intents}/${payment.id}/events?after=0&wait=1`, undefined, client)
    // A database error is logged with its cause.
    await postgres.kill9()
    await ask(intents, order, { 'idempotency-key': `${idempotencyKey}-2` })
    await ask(`${intents}?txHash=${paid.txHash}`)
    await ask('/readyz')
    await server.stop()

    const demo = JSON.parse(readFileSync(join(home.path, 'demo.json'), 'utf8'))
    const secrets = {
      'the secret key': server.sandbox.secretKey,
      'the publishable key': demo.publishable.key,
      'a wrong key': 'Z'.repeat(32),
      'the mnemonic of the merchant': demo.mnemonic.split(' ').slice(0, 3).join(' '),
      'the key of the wallet': anvilKey,
      'the mnemonic of the wallet': 'junk',
      'a client secret': payment.clientSecret.slice(-32),
      'the ticket of the checkout': new URL(payment.checkoutUrl).pathname.split('/').at(-1) ?? '',
      'a cookie': /=([^;]+)/.exec(page.cookie)?.[1] ?? '',
      'an idempotency key': idempotencyKey.slice(5),
      'the hash of a transaction': paid.txHash.slice(2),
      'the hash that was claimed': claimed.slice(2),
      'the transaction id of the payment': payment.transactionId,
      'the password of the database': new URL(postgres.url).password,
      'the key in a query string': providerKey,
      'a reference': order.reference,
    }
    const output = server.output().toLowerCase()
    expect(output).toContain('"level":"debug"')
    expect(output).toContain('store_unavailable')
    for (const [name, secret] of Object.entries(secrets)) {
      expect(secret.length, name).toBeGreaterThan(3)
      expect(output.includes(secret.toLowerCase()), name).toBe(false)
    }
  }, 90_000)
})
