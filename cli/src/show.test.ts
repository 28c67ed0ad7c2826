import type { ChainInfo } from '@settlewire/client/answers'
import { describe, expect, it } from 'vitest'
import { eventOf, fixtures } from '../../test/support/checkout-fixtures.ts'
import { showPayment } from './show.ts'
import { showChain } from './show-chain.ts'
import { noteOf } from './show-connection.ts'
import { showDecision } from './show-decision.ts'
import { eventHead, showEvent, showRemark } from './show-event.ts'

describe('the printed lines of a payment', () => {
  it('have a line for each transaction, with its depth only once it is in a block', () => {
    const [one] = fixtures.confirming.transfers
    if (one === undefined) throw new Error('the fixture has a transfer')
    const inBlock = { ...one, blockNumber: 7 }
    const transfers = [inBlock, { ...one, stage: 'replaced' as const, blockNumber: null }]
    const lines = showPayment({ ...fixtures.confirming, transfers }, String).filter((line) =>
      line.startsWith('transfer'),
    )
    expect(lines[0]).toContain('included 1/3 0x')
    expect(lines[1]).toContain('replaced 0x')
  })

  it('show the finality of an event that changed nothing else', () => {
    const { id, data } = eventOf(fixtures.succeeded)
    const safe = { ...data, finality: 'safe' as const }
    const line = showEvent({ id, type: 'payment_intent.updated', data: safe }, 'pipe')
    expect(line).toMatch(/ updated +succeeded .* {2}finality safe$/)
    const { data: open } = eventOf(fixtures.awaiting)
    const created = showEvent({ id, type: 'payment_intent.created', data: open }, 'pipe')
    expect(created).not.toContain('finality')
  })

  it('name both transactions of a replacement', () => {
    const { id, data } = eventOf(fixtures.pending_detected)
    const replaced = { ...data, reason: 'replaced_still_pays', replacedTxHash: '0xold' }
    const line = showEvent({ id, type: 'payment_intent.replaced', data: replaced }, 'pipe')
    expect(line).toMatch(/replaced .* 0x4e3a\w+ {2}instead of 0xold {2}replaced_still_pays/)
  })

  it.each([
    ['succeeded', 'succeeded', '150.00', 'replaced_still_pays'],
    ['pending_expired', 'pending_detected', '150.00', 'replaced_elsewhere'],
    ['investigation_required', 'investigation_required', '150.00', 'reorged_after_success'],
    ['replaced', 'confirming', '10.123456789012345678', 'replaced_still_pays'],
  ] as const)('fit 120 columns on a terminal: %s, %s, %s', (type, status, amount, reason) => {
    const { id, data } = eventOf(fixtures.pending_detected)
    const txHash = `0x${'4e3a'.repeat(16)}`
    const flags = ['reorg_seen', 'replaced_seen', 'multiple_transfers'] as const
    const whole = {
      ...{ ...data, status, reason, flags, txHash, replacedTxHash: `0x${'ab01'.repeat(16)}` },
      ...{ receivedAmount: amount, expectedAmount: amount },
      pendingAmount: type === 'investigation_required' ? '0.00' : amount,
      finality: 'final' as const,
    }
    const event = { id, type: `payment_intent.${type}`, data: whole }
    const lines = showEvent(event, 'terminal').split('\n')
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(120)
    expect(lines.join('\n')).toContain('0x4e3a4e…4e3a')
    expect(lines.join(' ')).toMatch(/instead +of 0xab01ab…ab01|instead of +0xab01ab…ab01/)
    expect(lines.join(' ')).toMatch(/multiple_transfers +finality final$/)
    expect(lines[0]).not.toMatch(/\S(\+ |0x)/)
    // Further lines begin under the head of their column.
    for (const line of lines.slice(1)) {
      expect(line.search(/\S/)).toBe(eventHead('terminal').indexOf('details'))
    }
    expect(showEvent(event, 'pipe')).not.toContain('\n')
    expect(showEvent(event, 'pipe')).toContain(txHash)
  })

  it('say why a payment is to be decided by a person, and with which commands', () => {
    const paid = { ...fixtures.investigation_required, reason: 'reorged_after_success' as const }
    const payment = { ...paid, id: 'pi_1', flags: [] }
    const why = 'It succeeded, then a reorg removed its block. Mined again, it succeeds again.'
    const accept =
      'npx settlewire resolve pi_1 accept       --reason "…"  (the money that arrived is enough)'
    const lines = showPayment(payment, String)
    expect(lines).toEqual(expect.arrayContaining([`why        ${why}`, `decide     ${accept}`]))
    const told = showDecision(payment)
    expect(told.slice(0, 3)).toEqual([why, 'A person can decide:', `  ${accept}`])
    expect(told.join('\n')).not.toContain('refund_noted')
    expect(showDecision({ ...payment, reason: 'overtaken' as never }).join('\n')).toContain(
      'resolve pi_1 refund_noted',
    )
    expect(showDecision({ ...payment, status: 'succeeded' })).toEqual([])
  })
})

