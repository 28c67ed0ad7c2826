import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TestWatch } from '../../../../../test/support/evm/chain-ledger.ts'
import { fakeTx, newAddress, tokenTx } from '../../../../../test/support/evm/fake-chain.ts'
import { sightingOf } from './sighting.ts'
import { isIrrelevant } from './skim.ts'

const token = newAddress()
const [ours, payer] = [newAddress(), newAddress()]
const watch = new TestWatch()
watch.addresses.add(ours)
watch.wantsNative = true
watch.contests.set('x', { txHash: fakeTx().hash, key: `${payer} 7` })
const rules = { tokens: new Set([token]), watch }

const frame = (result: unknown): unknown => ({
  jsonrpc: '2.0',
  method: 'eth_subscription',
  params: { subscription: '0x9cef478923ff08bf67fde6c64013158d', result },
})
const text = (result: unknown): string => JSON.stringify(frame(result))
const transaction = (parts: Record<string, unknown> = {}) => ({
  ...{ hash: fakeTx().hash, from: newAddress(), to: newAddress(), nonce: '0x1', value: '0x1' },
  ...{ input: '0x', gasPrice: '0x1' },
  ...parts,
})

describe('skipping a message without parsing it', () => {
  it('skips a transaction between unrelated addresses, whatever it carries', () => {
    expect(isIrrelevant(text(transaction()), rules)).toBe(true)
    const input = tokenTx(token, ours, 5n).input
    const accessList = [{ address: token, storageKeys: [`0x${'0'.repeat(64)}`] }]
    expect(isIrrelevant(text(transaction({ input, accessList })), rules)).toBe(true)
  })

  it.each<[string, Record<string, unknown>]>([
    ['calls a token', { to: token }],
    ['calls a token, written in upper case', { to: `0x${token.slice(2).toUpperCase()}` }],
    ['pays a watched address in native coin', { to: ours }],
    ['contends with a payment', { from: payer, nonce: '0x7' }],
    ['creates a contract', { to: null }],
    ['has no sender', { from: undefined }],
    ['has no nonce', { nonce: undefined }],
    ['has a number as its nonce', { nonce: 7 }],
    ['holds another transaction', { replaces: transaction() }],
  ])('parses a transaction that %s', (_, parts) => {
    expect(isIrrelevant(text(transaction(parts)), rules)).toBe(false)
  })

  it.each<[string, (compact: string) => string]>([
    ['spaces behind colons', (compact) => compact.replaceAll('":', '": ')],
    ['spaces before colons', (compact) => compact.replaceAll('":', '" :')],
    ['an escaped key', (compact) => compact.replace('"to"', '"t\\u006f"')],
    ['an escaped value', (compact) => compact.replace('"to":"0x', '"to":"\\u0030x')],
    ['a line per field', (compact) => JSON.stringify(JSON.parse(compact), null, 1)],
    ['tabs', (compact) => JSON.stringify(JSON.parse(compact), null, '\t')],
  ])('parses a message that is written with %s', (_, rewrite) => {
    const rewritten = rewrite(text(transaction({ to: ours })))
    expect(JSON.parse(rewritten)).toEqual(JSON.parse(text(JSON.parse(rewritten).params.result)))
    expect(isIrrelevant(rewritten, rules)).toBe(false)
    expect(isIrrelevant(rewrite(text(transaction())), rules)).toBe(false)
  })

  it('never skips a relevant transaction, whatever the order and form of its fields', () => {
    const strangers = Array.from({ length: 6 }, newAddress)
    const address = fc.constantFrom(token, ours, payer, ...strangers)
    const fields = fc.record({
      to: fc.oneof(
        address,
        address.map((one) => one.toUpperCase().replace('0X', '0x')),
        fc.constant(null),
      ),
      from: address,
      nonce: fc.constantFrom('0x7', '0x07', '0x1', '7', null),
      value: fc.constantFrom('0x0', '0x5'),
      input: fc.constantFrom('0x', tokenTx(token, ours, 5n).input, tokenTx(token, payer, 5n).input),
      gasPrice: fc.constant('0x1'),
      note: fc.constantFrom('', '', '', 'to', 'a "to":"0x', 'from'),
      more: fc.option(fc.record({ to: address, from: address }), { freq: 1 }),
    })
    const written = fc.record({
      order: fc.infiniteStream(fc.nat()),
      indent: fc.constantFrom(undefined, undefined, 1, '\t'),
      duplicate: fc.option(fc.record({ to: address, from: address }), { freq: 1 }),
    })
    let skipped = 0
    fc.assert(
      fc.property(fields, written, (parts, { order, indent, duplicate }) => {
        const shuffled = Object.entries({ hash: fakeTx().hash, ...parts })
          .map((entry) => ({ entry, at: order.next().value ?? 0 }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ entry }) => entry)
        const plain = JSON.stringify(frame(Object.fromEntries(shuffled)), null, indent)
        // A duplicate key is valid JSON: the last one counts.
        const again = duplicate === null ? '' : JSON.stringify(duplicate).slice(1, -1)
        const sent =
          duplicate === null ? plain : plain.replace(/\}(\s*)\}(\s*)\}$/, `,${again}}$1}$2}`)
        if (!isIrrelevant(sent, rules)) return
        skipped++
        expect(sightingOf(JSON.parse(sent).params.result, rules)).toBeNull()
      }),
      { numRuns: 3_000 },
    )
    expect(skipped).toBeGreaterThan(100)
  })
})
