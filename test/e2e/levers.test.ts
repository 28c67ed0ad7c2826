import type { Flag } from '@settlewire/core/payment/status-model'
import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { MerchantProgram } from '../support/e2e/merchant.ts'
import { type ServerProcess, startServer, temporaryHome } from '../support/e2e/server.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'
import { StreamClient } from '../support/stream-client.ts'

/** The sandbox from a tester's view: levers over HTTP, its own chain, two providers. */
let database: TestDatabase
let server: ServerProcess
let merchant: MerchantProgram
const home = temporaryHome()

beforeAll(async () => {
  database = await testDatabase()
  // The tests mine the blocks.
  const env = { DATABASE_URL: database.url, SANDBOX_BLOCK_SECONDS: '60' }
  server = await startServer({ home: home.path, env })
  merchant = new MerchantProgram(server.url, server.sandbox)
  await mine()
})

afterAll(async () => {
  await server.stop()
  await database.close()
  home.remove()
})

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: each test asserts the type it expects
  readonly json: any
}

async function ask(path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${server.url}/v1/test/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${server.sandbox.secretKey}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, json: await response.json() }
}

/** Calls a lever of one payment. */
const pull = async ({ id }: PaymentIntent, lever: string, body = {}): Promise<Answer['json']> => {
  const { status, json } = await ask(`payment-intents/${id}/${lever}`, body)
  expect([status, json.detail]).toEqual([200, undefined])
  return json
}
const mine = (blocks = 1): Promise<Answer> => ask('chain/mine', { blocks })
const provider = (name: string, mode: string, more = {}): Promise<Answer> =>
  ask('providers', { name, mode, ...more })
const create = (changes: object = {}): Promise<PaymentIntent> =>
  merchant.create({ amount: '25.00', currency: 'USDC', accept: ['USDC.local'], ...changes })
const until = (
  { id }: PaymentIntent,
  stands: (intent: PaymentIntent) => boolean,
): Promise<PaymentIntent> => merchant.until(id, stands)
const reaches = (intent: PaymentIntent, status: string): Promise<PaymentIntent> =>
  until(intent, (now) => now.status === status)
const stages = ({ transfers }: PaymentIntent): Record<string, string> =>
  Object.fromEntries(transfers.map(({ txHash, stage }) => [txHash, stage]))

describe('a payment with a held transaction', () => {
  it('stays detected under the new hash after a speed-up, and is paid once', async () => {
    const intent = await create()
    const { txHash } = await pull(intent, 'pay', { hold: true })
    await reaches(intent, 'pending_detected')
    await mine(2)
    const faster = await pull(intent, 'speed-up')
    expect(faster.replacedTxHash).toBe(txHash)
    const replaced = await until(intent, ({ flags }) => flags.includes('replaced_seen'))
    expect(replaced).toMatchObject({ status: 'pending_detected', amountPending: '25.00' })
    await mine(3)
    const paid = await reaches(intent, 'succeeded')
    expect(paid.amountReceived).toBe('25.00')
    expect(stages(paid)).toMatchObject({ [txHash]: 'replaced' })
  })

  it('is awaiting again after the wallet cancels the transaction', async () => {
    const intent = await create()
    const { txHash } = await pull(intent, 'pay', { hold: true })
    await reaches(intent, 'pending_detected')
    await pull(intent, 'cancel-transaction')
    await mine()
    const back = await reaches(intent, 'awaiting')
    expect(back).toMatchObject({ amountPending: '0.00', flags: ['replaced_seen'] })
    expect(stages(back)).toEqual({ [txHash]: 'replaced' })
  })

  it('stays pending until the time-out after the nodes drop the transaction', async () => {
    const intent = await create()
    await pull(intent, 'pay', { hold: true })
    await reaches(intent, 'pending_detected')
    await pull(intent, 'drop')
    await mine(2)
    const { json, status } = await ask(`payment-intents/${intent.id}/drop`, {})
    expect([status, json.code]).toEqual([404, 'not_found'])
    expect((await merchant.get(intent.id)).status).toBe('pending_detected')
  })
})

describe('unusual money', () => {
  const coin = { amount: '0.05', currency: 'ETH', accept: ['ETH.local'] }
  it.each<{ what: string; asks?: object; body: object; flag: Flag }>([
    { what: 'a bridged twin', body: { asset: 'USDC.e.local' }, flag: 'wrong_token' },
    { what: 'the smallest amount there is', body: { amount: '0.000001' }, flag: 'dust' },
    {
      ...{ what: 'the smallest amount of the coin', asks: coin, flag: 'dust' },
      body: { amount: '0.000000000000000001' },
    },
  ])('is flagged and does not count: $what', async ({ asks, body, flag }) => {
    const intent = await create(asks)
    await pull(intent, 'pay', body)
    await mine()
    const seen = await until(intent, ({ flags }) => flags.includes(flag))
    expect(seen).toMatchObject({ status: 'awaiting', amountReceived: '0.00' })
  })

  it('counts by the amount that arrived when the token keeps a fee', async () => {
    const intent = await create({ currency: 'TOLL', accept: ['TOLL.local'] })
    await pull(intent, 'pay')
    await mine()
    const seen = await until(intent, ({ flags }) => flags.includes('fee_on_transfer'))
    expect(seen).toMatchObject({ status: 'awaiting', amountReceived: '24.75' })
  })

  it('does not count when its transaction reverts', async () => {
    const intent = await create()
    const { txHash } = await pull(intent, 'pay', { through: 'reverting' })
    await mine()
    const back = await until(intent, (now) => stages(now)[txHash] === 'reverted')
    expect(back).toMatchObject({ status: 'awaiting', amountReceived: '0.00' })
  })

  it('is flagged as a duplicate when the full amount is paid a second time', async () => {
    const intent = await create()
    await pull(intent, 'pay')
    await mine(3)
    await reaches(intent, 'succeeded')
    await pull(intent, 'pay', { amount: '25.00' })
    await mine()
    await until(intent, ({ flags }) => flags.includes('duplicate_payment'))
  })
})

