import type { ChainInfo } from '@settlewire/client/answers'
import { describe, expect, it } from 'vitest'
import { eventOf, fixtures } from '../../test/support/checkout-fixtures.ts'
import { eventHead, showEvent, showPayment } from './show.ts'
import { showChain } from './show-chain.ts'
import { noteOf, showNote } from './show-connection.ts'

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
    const line = showEvent({
      id,
      type: 'payment_intent.updated',
      data: { ...data, finality: 'safe' },
    })
    expect(line).toMatch(/ updated +succeeded .* {2}finality safe$/)
    const { data: open } = eventOf(fixtures.awaiting)
    expect(showEvent({ id, type: 'payment_intent.created', data: open })).not.toContain('finality')
  })

  it('name both transactions of a replacement', () => {
    const { id, data } = eventOf(fixtures.pending_detected)
    const replaced = { ...data, reason: 'replaced_still_pays', replacedTxHash: '0xold' }
    const line = showEvent({ id, type: 'payment_intent.replaced', data: replaced })
    expect(line).toMatch(/replaced .* 0x4e3a\w+ {2}instead of 0xold {2}replaced_still_pays/)
  })
})

describe('the printed note of a watch', () => {
  const current = { state: 'current', transport: 'stream', reason: null } as const
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
      { ...current, state: 'reconnecting', reason: 'closed', visibility: null, chains: null },
      'ok',
      'reconnecting',
      'connection lost (closed)',
    ],
    [
      'the stream is blocked',
      { ...current, state: 'fallback', transport: 'long_poll', visibility: null, chains: null },
      'ok',
      'long-poll',
      'the stream is blocked; using long-poll',
    ],
  ] as const)('if %s', (_, connection, known, what, details) => {
    expect(noteOf(connection, known)).toEqual({ what, details })
  })

  it('has its time and its words in the columns of the events', () => {
    const line = showNote({ what: 'sight lost', details: 'why' }, Date.UTC(2026, 0, 2, 3, 4, 5))
    expect(line).toMatch(/^ {5}2026-01-02 03:04:05 {2}sight lost +why$/)
    expect(line.indexOf('sight lost')).toBe(eventHead.indexOf('event'))
    expect(line.indexOf('why')).toBe(eventHead.indexOf('details'))
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
