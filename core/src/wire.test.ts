import { describe, expect, it } from 'vitest'
import {
  blockAt,
  bornAt,
  deposit,
  headAt,
  included,
  observeAll,
  opened,
  payer,
  policy,
  usdc,
} from '../../test/support/payments.ts'
import { canonicalJson } from './canonical-json.ts'
import { isId, makeId } from './id.ts'
import { plain, revive } from './plain-json.ts'
import { encodeData, envelope, resource } from './wire.ts'

const context = {
  policy,
  visibility: 'ok' as const,
  formatAddress: (_chain: string, address: string) => address.toUpperCase().replace('0X', '0x'),
  explorerUrl: () => null,
}
const paid = observeAll(opened({ reference: 'order-42', metadata: { customer: 'c-1' } }), [
  included('0x1', 150_010_000n, blockAt(10), 1),
  headAt(11, 2),
])

describe('the resource', () => {
  it('shows the merchant everything and the browser no payer, note or secret', () => {
    const merchant = { checkoutUrl: 'https://pay.example/pay/x', clientSecret: 'shh' }
    const forMerchant = JSON.stringify(resource(paid.payment, { ...context, merchant }))
    const forBrowser = JSON.stringify(resource(paid.payment, { ...context, merchant: null }))
    const hidden = [payer, 'order-42', 'c-1', 'shh', paid.payment.transactionId]
    for (const text of hidden) {
      expect(forMerchant).toContain(text)
      expect(forBrowser).not.toContain(text)
    }
  })

  it('names amounts, confirmations and the wallet link of EIP-681', () => {
    const shown = resource(paid.payment, { ...context, merchant: null })
    expect(shown).toMatchObject({
      status: 'confirming',
      amount: '150.00',
      amountReceived: '150.01',
      flags: ['overpaid'],
      transfers: [
        { amount: '150.01', stage: 'included', confirmations: 2, requiredConfirmations: 3 },
      ],
    })
    const [to, token] = [deposit, usdc].map((address) => context.formatAddress('local', address))
    expect(shown.accept[0]?.uri).toBe(
      `ethereum:${token}@31337/transfer?address=${to}&uint256=150000000`,
    )
  })
})

it('splices the stored bytes of data into the envelope', () => {
  const event = paid.events[1]
  if (event === undefined) throw new Error('the fixture has two events')
  const dataJson = encodeData(event.data)
  const text = envelope({ ...event, livemode: false, dataJson })
  expect(text.endsWith(`"data":${dataJson}}`)).toBe(true)
  expect(JSON.parse(text)).toMatchObject({ type: 'payment_intent.confirming', livemode: false })
})

it('keeps metadata apart from amounts, whatever its keys', () => {
  const hostile = { $big: '5', $$big: { $big: 'x' }, amount: 7n, list: [{ $x: null }] }
  expect(revive(JSON.parse(JSON.stringify(plain(hostile))))).toEqual(hostile)
})

it('makes one canonical text of equal values', () => {
  expect(canonicalJson({ b: [1, { d: 'x', c: null }], a: undefined })).toBe(
    '{"b":[1,{"c":null,"d":"x"}]}',
  )
  expect(canonicalJson({ y: 1, x: 2 })).toBe(canonicalJson({ x: 2, y: 1 }))
})

it('makes ids that sort by time and say what they name', () => {
  const zero = new Uint8Array(10)
  const early = makeId(
    'pi',
    bornAt,
    zero.map(() => 255),
  )
  const late = makeId('pi', bornAt + 1, zero)
  expect([late, early].sort()).toEqual([early, late])
  expect(isId('pi', early)).toBe(true)
  expect(isId('evt', early)).toBe(false)
  expect(isId('pi', `${early}x`)).toBe(false)
})