describe('money that is not sent by a plain transfer', () => {
  it.each([
    ['sent by a third party', {}, { through: 'transfer_from' }],
    ['sent by a contract', {}, { through: 'contract' }],
    ['sent in two parts of one transaction', {}, { through: 'batch' }],
    [
      'native coin from a contract',
      { amount: '0.05', currency: 'ETH', accept: ['ETH.local'] },
      { through: 'contract' },
    ],
  ])('pays the payment when it is %s', async (_, changes, body) => {
    const intent = await create(changes)
    await pull(intent, 'pay', body)
    await mine(3)
    const { amount } = intent
    expect(await reaches(intent, 'succeeded')).toMatchObject({ amountReceived: amount })
  })
})

describe('a payment on the local chain', () => {
  it('is awaiting again when a reorg drops its block', async () => {
    const intent = await create()
    await pull(intent, 'pay')
    await mine()
    await reaches(intent, 'confirming')
    await ask('chain/reorg', { depth: 1 })
    const back = await reaches(intent, 'awaiting')
    expect(back).toMatchObject({ amountReceived: '0.00', flags: ['reorg_seen'] })
  })

  it('succeeds when a reorg moves its transaction to another block', async () => {
    const intent = await create()
    const { txHash } = await pull(intent, 'pay')
    await mine(2)
    const before = await reaches(intent, 'confirming')
    await ask('chain/reorg', { depth: 2, keep: true })
    const moved = await until(
      intent,
      ({ transfers }) => transfers[0]?.blockHash !== before.transfers[0]?.blockHash,
    )
    expect(moved.transfers[0]?.txHash).toBe(txHash)
    await mine()
    expect(await reaches(intent, 'succeeded')).toMatchObject({ amountReceived: '25.00' })
  })

  it('becomes final when the lever mines 40 blocks', async () => {
    const intent = await create()
    await pull(intent, 'pay')
    await mine(40)
    await until(intent, ({ status, finality }) => status === 'succeeded' && finality === 'final')
  })
})

describe('with failing providers', () => {
  afterEach(async () => {
    for (const name of ['anvil-a', 'anvil-b']) await provider(name, 'ok')
    await until(await create(), ({ visibility }) => visibility === 'ok')
  })

  it.each(['anvil-a', 'anvil-b'])('payments succeed during an outage of %s', async (name) => {
    const intent = await create()
    await provider(name, 'outage')
    await pull(intent, 'pay')
    await reaches(intent, 'pending_detected')
    await mine(3)
    await reaches(intent, 'succeeded')
  })

  it('an outage of both lowers the visibility, and a payment made meanwhile is found afterwards', async () => {
    const intent = await create()
    for (const name of ['anvil-a', 'anvil-b']) await provider(name, 'outage')
    await until(intent, ({ visibility }) => visibility !== 'ok')
    await pull(intent, 'pay')
    await mine(3)
    expect((await merchant.get(intent.id)).status).toBe('awaiting')
    for (const name of ['anvil-a', 'anvil-b']) await provider(name, 'ok')
    await reaches(intent, 'succeeded')
  })

  it('an open stream reports an outage of both within 6 s, and stored blocks within 1 s', async () => {
    const intent = await create()
    const client = new StreamClient({
      ...{
        port: Number(new URL(server.url).port),
        path: `/v1/payment-intents/${intent.id}/stream`,
      },
      headers: { authorization: `Bearer ${server.sandbox.secretKey}` },
    })
    const beats = () =>
      client.events.flatMap(({ event, data }) => (event === 'heartbeat' ? [JSON.parse(data)] : []))
    const seen = () => beats().at(-1)?.visibility
    await client.until(({ told }) => told.length > 0)
    const cutAt = Date.now()
    for (const name of ['anvil-a', 'anvil-b']) await provider(name, 'outage')
    await client.until(() => seen() === 'blind', 10_000)
    expect(Date.now() - cutAt).toBeLessThan(6_000)
    await pull(intent, 'pay')
    await mine()
    const blind = beats().length
    for (const name of ['anvil-a', 'anvil-b']) await provider(name, 'ok')
    await client.until(({ sequences }) => sequences.length > 1, 30_000)
    const storedAt = Date.now()
    await client.until(() => seen() !== 'blind')
    expect(Date.now() - storedAt).toBeLessThan(1_000)
    // A reconnected provider is not progress; a stored block is.
    const [first] = beats()
      .slice(blind)
      .filter(({ visibility }) => visibility !== 'blind')
    expect(first.chains[0].head).toBeGreaterThan(beats()[blind - 1].chains[0].head)
    client.close()
  })

  it('a payment succeeds while both lag', async () => {
    const intent = await create()
    for (const name of ['anvil-a', 'anvil-b']) await provider(name, 'lag', { lagMs: 300 })
    await pull(intent, 'pay')
    await reaches(intent, 'pending_detected')
    await mine(3)
    await reaches(intent, 'succeeded')
  })

  it('a payment succeeds while both connections are cut repeatedly', async () => {
    const intent = await create()
    for (const name of ['anvil-a', 'anvil-b']) {
      await provider(name, 'drop_after', { afterBytes: 40_000 })
    }
    await pull(intent, 'pay')
    for (let blocks = 0; blocks < 6; blocks++) await mine()
    await reaches(intent, 'succeeded')
  })
})
