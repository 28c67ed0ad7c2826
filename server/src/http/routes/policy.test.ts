import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, HttpWorld } from '../../../../test/support/http-world.ts'

let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.start()
})
afterAll(() => world.close())

const ask = ({ id }: Answered['json'], key?: string) =>
  world.ask(`/v1/payment-intents/${id}/policy`, key === undefined ? {} : { key })

describe('GET …/policy', () => {
  it('explains the rules for a payment before any money is detected', async () => {
    const { json, status } = await ask(await world.create())
    expect(status).toBe(200)
    expect(json).toMatchObject({
      ...{ object: 'policy_explanation', policy: 'test-1', requiredAmount: '150.00' },
      ...{ missingAmount: '150.00', aboutMs: null, transfers: [] },
      rules: [{ asset: 'USDC', chain: 'local', level: 3, quorum: 1 }],
    })
    expect(json.sentences.join(' ')).toContain('with 3 blocks, the one that holds it included')
  })

  it('says how many blocks are missing, and estimates the time from measured block times', async () => {
    const payment = await world.create()
    await world.pay(payment)
    const { json } = await ask(payment)
    expect(json.transfers).toMatchObject([
      { stage: 'included', confirmations: 1, missing: { blocks: 2 }, sources: ['rpc:local'] },
    ])
    expect(json.aboutMs).toBeGreaterThan(0)
    expect(json.sentences.join(' ')).toMatch(/1 of 3 blocks.*2 more, about \d+ s/)
    await world.engine.mine([], { blocks: 2 })
    expect((await ask(payment)).json).toMatchObject({ status: 'succeeded', aboutMs: 0 })
  })

  it('hides payer addresses and providers from a client that uses a client secret', async () => {
    const payment = await world.create()
    await world.pay(payment)
    const answer = await ask(payment, payment.clientSecret)
    expect(answer.json.transfers).toHaveLength(1)
    expect(answer.text).not.toContain('rpc:')
    expect(answer.text).not.toContain('sources":[')
    const own = await world.ask(`/v1/payment-intents/${payment.id}`)
    expect(answer.text).not.toContain(own.json.transfers[0].from)
  })
})
