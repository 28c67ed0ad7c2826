import { describe, expect, it } from 'vitest'
import { claimed, decided, denied, dropped, pendingIn } from '../../../test/support/observations.ts'
import {
  blockAt,
  bornAt,
  clockAt,
  contextAt,
  headAt,
  included,
  opened,
  transfer,
} from '../../../test/support/payments.ts'
import { decide } from './decide.ts'
import { type ChainPace, type ExplainContext, explain } from './explain.ts'
import type { HeadMoved, Observation } from './observation.ts'
import type { ChainPolicy, Policy } from './policy.ts'

const full = 150_000_000n
const pace: ChainPace = {
  blockMs: 2_000,
  safeLagMs: 20_000,
  finalizedLagMs: 60_000,
  stalled: false,
}
const policyOf = (local: Partial<ChainPolicy> = {}): Policy => ({
  version: 'test-3',
  chains: { local: { settled: 12, final: 'finalized', quorum: 1, ...local } },
})
const contextOf = (more: Partial<ExplainContext> = {}): ExplainContext => ({
  ...{ policy: policyOf(), pace: () => pace, now: bornAt + 30_000 },
  ...more,
})
const head = (number: number, view: number, more: Partial<HeadMoved> = {}): Observation =>
  ({ ...headAt(number, view), ...more }) as Observation // the spread of a union keeps its member
const explained = (seen: readonly Observation[], more: Partial<ExplainContext> = {}) => {
  const context = contextOf(more)
  let { payment } = opened()
  for (const one of seen) {
    payment = decide(payment, [one], { ...contextAt(one.at), policy: context.policy }).payment
  }
  return explain(payment, context)
}
const first = included('0x1', full, blockAt(10), 1)

