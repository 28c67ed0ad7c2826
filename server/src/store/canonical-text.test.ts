import { hash } from 'node:crypto'
import { canonicalJson } from '@settlewire/core/canonical-json'
import { evidenceToJson, paymentToJson } from '@settlewire/core/payment-json'
import { plain } from '@settlewire/core/plain-json'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ScriptedPayment } from '../../../test/support/scripted-payments.ts'
import type { Append } from '../ports.ts'
import { canonicalText, rememberedText } from './canonical-text.ts'
import { hashOfStored, noHash, seal } from './hash-chain.ts'
import { paymentOf, stateText } from './projection.ts'

const anything = fc.anything({
  key: fc.oneof(fc.string(), fc.constantFrom('$big', '$', '$$a', 'a', 'b', '__proto__x')),
  values: [fc.string(), fc.bigInt(), fc.integer(), fc.boolean(), fc.constant(null)],
  withNullPrototype: false,
})

/** Every append of a whole payment, with awkward texts where texts are free. */
function appendsOf(texts: { reference: string; metadata: Record<string, string> }): Append[] {
  const payment = new ScriptedPayment(texts)
  const appends = [payment.opening()]
  while (payment.goesOn) appends.push(payment.step())
  return appends
}

const texts = fc.record({
  reference: fc.string({ unit: 'grapheme' }),
  metadata: fc.dictionary(fc.string(), fc.string()),
})

describe('canonical text', () => {
  it('is the canonical JSON of what core makes plain, for every value', () => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(canonicalText(value)).toBe(canonicalJson(plain(value)))
      }),
    )
  })

  it('is the same when it is remembered, and for shapes without end', () => {
    for (let index = 0; index < 5_000; index++) {
      const value = { [`key ${index}`]: 1n, b: [], a: { [`other ${index}`]: null, c: undefined } }
      expect(rememberedText(value)).toBe(canonicalJson(plain(value)))
      expect(rememberedText(value)).toBe(canonicalText(value))
    }
  })
})

describe('the state of a payment', () => {
  it('is, with the first event, all of it, as core writes it', () => {
    fc.assert(
      fc.property(texts, (awkward) => {
        const appends = appendsOf(awkward)
        const opening = appends[0]?.events[0]
        if (opening === undefined) throw new Error('there is no opening')
        const { evidenceJson: evidence } = seal(opening, noHash)
        for (const { state } of appends) {
          const { id, createdAt } = state
          const moving = stateText(state)
          const whole = JSON.parse(JSON.stringify(paymentToJson(state)))
          expect(whole).toMatchObject(JSON.parse(moving))
          expect(paymentOf({ id, created_at: createdAt, evidence, state: moving })).toEqual(state)
        }
      }),
      { numRuns: 30 },
    )
  })
})

describe('the seal of an event', () => {
  it('is over the canonical JSON of the event, so that anybody can check it', () => {
    fc.assert(
      fc.property(texts, (awkward) => {
        for (const event of appendsOf(awkward).flatMap(({ events }) => events)) {
          const { id, type, at, data } = event
          const evidence = evidenceToJson(event.evidence)
          const sealed = seal(event, noHash)
          expect(sealed.evidenceJson).toBe(canonicalJson(evidence))
          expect(hashOfStored(event, sealed)).toBe(sealed.hash)
          const whole = canonicalJson({ id, type, at, data, evidence })
          expect(seal(event, noHash).hash).toBe(hash('sha256', noHash + whole))
        }
      }),
      { numRuns: 30 },
    )
  })

  it('changes with every part of the event, and with what came before', () => {
    const [event] = new ScriptedPayment().opening().events
    if (event === undefined) throw new Error('there is no event')
    const sealed = seal(event, noHash)
    const { dataJson, evidenceJson, prevHash } = sealed
    const changed = [
      hashOfStored({ ...event, id: 'evt_other' }, sealed),
      hashOfStored({ ...event, type: 'updated' }, sealed),
      hashOfStored({ ...event, at: event.at + 1 }, sealed),
      hashOfStored(event, { ...sealed, dataJson: dataJson.replace('150.00', '150.01') }),
      hashOfStored(event, { ...sealed, evidenceJson: evidenceJson.replace('150', '151') }),
      hashOfStored(event, { ...sealed, prevHash: prevHash.replace('0', '1') }),
    ]
    expect(new Set([sealed.hash, ...changed]).size).toBe(changed.length + 1)
  })
})
