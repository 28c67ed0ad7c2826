import type { PaymentIntent } from '@settlewire/core/wire/wire'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MerchantProgram } from '../support/e2e/merchant.ts'
import { type Node, Nodes } from '../support/e2e/nodes.ts'
import { settlewire } from '../support/e2e/operator.ts'
import { type ServerProcess, startServer, temporaryHome } from '../support/e2e/server.ts'
import { StreamClient } from '../support/stream-client.ts'

/** The limit in PROTOCOL.md, from the commit of the change. */
const heardWithinMs = 2_000
const request = { amount: '150.00', currency: 'USDC', accept: ['USDC.local'] }

let nodes: Nodes
beforeEach(async () => {
  nodes = await Nodes.begin()
})
afterEach(() => nodes.end())

/** Runs `settlewire … --json` as the operator of a node and returns its answer. */
async function operate(node: Node, ...line: string[]) {
  const env = { ...nodes.env, SETTLEWIRE_HOME: node.home }
  const { code, out, err } = await settlewire([...line, '--json'], env)
  expect([code, err]).toEqual([0, ''])
  return JSON.parse(out)
}

/** An open stream on a node, and the time at which it closes. */
async function follow({ server }: Pick<Node, 'server'>, id: string, key: string) {
  const port = Number(new URL(server.url).port)
  const headers = { authorization: `Bearer ${key}` }
  const client = new StreamClient({ port, path: `/v1/payment-intents/${id}/stream`, headers })
  await client.until(({ events }) => events.length > 0)
  const closedAt = new Promise<number>((resolve) =>
    client.socket.once('close', () => resolve(Date.now())),
  )
  return { client, closedAt }
}

const codeOf = async ({ server }: Node, key: string): Promise<string> => {
  const headers = { authorization: `Bearer ${key}` }
  const answer = await fetch(`${server.url}/v1/payment-intents?limit=1`, { headers })
  return answer.ok ? 'ok' : (await answer.json()).code
}

/** The client secret, which an answer to a merchant's key contains. */
const secretOf = ({ clientSecret }: PaymentIntent): string => clientSecret ?? ''

const refusalsOf = (client: StreamClient) =>
  client.events.filter(({ event }) => event === 'refused').map(({ data }) => JSON.parse(data).code)

describe('two processes on one database', { timeout: 120_000 }, () => {
  it('refuse a revoked key at once, and end its streams and long-polls within two seconds', async () => {
    const two = [await nodes.start(), await nodes.start()] as const
    const [first, second] = two
    const intent = await first.merchant.create(request)
    const { merchantId } = first.server.sandbox
    const made = await operate(first, 'key', 'create', '--merchant', merchantId)
    const held = await Promise.all(two.map((node) => follow(node, intent.id, made.key)))
    const payers = await Promise.all(two.map((node) => follow(node, intent.id, secretOf(intent))))
    const path = `/v1/payment-intents/${intent.id}/events?after=99&wait=25`
    const headers = { authorization: `Bearer ${made.key}` }
    const poll = fetch(second.server.url + path, { headers }).then((answer) => answer.json())
    // Run on one node; the command works on the database and contacts no server.
    const { revokedAt } = await operate(first, 'key', 'revoke', made.id)
    expect(await Promise.all(two.map((node) => codeOf(node, made.key)))).toEqual(
      two.map(() => 'key_revoked'),
    )
    for (const { client, closedAt } of held) {
      expect((await closedAt) - Date.parse(revokedAt)).toBeLessThan(heardWithinMs)
      expect(refusalsOf(client)).toEqual(['key_revoked'])
    }
    expect((await poll).code).toBe('key_revoked')
    for (const { client } of payers) {
      expect(client.isClosed).toBe(false)
      client.close()
    }
  })

  it('end the streams of a disabled merchant, and serve it again once it is enabled', async () => {
    const two = [await nodes.start(), await nodes.start()] as const
    const [first] = two
    const { merchantId, secretKey } = first.server.sandbox
    const intent = await first.merchant.create(request)
    const held = await Promise.all(two.map((node) => follow(node, intent.id, secretKey)))
    const { disabledAt } = await operate(first, 'merchant', 'disable', merchantId)
    expect(await codeOf(two[1], secretKey)).toBe('merchant_disabled')
    for (const { client, closedAt } of held) {
      expect((await closedAt) - Date.parse(disabledAt)).toBeLessThan(heardWithinMs)
      expect(refusalsOf(client)).toEqual(['merchant_disabled'])
    }
    // A payer's page uses a client secret and no key.
    const payer = new MerchantProgram(two[1].server.url, { secretKey: secretOf(intent) })
    expect(await payer.get(intent.id)).toMatchObject({ status: 'awaiting' })
    await operate(first, 'merchant', 'enable', merchantId)
    expect(await codeOf(two[1], secretKey)).toBe('ok')
  })

  it('record the last use of a key, whichever process received the request', async () => {
    const [first, second] = [await nodes.start(), await nodes.start()]
    const { merchantId } = first.server.sandbox
    const { id, key } = await operate(first, 'key', 'create', '--merchant', merchantId)
    const lastUsed = async () => {
      const env = { ...nodes.env, SETTLEWIRE_HOME: first.home }
      const { out } = await settlewire(['key', 'list', '--merchant', merchantId, '--json'], env)
      const listed = out.split('\n').filter(Boolean)
      return listed.map((line) => JSON.parse(line)).find((one) => one.id === id).lastUsedAt
    }
    expect(await lastUsed()).toBeNull()
    const before = Date.now()
    expect(await codeOf(second, key)).toBe('ok')
    const after = Date.now()
    await expect.poll(lastUsed, { timeout: 20_000, interval: 500 }).not.toBeNull()
    const at = Date.parse(await lastUsed())
    expect(at).toBeGreaterThanOrEqual(before)
    expect(at).toBeLessThanOrEqual(after)
  })
})

describe('a server on its embedded database', { timeout: 120_000 }, () => {
  const home = temporaryHome()
  let server: ServerProcess
  afterAll(() => home.remove())
  const operateHere = async (...line: string[]) => {
    const env = { SETTLEWIRE_HOME: home.path }
    const { code, out, err } = await settlewire([...line, '--json'], env)
    expect([code, err]).toEqual([0, ''])
    return out
      .split('\n')
      .filter(Boolean)
      .map((each) => JSON.parse(each))
  }

  it('lets operator commands work while it runs and while it is stopped', async () => {
    server = await startServer({ home: home.path, env: { SANDBOX_RPC_URL: nodes.anvil.wsUrl } })
    const { merchantId, secretKey } = server.sandbox
    const merchant = new MerchantProgram(server.url, server.sandbox)
    const intent = await merchant.create(request)
    const [made] = await operateHere('key', 'create', '--merchant', merchantId)
    const { client, closedAt } = await follow({ server }, intent.id, made.key)
    const [{ revokedAt }] = await operateHere('key', 'revoke', made.id)
    expect((await closedAt) - Date.parse(revokedAt)).toBeLessThan(heardWithinMs)
    expect(refusalsOf(client)).toEqual(['key_revoked'])
    expect(secretKey).toMatch(/^sk_test_/)
    await server.stop()
    const listed = await operateHere('key', 'list', '--all')
    expect(listed.map(({ id }) => id)).toContain(made.id)
    // The server writes the noted last use when it stops.
    expect(listed.find(({ id }) => id === made.id).lastUsedAt).not.toBeNull()
  })
})
