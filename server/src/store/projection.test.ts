import { evidenceText } from '@settlewire/core/event-text'
import { paymentToJson } from '@settlewire/core/payment-json'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ScriptedPayment } from '../../../test/support/scripted-payments.ts'
import type { Append } from '../ports.ts'
import { paymentOf, stateText } from './projection.ts'

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

describe('the state of a payment', () => {
  it('is, with the first event, all of it, as core writes it', () => {
    fc.assert(
      fc.property(texts, (awkward) => {
        const appends = appendsOf(awkward)
        const opening = appends[0]?.events[0]
        if (opening === undefined) throw new Error('there is no opening')
        const evidence = evidenceText(opening.evidence)
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
