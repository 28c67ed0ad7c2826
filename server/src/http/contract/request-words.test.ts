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
    [{ amount: 150 }, '/amount', 'Send "150": it must be a string, in quotes.'],
    [{ amount: null }, '/amount', 'Must be a string, not null.'],
    [{ amount: undefined }, '/amount', 'Missing; send a string.'],
    [{ expiresIn: '1800' }, '/expiresIn', 'Send 1800 without quotes: it must be a number.'],
    [{ metadata: { cart: 7 } }, '/metadata/cart', 'Send "7": it must be a string, in quotes.'],
    [{ accept: 'USDC.local' }, '/accept', 'Must be a list.'],
    [{ accept: [] }, '/accept', 'Must not be empty.'],
    [{ accept: Array(21).fill('USDC.local') }, '/accept', 'Must have at most 20 entries.'],
    [{ expiresIn: -5 }, '/expiresIn', 'Must be at least 1.'],
    [{ expiresIn: 1e9 }, '/expiresIn', 'Must be at most 2592000.'],
    [{ confirmationPolicy: 'fast' }, '/confirmationPolicy', 'Must be default.'],
  ])('says for each field what to send instead: %j', async (fields, pointer, detail) => {
    const { status, json } = await create({ ...asked, ...fields })
    expect(status).toBe(400)
    expect(json.errors).toContainEqual({ pointer, detail: expect.stringContaining(detail) })
  })

  it('suggests the right name for a misspelled query parameter', async () => {
    const { json } = await world.ask('/v1/payment-intents?tx_hash=0x1')
    expect(json.detail).toContain('Did you mean txHash?')
  })

  it.each([
    ['status=paid', 'status', 'Must be one of: awaiting, pending_detected, pending_expired, '],
    ['foo=abc', 'foo', 'Unknown parameter foo.'],
    ['limit=-5', 'limit', 'Must be a whole number.'],
    ['limit=1000', 'limit', 'Must be at most 100.'],
    ['limit=1&limit=2', 'limit', 'Must be sent only once.'],
    ['cursor=abc', 'cursor', 'Malformed value.'],
  ])('says what is wrong with a query parameter: %s', async (query, name, detail) => {
    const { status, json } = await world.ask(`/v1/payment-intents?${query}`)
    expect([status, json.code]).toEqual([400, 'invalid_request'])
    expect(json.detail).toContain(`/${name}: ${detail}`)
  })

  it('names each problem once, also where a value is checked before and after NFC', async () => {
    const { json } = await create({ ...asked, reference: 'x'.repeat(300) })
    const detail = 'Must have at most 255 characters.'
    expect(json.errors).toEqual([{ pointer: '/reference', detail }])
    expect(json.detail).toBe(`/reference: ${detail}`)
  })

  it.each([
    ['[]', 'The body must be a JSON object.'],
    ['"text"', 'The body must be a JSON object.'],
    ['', 'The body is empty or null. Send a JSON object.'],
    ['null', 'The body is empty or null. Send a JSON object.'],
  ])('says that the body must be an object: %j', async (body, detail) => {
    const { status, json } = await world.ask('/v1/payment-intents', { method: 'POST', body })
    expect([status, json.code, json.detail]).toEqual([400, 'invalid_request', detail])
    expect(json.errors).toEqual([{ pointer: '', detail }])
  })

  it.each([
    [
      '150.1234567',
      'The amount must have at most 6 decimal places: an accepted asset has no more.',
    ],
    ['-1', 'The amount must be a plain decimal string such as "150.00".'],
    ['1,50', 'The amount must be a plain decimal string such as "150.00".'],
    ['0', 'The amount must be more than 0.'],
  ])('points to the amount that cannot be paid: %s', async (amount, detail) => {
    const { status, json } = await create({ ...asked, amount, accept: ['USDC.local'] })
    expect([status, json.code]).toEqual([422, 'invalid_amount'])
    expect(json).toMatchObject({ detail, errors: [{ pointer: '/amount', detail }] })
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
