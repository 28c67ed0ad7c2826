import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventOf, evidenceOf, evidenceText } from '../payment/event-text.ts'
import { evidenceToJson } from '../payment/payment-json.ts'
import { canonicalJson } from './canonical-json.ts'
import { type Digest, feedSeal, noSeal, type Sealable, seal, sealText } from './seal.ts'

const digest: Digest = {
  sha256: (text) => hash('sha256', text),
  byteLength: (text) => Buffer.byteLength(text),
}

const event: Sealable = {
  subject: { kind: 'payment_intent', id: 'pi_1' },
  ...{ merchantId: 'mer_1', livemode: false, sequence: 3, id: 'evt_3' },
  ...{ type: 'payment_intent.confirming', at: Date.UTC(2026, 0, 2, 3, 4, 5, 6) },
  ...{ dataJson: '{"id":"pi_1","note":"é"}', evidenceJson: '{"fact":{},"policy":"p"}' },
}

describe('the seal of a feed', () => {
  const chained = (...seals: string[]): string =>
    seals.reduce((last, one) => feedSeal(last, one, digest), noSeal)
  const [first, second] = [digest.sha256('first'), digest.sha256('second')]

  it('is the SHA-256 of the previous feed seal and the seal of the event', () => {
    const input = `${noSeal}\n${first}\n`
    const said = execFileSync('sha256sum', { input }).toString()
    expect(said.slice(0, 64)).toBe(chained(first))
  })

  it('changes when two events are swapped', () => {
    expect(chained(first, second)).not.toBe(chained(second, first))
  })
})

describe('the seal of an event', () => {
  it('covers the previous seal, a header, and both texts as they are stored', () => {
    expect(sealText(event, noSeal, digest)).toBe(
      `${noSeal}\n` +
        'settlewire-event-1 payment_intent pi_1 3 evt_3 mer_1 test payment_intent.confirming ' +
        '2026-01-02T03:04:05.006Z 25 24\n' +
        '{"id":"pi_1","note":"é"}\n{"fact":{},"policy":"p"}\n',
    )
  })

  it('equals the output of sha256sum', () => {
    const said = execFileSync('sha256sum', { input: sealText(event, noSeal, digest) }).toString()
    expect(said.slice(0, 64)).toBe(seal(event, noSeal, digest))
  })

  it('changes with every part of the event, and with the previous seal', () => {
    const changes: Partial<Sealable>[] = [
      { subject: { kind: 'payout', id: 'pi_1' } },
      { subject: { kind: 'payment_intent', id: 'pi_2' } },
      { merchantId: 'mer_2' },
      { livemode: true },
      { sequence: 4 },
      { id: 'evt_4' },
      { type: 'payment_intent.updated' },
      { at: event.at + 1 },
      { dataJson: event.dataJson.replace('é', 'e') },
      { evidenceJson: event.evidenceJson.replace('p"', 'q"') },
    ]
    const seals = changes.map((change) => seal({ ...event, ...change }, noSeal, digest))
    const after = seal(event, noSeal.replace('0', '1'), digest)
    expect(new Set([seal(event, noSeal, digest), after, ...seals]).size).toBe(changes.length + 2)
  })

  it('differs for two events when characters move from one text into the other', () => {
    const json = fc.string({ unit: fc.constantFrom('a', '\n', '{', '}', ' ', '"', 'é') })
    fc.assert(
      fc.property(json, json, fc.nat(), (data, evidence, cut) => {
        const both = `${data}\n${evidence}`
        const at = cut % (both.length + 1)
        const other = { dataJson: both.slice(0, at), evidenceJson: both.slice(at + 1) }
        const isSame = other.dataJson === data && other.evidenceJson === evidence
        const one = sealText({ ...event, dataJson: data, evidenceJson: evidence }, noSeal, digest)
        expect(sealText({ ...event, ...other }, noSeal, digest) === one).toBe(isSame)
      }),
    )
  })

  it('refuses a name with a blank, because it could be read as two names', () => {
    for (const name of ['a b', 'a\nb', '', 'é']) {
      expect(() => seal({ ...event, merchantId: name }, noSeal, digest)).toThrow('must hold')
    }
  })
})

describe('the stored texts of an event', () => {
  const at = Date.UTC(2026, 0, 1)
  const evidence = {
    facts: [{ kind: 'withdrawn', source: 'merchant', at, reason: 'a "b" \u0000' }],
    policy: 'p "1"',
  } as const

  it('contain the evidence as canonical JSON', () => {
    expect(evidenceText(evidence)).toBe(canonicalJson(evidenceToJson(evidence)))
    expect(evidenceOf(evidenceText(evidence))).toEqual(evidence)
  })

  it('are read back as the event, with the short name of its type', () => {
    const evidenceJson = evidenceText(evidence)
    expect(eventOf({ ...event, evidenceJson })).toEqual({
      ...{ id: 'evt_3', type: 'confirming', at: event.at, evidence },
      data: { id: 'pi_1', note: 'é' },
    })
  })
})