describe('the printed note of a watch', () => {
  const current = { state: 'current', transport: 'stream', reason: null, provenAt: 1 } as const
  const polled = { ...current, state: 'fallback', visibility: null, chains: null } as const
  const lost = { ...polled, state: 'reconnecting' } as const
  const address = 'http://127.0.0.1:8080'
  const blind = { chain: 'base', visibility: 'blind', head: 41, lagMs: 9_000 } as const
  const seen = { ...blind, visibility: 'ok' } as const

  it.each([
    ['the chains are seen', { ...current, visibility: 'ok', chains: [seen] }, null, 'live', ''],
    [
      'a chain is seen less well',
      { ...current, visibility: 'degraded', chains: null },
      null,
      'live',
      '',
    ],
    ['the payment says so', { ...current, visibility: null, chains: null }, 'ok', 'live', ''],
    [
      'nothing is known yet',
      { ...current, visibility: null, chains: null },
      null,
      'connected',
      'the server has not said yet whether it sees the chains',
    ],
    [
      'one of two chains is blind',
      { ...current, visibility: 'degraded', chains: [{ ...seen, chain: 'other' }, blind] },
      'ok',
      'sight lost',
      'base was seen up to block 41; nothing expires meanwhile',
    ],
    [
      'the payment says that it is blind',
      { ...current, visibility: null, chains: null },
      'blind',
      'sight lost',
      'a chain cannot be seen; nothing expires meanwhile',
    ],
    [
      'the connection is lost',
      { ...lost, reason: 'closed' },
      'ok',
      'reconnecting',
      'connection lost (closed)',
    ],
  ] as const)('if %s', (_, connection, known, what, details) => {
    expect(noteOf(connection, { address, known, fault: null })).toEqual({ what, details })
  })

  it.each([
    ['long_poll', 'unreachable', 'long-poll', 'the server did not answer; using long-poll'],
    ['poll', 'unreachable', 'poll', 'the server did not answer; using poll'],
    ['long_poll', null, 'long-poll', 'no stream lasted; using long-poll'],
    [
      'long_poll',
      'unexpected_answer',
      'long-poll',
      'the connection failed (unexpected_answer); using long-poll',
    ],
  ] as const)('names the transport %s and the fault %s', (transport, fault, what, words) => {
    const note = noteOf({ ...polled, transport }, { address, known: null, fault })
    expect(note).toEqual({ what, details: `${words} until a stream works again` })
  })

  it('names the address before the first answer, instead of a connection that was lost', () => {
    const never = { ...lost, provenAt: null, reason: 'unreachable' }
    expect(noteOf(never, { address, known: null, fault: 'unreachable' })?.details).toBe(
      `no answer from ${address} yet; start it with npm start`,
    )
  })

  it('has its time and its words in the columns of the events, and fits 120 columns', () => {
    const note = { what: 'sight lost', details: 'why '.repeat(40).trim() }
    const at = Date.UTC(2026, 0, 2, 3, 4, 5)
    expect(showRemark(note, at, 'pipe')).toMatch(/^ {5}2026-01-02 03:04:05 {2}sight lost +why why/)
    for (const medium of ['pipe', 'terminal'] as const) {
      const [line = ''] = showRemark(note, at, medium).split('\n')
      expect(line.indexOf('sight lost')).toBe(eventHead(medium).indexOf('event'))
      expect(line.indexOf('why')).toBe(eventHead(medium).indexOf('status'))
    }
    const lines = showRemark(note, at, 'terminal').split('\n')
    expect(lines).toHaveLength(3)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(120)
  })
})

const chain: ChainInfo = {
  ...{ name: 'base', displayName: 'Base', chainId: 8453, visibility: 'degraded' },
  ...{ publicMempool: false, explorer: null },
  ...{ reason: 'finality_stalled', head: 900, headAt: '2026-01-01T00:00:00.000Z', lagMs: 2_100 },
  assets: [],
  disabled: [
    {
      ...{ name: 'USDC.base', symbol: 'USDC', currency: 'USDC', token: '0x1', decimals: 6 },
      reason: 'Its contract says 18 decimals.',
    },
  ],
  native: { symbol: 'ETH', currency: 'ETH', decimals: 18, accepted: false },
  policy: {
    ...{ version: 'cfg-1', settled: 'safe', final: 'finalized', quorum: 2, tiers: {} },
    sentences: ['2 providers must have shown it.'],
  },
  pace: { blockMs: 2_000, measured: false },
  finality: { safe: 880, finalized: null, stalled: true },
  providers: [
    {
      ...{ name: 'alpha', visibility: 'degraded', reason: 'behind', head: 890, lagBlocks: 10 },
      ...{ lagMs: 4, logsAsked: 9, logsEmpty: 1, disagreements: 0, reconnects: 2, firstSeen: 3 },
    },
  ],
}

describe('the printed lines of a chain', () => {
  it('name the problems of the chain, of its assets and of each provider', () => {
    expect(showChain(chain)).toEqual([
      'Base (base, 8453)',
      '  seen      degraded, finality_stalled, block 900, 2.1 s old',
      '  pace      a block every 2.0 s (not measured yet)',
      '  finality  safe up to block 880, no final block known: stalled, payments that need it wait',
      '  assets    none',
      '  disabled  USDC.base: Its contract says 18 decimals.',
      '  policy    2 providers must have shown it.',
      '  provider  alpha degraded (behind), block 890, 10 blocks behind, ' +
        '1 of 9 log answers incomplete, 2 reconnects',
    ])
  })
})