describe('the explanation of a policy', () => {
  it('lists the rule of each way to pay before any money is seen', () => {
    const { rules, transfers, sentences, missingAmount, aboutMs, policy } = explained([])
    expect(rules).toEqual([
      {
        ...{ asset: 'USDC', chain: 'local', level: 12, tier: null, final: 'finalized', quorum: 1 },
        ...{ aboutMs: 22_000, sentence: expect.stringContaining('USDC on Local test chain') },
      },
    ])
    expect([transfers, missingAmount, aboutMs, policy]).toEqual([[], '150.00', null, 'test-3'])
    expect(sentences).toContain(
      'USDC on Local test chain counts with 12 blocks, the one that holds it included.',
    )
    expect(sentences.at(-1)).toBe('These are the rules of policy version test-3.')
  })

  it('names the tier that set the level, with its upper amount', () => {
    const tiers = { USDC: [{ upTo: '1000', settled: 2 }] }
    const { rules, transfers } = explained([first], { policy: policyOf({ tiers }) })
    expect(rules[0]).toMatchObject({ level: 2, tier: { upTo: '1000' }, aboutMs: 2_000 })
    expect(rules[0]?.sentence).toContain('because it is not more than 1000 USDC')
    expect(transfers[0]).toMatchObject({ level: 2, tier: { upTo: '1000' }, aboutMs: 2_000 })
  })

  it('names the missing blocks and their time while a transfer is confirming', () => {
    const { transfers, aboutMs, settledAmount, missingAmount } = explained([first, head(14, 2)])
    expect(transfers[0]).toMatchObject({
      ...{ confirmations: 5, settled: false, sources: ['rpc:one'], aboutMs: 14_000 },
      missing: { blocks: 7, tag: null, sources: 0, held: null },
    })
    expect(transfers[0]?.sentence).toBe(
      '150.00 USDC on Local test chain (0x1) has 5 of 12 blocks: it counts with 12 blocks, ' +
        'the one that holds it included. It waits for 7 more, about 14 s.',
    )
    expect([aboutMs, settledAmount, missingAmount]).toEqual([14_000, '0.00', '0.00'])
  })

  it('names the tag that a transfer waits for, with the usual lag of the tag', () => {
    const policy = policyOf({ settled: 'finalized' })
    const { transfers } = explained([first, head(14, 2)], { policy })
    // Mined 20 s after it was born, so its finality is due 80 s after that; 30 s have passed.
    expect(transfers[0]).toMatchObject({
      ...{ level: 'finalized', aboutMs: 50_000 },
      missing: { blocks: null, tag: 'finalized', sources: 0, held: null },
    })
    expect(transfers[0]?.sentence).toContain('It waits for finalized, about 50 s.')
    const due = explained([first, head(14, 2)], { policy, now: bornAt + 500_000 })
    expect(due.transfers[0]?.aboutMs).toBe(2_000)
  })

  it('reports stalled finality without a time', () => {
    const policy = policyOf({ settled: 'finalized' })
    const stalled = { ...pace, stalled: true }
    const { transfers, rules, aboutMs } = explained([first, head(90, 2)], {
      ...{ policy, pace: () => stalled },
    })
    expect(transfers[0]?.missing.held).toBe('finality_stalled')
    expect(transfers[0]?.sentence).toContain('the transfer waits until it does so again')
    expect([rules[0]?.aboutMs, transfers[0]?.aboutMs, aboutMs]).toEqual([null, null, null])
  })

  it('names missing providers, and providers that contradict each other', () => {
    const policy = policyOf({ quorum: 2 })
    const waits = explained([first, head(30, 2, { witnesses: 2 })], { policy })
    expect(waits.transfers[0]).toMatchObject({
      ...{ quorum: 2, settled: false, aboutMs: null },
      missing: { blocks: 0, sources: 1 },
    })
    expect(waits.transfers[0]?.sentence).toContain('It waits for 1 more provider to show it.')
    const alone = explained([first, head(30, 2, { witnesses: 1 })], { policy })
    expect(alone.transfers[0]).toMatchObject({ settled: true, missing: { sources: 0 } })
    const torn = explained([first, head(30, 2, { disagree: true })])
    expect(torn.transfers[0]?.missing.held).toBe('sources_disagree')
    expect(torn.transfers[0]?.sentence).toContain('contradict each other')
  })

  it('names the providers that show or deny a transfer, and when a person decides', () => {
    const policy = policyOf({ quorum: 2, settled: 3 })
    const denial = { ...denied('0x1', blockAt(10), 2), source: 'rpc:two' }
    const { monitorUntil } = opened().payment.terms
    const until = new Date(monitorUntil).toISOString()
    const torn = explained([first, denial, head(12, 3, { witnesses: 2 })], { policy })
    expect(torn.transfers[0]?.missing).toEqual({
      ...{ blocks: 0, tag: null, sources: 1, held: 'sources_disagree', until },
    })
    expect(torn.transfers[0]?.sentence).toBe(
      '150.00 USDC on Local test chain (0x1) has 3 of 3 blocks: it counts with 3 blocks, the one that ' +
        'holds it included. one shows it in its block, and two denies that its block holds it. More ' +
        'must show it than deny it. It waits for 1 more provider to show it. If that does not happen by ' +
        `${until}, the payment becomes investigation_required and a person decides.`,
    )
    const payer = explained([first, denial], { policy, namesProviders: false })
    expect(payer.transfers[0]?.sentence).toContain(
      'One provider shows it in its block, and one provider denies that its block holds it.',
    )
    const over = [first, denial, head(12, 3, { witnesses: 2 }), clockAt(monitorUntil + 60_000)]
    const decides = explained(over, { policy, now: monitorUntil + 60_000 })
    expect(decides).toMatchObject({ status: 'investigation_required' })
    expect(decides.transfers[0]?.missing.until).toBeNull()
    expect(decides.sentences).toContain(
      'Its watch has ended and its providers did not agree: a person decides. If they agree before the decision, it settles or stops counting without one.',
    )
  })

  it('names the providers that deny a transfer when no provider shows it any more', () => {
    const { transfers } = explained([first, denied('0x1', blockAt(10), 2)])
    expect(transfers[0]).toMatchObject({ stage: 'denied', settled: false, deniedBy: ['rpc:one'] })
    expect(transfers[0]?.sentence).toContain(
      'one denies that its block holds it. It does not count',
    )
  })

  it('reports a settled transfer after success', () => {
    const { transfers, aboutMs, settledAmount } = explained([first, head(21, 2)])
    expect(transfers[0]).toMatchObject({ settled: true, aboutMs: 0 })
    expect(transfers[0]?.sentence).toContain('is settled')
    expect([aboutMs, settledAmount]).toEqual([0, '150.00'])
  })

  it('takes its time from the slowest of the transfers that cover the amount', () => {
    const parts = [
      included('0x1', 100_000_000n, blockAt(10), 1),
      included('0x2', 50_000_000n, blockAt(14), 1),
    ]
    expect(explained([...parts, head(15, 2)]).aboutMs).toBe(20_000)
  })

  it('names the missing amount, pending transactions and claims', () => {
    const { sentences, missingAmount } = explained([
      included('0x1', 50_000_000n, blockAt(10), 1),
      pendingIn('0x2', 100_000_000n, {}),
      claimed('0x3', 2),
    ])
    expect(missingAmount).toBe('100.00')
    expect(sentences).toContain('100.00 USDC is in no block yet.')
    expect(sentences.join(' ')).toContain('(0x2) is pending: no block holds it')
    expect(sentences.join(' ')).toContain('(0x3) was named by the payer')
  })

  it('shows a dropped claim that no node ever showed without an amount', () => {
    const { transfers } = explained([claimed('0x3', 2), dropped('0x3', 40)])
    expect(transfers[0]).toMatchObject({ stage: 'dropped', asset: null })
    expect(transfers[0]?.sentence).toMatch(
      /^A transaction on .* [(]0x3[)] was not found: no provider knows it[.]$/,
    )
  })

  it('names money that does not count, with the reason', () => {
    const wrong = { ...transfer('0x9', full), token: `0x${'dd'.repeat(20)}` }
    const { transfers } = explained([
      { ...included('0x9', 0n, blockAt(10), 1), transfers: [wrong] },
    ])
    expect(transfers[0]).toMatchObject({ ignored: 'wrong_token', asset: null, settled: false })
    expect(transfers[0]?.sentence).toBe(
      'A transfer (0x9) moved a token that this request does not accept.',
    )
  })

  it('says so when a person accepted the money', () => {
    const part = included('0x1', 50_000_000n, blockAt(10), 1)
    const { decidedByPerson, sentences } = explained([part, decided('accept', bornAt + 60_000)])
    expect(decidedByPerson).toBe(true)
    expect(sentences[0]).toBe('A person accepted what had arrived.')
    expect(sentences.join(' ')).not.toContain('in no block yet')
  })

  it('gives no time while the pace of the chain is not measured', () => {
    const { rules, transfers } = explained([first], { pace: () => null })
    expect([rules[0]?.aboutMs, transfers[0]?.aboutMs]).toEqual([null, null])
    expect(transfers[0]?.sentence).toContain('It waits for 11 more.')
  })

  it('consists of whole sentences', () => {
    const { sentences } = explained([first, head(14, 2), pendingIn('0x2', 1n, {})])
    for (const sentence of sentences) {
      expect(sentence).toMatch(/^[A-Z0-9].*[.]$/)
      expect(sentence).not.toMatch(/undefined|null|NaN|\s{2}/)
    }
  })
})
