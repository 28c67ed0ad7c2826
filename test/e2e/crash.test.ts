import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Anvil, startAnvil } from '../support/anvil.ts'
import { MerchantProgram, type Streamed } from '../support/e2e/merchant.ts'
import { Payer } from '../support/e2e/payer.ts'
import { type ServerProcess, startServer, temporaryHome } from '../support/e2e/server.ts'
import { type TestDatabase, testDatabase } from '../support/postgres.ts'

const full = 150_000_000n
const request = { amount: '150.00', currency: 'USDC', accept: ['USDC.local'] }
const sequences = (seen: readonly Streamed[]) => seen.map(({ data }) => data.sequence)

let anvil: Anvil
let database: TestDatabase
let home: ReturnType<typeof temporaryHome>
let server: ServerProcess | null = null

beforeEach(async () => {
  home = temporaryHome()
  // The test mines every block, so that the kill happens at the intended moment.
  const started = await Promise.all([
    startAnvil({ args: ['--no-mining', '--slots-in-an-epoch', '4'] }),
    testDatabase(),
  ])
  anvil = started[0]
  database = started[1]
})
afterEach(async () => {
  await server?.stop()
  server = null
  await Promise.all([anvil.stop(), database.close()])
  home.remove()
})

const env = () => ({ DATABASE_URL: database.url, SANDBOX_RPC_URL: anvil.wsUrl })

/** Deploying the token needs blocks, and the chain makes none by itself. */
async function startWhileMining(program?: string, more = {}): Promise<ServerProcess> {
  const timer = setInterval(() => void anvil.rpc('anvil_mine', ['0x1']).catch(() => null), 100)
  try {
    return await startServer({
      ...{ home: home.path, env: { ...env(), ...more } },
      ...(program && { program }),
    })
  } finally {
    clearInterval(timer)
  }
}

/** A stream ends with the success, so later events such as `finalized` are not in it. */
const upToSuccess = (
  history: readonly { readonly sequence: number; readonly status: string }[],
): number[] =>
  history
    .slice(0, history.findIndex(({ status }) => status === 'succeeded') + 1)
    .map(({ sequence }) => sequence)

describe('kill -9', () => {
  it('between broadcast and confirmation: the payment succeeds once, a resumed stream has no gap', async () => {
    server = await startWhileMining()
    let merchant = new MerchantProgram(server.url, server.sandbox)
    const payer = new Payer(server.sandbox)
    const intent = await merchant.create(request)
    const before = await merchant.follow(intent.id, {
      enough: (seen) => seen.at(-1)?.data.status === 'pending_detected',
    })
    await payer.send(intent, full)
    const held = await before.all
    await server.kill9()

    // Mined while no server is running.
    await payer.mine()
    server = await startServer({ home: home.path, env: env() })
    merchant = new MerchantProgram(server.url, server.sandbox)
    const lastEventId = held.at(-1)?.eventId ?? ''
    const rest = merchant.stream(intent.id, { lastEventId })
    await merchant.until(intent.id, ({ status }) => status === 'confirming')
    await payer.mine(2)
    const resumed = await rest

    const history = await merchant.history(intent.id)
    expect(sequences([...held, ...resumed])).toEqual(upToSuccess(history))
    expect(history.filter(({ status }) => status === 'succeeded')).toHaveLength(1)
    const paid = await merchant.get(intent.id)
    expect(paid).toMatchObject({ status: 'succeeded', amountReceived: '150.00', flags: [] })
    expect(paid.transfers).toHaveLength(1)
  })

  it.each(['pending', 'confirming', 'succeeded'] as const)(
    'between the commit and the announcement of %s: a resumed stream has each event once',
    async (type) => {
      server = await startWhileMining('test/support/e2e/dying-server.ts', { DIE_AT: type })
      let merchant = new MerchantProgram(server.url, server.sandbox)
      const payer = new Payer(server.sandbox)
      const intent = await merchant.create(request)
      const before = await merchant.follow(intent.id)
      await payer.send(intent, full)
      await payer.mine(type === 'succeeded' ? 4 : 1)
      await server.exited
      const held = await before.all
      expect(held.some(({ event }) => event === `payment_intent.${type}`)).toBe(false)

      server = await startServer({ home: home.path, env: env() })
      merchant = new MerchantProgram(server.url, server.sandbox)
      const resuming = merchant.stream(intent.id, { lastEventId: held.at(-1)?.eventId ?? '' })
      if (type !== 'succeeded') {
        await merchant.until(intent.id, ({ status }) => status === 'confirming')
        await payer.mine(2)
      }
      const resumed = await resuming

      const history = await merchant.history(intent.id)
      const told = sequences([...held, ...resumed])
      expect(told).toEqual(upToSuccess(history))
      expect(history.filter(({ status }) => status === 'succeeded')).toHaveLength(1)
      expect((await merchant.get(intent.id)).amountReceived).toBe('150.00')
    },
  )

  it('of the server with its embedded database and local chain: the payment succeeds once', async () => {
    const more = { SANDBOX_BLOCK_SECONDS: '1' }
    server = await startServer({ home: home.path, env: more })
    let merchant = new MerchantProgram(server.url, server.sandbox)
    const intent = await merchant.create(request)
    await new Payer(server.sandbox).send(intent, full)
    await merchant.until(intent.id, ({ status }) => status !== 'awaiting')
    await server.kill9()

    server = await startServer({ home: home.path, env: more })
    merchant = new MerchantProgram(server.url, server.sandbox)
    const paid = await merchant.until(intent.id, ({ status }) => status === 'succeeded')
    expect(paid).toMatchObject({ amountReceived: '150.00', flags: [] })
    const history = await merchant.history(intent.id)
    expect(history.map(({ sequence }) => sequence)).toEqual(history.map((_, i) => i + 1))
    expect(history.filter(({ status }) => status === 'succeeded')).toHaveLength(1)
  })
})
