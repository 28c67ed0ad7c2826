import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answered, HttpWorld } from '../../../../test/support/http-world.ts'

let world: HttpWorld
let payment: Answered['json']
beforeAll(async () => {
  world = await HttpWorld.start()
  payment = await world.create()
})
afterAll(() => world.close())

const path = '/v1/payment-intents'

describe('a text with hidden characters', () => {
  const body = { amount: '1.00', currency: 'USDC' }
  it.each([
    ['/reference', { ...body, reference: 'order\u202e42' }, 'U+202E'],
    ['/reference', { ...body, reference: 'order\u200b42' }, 'U+200B'],
    ['/metadata/note', { ...body, metadata: { note: 'a\u2066b' } }, 'U+2066'],
    ['/metadata/noU+202Ete', { ...body, metadata: { 'no\u202ete': 'a' } }, 'U+202E'],
    ['/redirectUrl', { ...body, redirectUrl: 'https://shop.example/\u202e' }, 'U+202E'],
  ])('is refused, naming the field and the character: %s', async (pointer, sent, character) => {
    const { status, json, text } = await world.ask(path, { body: sent })
    expect([status, json.code]).toEqual([400, 'invalid_request'])
    expect(json.errors).toContainEqual({ pointer, detail: expect.stringContaining(character) })
    expect(text).not.toMatch(/[\u200b\u202e\u2066]/)
  })

  it('is refused as a reason too', async () => {
    const url = `${path}/${payment.id}/cancel`
    const { json } = await world.ask(url, { body: { reason: 'a\u202eb' } })
    expect(json.errors).toEqual([
      { pointer: '/reason', detail: 'Must not contain U+202E, a bidirectional control.' },
    ])
  })

  it('may have decomposed letters: stored composed, and found either way', async () => {
    const reference = 'Mu\u0308ller'
    const created = await world.ask(path, {
      body: { ...body, reference, metadata: { 'Gru\u0308n': 'u\u0308' } },
    })
    expect(created.json).toMatchObject({ reference: 'Müller', metadata: { Grün: 'ü' } })
    for (const asked of [reference, 'Müller']) {
      const found = await world.ask(`${path}?reference=${encodeURIComponent(asked)}`)
      expect(found.json.data.map(({ id }: { id: string }) => id)).toEqual([created.json.id])
    }
  })
})

describe('metadata', () => {
  const ask = (metadata: object) =>
    world.ask(path, { body: { amount: '1.00', currency: 'USDC', metadata } })

  it('with two keys that are the same text after normalization is refused, naming the second', async () => {
    const { status, json } = await ask({ 'Gr\u00fcn': 'one', a: 'b', 'Gru\u0308n': 'two' })
    expect([status, json.code]).toEqual([400, 'invalid_request'])
    expect(json.errors).toEqual([
      {
        pointer: '/metadata/Gru\u0308n',
        detail: 'Two keys are the same text in Unicode normal form C: send only one.',
      },
    ])
  })

  it('may have keys that are alike and not the same, in the order in which they were sent', async () => {
    const metadata = { z: '1', Grun: '2', Grün: '3' }
    const { status, json } = await ask(metadata)
    expect([status, Object.entries(json.metadata)]).toEqual([201, Object.entries(metadata)])
  })

  it.each([
    // U+0958 has two characters in normal form C.
    ['a key that is longer after normalization', { ['\u0958'.repeat(21)]: 'x' }],
    ['a key of 41 characters', { ['k'.repeat(41)]: 'x' }],
    ['an empty key', { '': 'x' }],
    ['21 pairs', Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`k${n}`, 'x']))],
  ])('is refused with %s', async (_, metadata) => {
    const { status, json } = await ask(metadata)
    expect([status, json.errors[0].pointer]).toEqual([400, expect.stringMatching(/^\/metadata/)])
  })
})

describe('redirectUrl', () => {
  const ask = (redirectUrl: string) =>
    world.ask(path, { body: { amount: '1.00', currency: 'USDC', redirectUrl } })

  it.each([
    ['https://shop.example', 'https://shop.example/'],
    ['HTTPS://Shop.EXAMPLE:443/a/../thanks?x=1#end', 'https://shop.example/thanks?x=1#end'],
    ['https://müller.example/ä', 'https://xn--mller-kva.example/%C3%A4'],
    ['http://127.1/', 'http://127.0.0.1/'],
    ['https://shop.example\\@evil.example/', 'https://shop.example/@evil.example/'],
  ])('is stored as the URL standard serializes it: %s', async (sent, kept) => {
    const { status, json } = await ask(sent)
    expect([status, json.redirectUrl]).toEqual([201, kept])
  })

  it.each([
    '/thanks',
    'shop.example/thanks',
    '//shop.example/thanks',
    'https:shop.example',
    'https:/shop.example',
    'javascript:alert(1)',
    'data:text/html,x',
    'ftp://shop.example/',
    'https://',
    'https://a b/',
    'https://user@shop.example/',
    'https://user:secret@shop.example/',
    ` https://shop.example/`,
    'https://shop.example/\t',
  ])('is refused unless it is an absolute web URL without credentials: %s', async (sent) => {
    const { status, json } = await ask(sent)
    expect([status, json.code, json.errors[0].pointer]).toEqual([
      400,
      'invalid_request',
      '/redirectUrl',
    ])
  })
})
