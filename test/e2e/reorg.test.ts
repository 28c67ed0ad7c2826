import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../support/anvil.ts'
import { MerchantProgram } from '../support/e2e/merchant.ts'
import { Payer } from '../support/e2e/payer.ts'
import { type ServerProcess, startServer, temporaryHome } from '../support/e2e/server.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

let anvil: Anvil
let database: TestDatabase
let server: ServerProcess
const home = temporaryHome()

beforeAll(async () => {
  anvil = await startAnvil({ args: ['--no-mining', '--slots-in-an-epoch', '8'] })
  database = await testDatabase()
  const timer = setInterval(() => void anvil.rpc('anvil_mine', ['0x1']).catch(() => null), 100)
  server = await startServer({
    home: home.path,
    env: { DATABASE_URL: database.url, SANDBOX_RPC_URL: anvil.wsUrl },
  })
  clearInterval(timer)
})
afterAll(async () => {
  await server.stop()
  await Promise.all([anvil.stop(), database.close()])
  home.remove()
})

it('a payment is awaiting after a reorg of its block, and counts once when included again', async () => {
  const merchant = new MerchantProgram(server.url, server.sandbox)
  const payer = new Payer(server.sandbox)
  const intent = await merchant.create({
    amount: '150.00',
    currency: 'USDC',
    accept: ['USDC.local'],
  })
  const streamed = await merchant.follow(intent.id)

  const hash = await payer.send(intent, 150_000_000n)
  await payer.mine()
  await merchant.until(intent.id, ({ status }) => status === 'confirming')

  await payer.rpc('anvil_reorg', [1, []])
  const back = await merchant.until(intent.id, ({ status }) => status === 'awaiting')
  expect(back).toMatchObject({ amountReceived: '0.00', flags: ['reorg_seen'] })
  expect(back.transfers).toMatchObject([{ txHash: hash, stage: 'reorged' }])

  expect(await payer.send(intent, 150_000_000n)).toBe(hash)
  await payer.mine()
  await merchant.until(intent.id, ({ status }) => status === 'confirming')
  await payer.mine(2)
  const paid = await merchant.until(intent.id, ({ status }) => status === 'succeeded')

  expect(paid).toMatchObject({
    amountReceived: '150.00',
    amountPending: '0.00',
    flags: ['reorg_seen'],
  })
  expect(paid.transfers).toMatchObject([{ txHash: hash, confirmations: 3 }])
  const events = await streamed.all
  expect(events.map(({ data }) => data.sequence)).toEqual(events.map((_, i) => i + 1))
  const story = events.map(({ data }) => data.status)
  expect(story.filter((status, i) => status !== story[i - 1])).toEqual([
    'awaiting',
    'pending_detected',
    'confirming',
    'awaiting',
    'pending_detected',
    'confirming',
    'succeeded',
  ])
})
