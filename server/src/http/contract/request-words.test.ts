import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HttpWorld } from '../../../../test/support/http-world.ts'

let world: HttpWorld
beforeAll(async () => {
  world = await HttpWorld.start()
})
afterAll(() => world.close())

const create = (body: object) => world.ask('/v1/payment-intents', { method: 'POST', body })
const asked = { amount: '150.00', currency: 'USDC' }

describe('the answer to an invalid request', () => {
  it.each([
    [{ redirect_url: 'https://shop.example' }, '/redirect_url', 'Did you mean redirectUrl?'],
    [{ expires: 60 }, '/expires', 'Did you mean expiresIn?'],
    [{ description: 'x' }, '/description', 'Unknown field description.'],
    [{ amount: 150 }, '/amount', 'Send "150": it must be a text, in quotes.'],
    [{ amount: null }, '/amount', 'Must be a text, not null.'],
    [{ amount: undefined }, '/amount', 'Required: a text.'],
    [{ expiresIn: '1800' }, '/expiresIn', 'Send 1800 without quotes: it must be a number.'],
    [{ metadata: { cart: 7 } }, '/metadata/cart', 'Send "7": it must be a text, in quotes.'],
    [{ accept: 'USDC.local' }, '/accept', 'Must be a list.'],
  ])('says for each field what to send instead: %j', async (fields, pointer, detail) => {
    const { status, json } = await create({ ...asked, ...fields })
    expect(status).toBe(400)
    expect(json.errors).toContainEqual({ pointer, detail: expect.stringContaining(detail) })
  })

  it('suggests the right name for a misspelled query parameter', async () => {
    const { json } = await world.ask('/v1/payment-intents?tx_hash=0x1')
    expect(json.detail).toContain('Did you mean txHash?')
  })

  it('lists the configured currencies and assets', async () => {
    const currency = await create({ amount: '1', currency: 'USD' })
    expect(currency.json).toMatchObject({ code: 'unsupported_asset' })
    expect(currency.json.detail).toBe('No asset is priced in USD. Available: USDC, ETH.')
    const asset = await create({ ...asked, accept: ['USDC.base'] })
    expect(asset.json.detail).toMatch(
      /^USDC\.base is not configured here\. Available: USDC\.local, /,
    )
  })
})

describe('the answer to a request without a valid key', () => {
  const detail = async (authorization: string | null): Promise<string> => {
    const headers: Record<string, string> = authorization === null ? {} : { authorization }
    const { status, json } = await world.ask('/v1/payment-intents', { key: null, headers })
    expect([status, json.code]).toEqual([401, 'unauthenticated'])
    return json.detail
  }

  it('says whether the key is missing, malformed or unknown', async () => {
    expect(await detail(null)).toContain('The request has no key.')
    expect(await detail(world.secretKey)).toContain('must have the form: Bearer <key>')
    expect(await detail('Bearer sk_test_short')).toContain('Malformed key')
    const unknown = `sk_test_${'x'.repeat(32)}`
    expect(await detail(`Bearer ${unknown}`)).toContain('Unknown key.')
    expect(await detail(`Bearer ${unknown}`)).not.toContain(unknown)
  })
})
