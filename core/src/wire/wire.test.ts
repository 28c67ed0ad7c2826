import { describe, expect, it } from 'vitest'
import { claimed, decided, dropped } from '../../../test/support/observations.ts'
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
  transfer,
} from '../../../test/support/payments.ts'
import { canonicalJson } from '../history/canonical-json.ts'
import { plain, revive } from '../history/plain-json.ts'
import { isId, makeId } from '../id.ts'
import type { Acceptance } from '../payment/payment.ts'
import { encodeData, envelope, resource, wireType } from './wire.ts'

const context = {
  policy,
  visibility: 'ok' as const,
  formatAddress: (_chain: string, address: string) => address.toUpperCase().replace('0X', '0x'),
  paymentUri: (accept: Acceptance, units: bigint) => `pay:${accept.address}?${units}`,
  explorerUrl: () => null,
}
const paid = observeAll(opened({ reference: 'order-42', metadata: { customer: 'c-1' } }), [
  included('0x1', 150_010_000n, blockAt(10), 1),
  headAt(11, 2),
])

describe('the resource', () => {
  it('shows the merchant everything, and the browser no payer, note or secret', () => {
    const merchant = { checkoutUrl: 'https://pay.example/pay/x', clientSecret: 'shh' }
    const forMerchant = JSON.stringify(resource(paid.payment, { ...context, merchant }))
    const forBrowser = JSON.stringify(resource(paid.payment, { ...context, merchant: null }))
    const hidden = [payer, 'order-42', 'c-1', 'shh', paid.payment.transactionId]
    for (const text of hidden) {
      expect(forMerchant).toContain(text)
      expect(forBrowser).not.toContain(text)
    }
  })

  it('contains amounts, confirmations and a payment link for the whole amount', () => {
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
    expect(shown.accept[0]?.uri).toBe(`pay:${deposit}?150000000`)
  })
})

describe('a transfer in the resource', () => {
  const merchant = { checkoutUrl: 'https://pay.example/pay/x', clientSecret: 'shh' }
  const explorerUrl = (_: string, txHash: string) => `https://explorer.example/${txHash}`
  const bridged = `0x${'cb'.repeat(20)}`
  const knownAsset = (chain: string, token: string | null) =>
    chain === 'local' && token === bridged ? { asset: 'USDC.e', chainId: 31337, decimals: 6 } : null

  it('shows asset and units of a known token that is not accepted, and why it is ignored', () => {
    const tokens = [bridged, `0x${'dd'.repeat(20)}`]
    const transfers = tokens.map((token, n) => ({ ...transfer('0x1', 5_000_000n, n), token }))
    const { payment } = observeAll(opened(), [
      { ...included('0x1', 0n, blockAt(10), 1), transfers },
    ])
    const shown = resource(payment, { ...context, knownAsset, merchant: null })
    expect(shown.transfers).toMatchObject([
      {
        ...{ asset: 'USDC.e', chainId: 31337, decimals: 6, units: '5000000', amount: '0.00' },
        ...{ stage: 'ignored', ignored: 'wrong_token', blockNumber: 10 },
      },
      { asset: null, chainId: null, decimals: null, ignored: 'wrong_token' },
    ])
    expect(resource(payment, { ...context, merchant: null }).transfers[0]?.asset).toBeNull()
  })

  it('has no txHash and no sender for a balance change of a block', () => {
    const way = opened().payment.terms.accept.map((accept) => ({ ...accept, token: null }))
    const txHash = `balance:${blockAt(10).hash}`
    const added = { ...transfer(txHash, 150_000_000n, 'balance'), token: null, from: '' }
    const { payment, events } = observeAll(opened({ accept: way }), [
      { ...included(txHash, 0n, blockAt(10), 1), transfers: [added] },
    ])
    const shown = resource(payment, { ...context, explorerUrl, merchant })
    expect(shown.transfers[0]).toMatchObject({ txHash: null, explorerUrl: null, amount: '150.00' })
    expect(shown.transfers[0]).not.toHaveProperty('from')
    expect(events.at(-1)?.data.txHash).toBeNull()
    expect(JSON.stringify([shown, events.map(({ data }) => data)])).not.toContain('balance:')
  })

  it('shows neither asset nor units for a claim', () => {
    const open = observeAll(opened(), [claimed('0x7')])
    const shown = resource(open.payment, { ...context, explorerUrl, knownAsset, merchant })
    const nothing = { txHash: '0x7', asset: null, ignored: null, units: '0' }
    expect(shown.transfers).toMatchObject([
      { ...nothing, stage: 'claimed', explorerUrl: 'https://explorer.example/0x7' },
    ])
    const { payment } = observeAll(open, [dropped('0x7', 40)])
    const givenUp = resource(payment, { ...context, explorerUrl, knownAsset, merchant })
    expect(givenUp.transfers).toMatchObject([{ ...nothing, stage: 'dropped', decimals: null }])
  })

  it('shows decisions of people to the merchant only, but the moved deadline to all', () => {
    const { payment } = observeAll(opened(), [
      included('0x1', 50_000_000n, blockAt(10), 1),
      decided('wait', bornAt + 60_000, 'the rest comes tomorrow'),
    ])
    const shown = resource(payment, { ...context, merchant })
    expect(shown.resolutions).toEqual([
      {
        ...{ action: 'wait', reason: 'the rest comes tomorrow', actor: 'key_1' },
        at: '2026-01-01T00:01:00.000Z',
      },
    ])
    const forBrowser = resource(payment, { ...context, merchant: null })
    expect(forBrowser.expiresAt).toBe(forBrowser.monitorUntil)
    expect(JSON.stringify(forBrowser)).not.toMatch(/tomorrow|key_1/)
  })
})

it('an event envelope contains the stored bytes of data unchanged', () => {
  const event = paid.events[1]
  if (event === undefined) throw new Error('the fixture has two events')
  const dataJson = encodeData(event.data)
  const text = envelope({ ...event, type: wireType(event.type), livemode: false, dataJson })
  expect(text.endsWith(`"data":${dataJson}}`)).toBe(true)
  expect(JSON.parse(text)).toMatchObject({ type: 'payment_intent.confirming', livemode: false })
})

it('metadata with any keys is never read back as an amount', () => {
  const hostile = { $big: '5', $$big: { $big: 'x' }, amount: 7n, list: [{ $x: null }] }
  expect(revive(JSON.parse(JSON.stringify(plain(hostile))))).toEqual(hostile)
})

it('equal values have the same canonical JSON', () => {
  expect(canonicalJson({ b: [1, { d: 'x', c: null }], a: undefined })).toBe(
    '{"b":[1,{"c":null,"d":"x"}]}',
  )
  expect(canonicalJson({ y: 1, x: 2 })).toBe(canonicalJson({ x: 2, y: 1 }))
})

it('ids sort by time and begin with the prefix of their kind', () => {
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
