import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { createMetrics } from './metrics.ts'
import type { ProviderScore } from './ports/chain.ts'

const value = (text: string, series: string): string | undefined =>
  text
    .split('\n')
    .find((line) => line.startsWith(`${series} `))
    ?.slice(series.length + 1)

describe('the metrics', () => {
  it('count open streams, and closed ones by reason', async () => {
    const metrics = createMetrics()
    metrics.streamOpened('sse')
    metrics.streamOpened('sse')
    metrics.streamClosed('sse', 'finished')
    const text = await metrics.text()
    expect(value(text, 'settlewire_streams_open{transport="sse"}')).toBe('1')
    expect(value(text, 'settlewire_streams_open{transport="long_poll"}')).toBe('0')
    expect(value(text, 'settlewire_streams_closed_total{transport="sse",why="finished"}')).toBe('1')
  })

  it('show a growing lag while a chain has no new blocks', async () => {
    const clock = new ManualClock()
    const metrics = createMetrics({ clock })
    metrics.chainMoved('local', 12, 500)
    expect(value(await metrics.text(), 'settlewire_chain_lag_seconds{chain="local"}')).toBe('0.5')
    await clock.advance(60_000)
    const text = await metrics.text()
    expect(value(text, 'settlewire_chain_lag_seconds{chain="local"}')).toBe('60.5')
    expect(value(text, 'settlewire_chain_head{chain="local"}')).toBe('12')
  })

  it('show why a chain is degraded or blind, and when a person must act', async () => {
    const metrics = createMetrics()
    const seen = { chain: 'base', head: 7, headAt: null } as const
    const shown = async (series: string) =>
      value(await metrics.text(), `settlewire_chain_${series}`)
    metrics.chainHealth({ ...seen, visibility: 'degraded', reason: 'finality_stalled' })
    expect(await shown('visibility{chain="base"}')).toBe('1')
    expect(await shown('trouble{chain="base",reason="finality_stalled"}')).toBe('1')
    expect(await shown('halted{chain="base"}')).toBe('0')
    metrics.chainHealth({ ...seen, visibility: 'blind', reason: 'reorg_below_finality' })
    expect(await shown('trouble{chain="base",reason="finality_stalled"}')).toBe('0')
    expect(await shown('halted{chain="base"}')).toBe('1')
    metrics.chainHealth({ ...seen, visibility: 'ok', reason: null })
    expect(await shown('halted{chain="base"}')).toBe('0')
    expect(await shown('trouble{chain="base",reason="reorg_below_finality"}')).toBe('0')
  })

  it('show the score of each provider, and count claims by their answer', async () => {
    const metrics = createMetrics()
    const score: ProviderScore = {
      ...{ name: 'alpha', visibility: 'degraded', reason: 'behind', head: 4, lagBlocks: 2 },
      ...{ lagMs: 350, logsAsked: 9, logsEmpty: 1, disagreements: 3, reconnects: 5, firstSeen: 8 },
    }
    const seen = { chain: 'base', head: 7, headAt: null, reason: null } as const
    metrics.chainHealth({ ...seen, visibility: 'ok', providers: [score] })
    metrics.claimed('not_found')
    const text = await metrics.text()
    const of = '{chain="base",provider="alpha"}'
    const shown = ['lag_seconds', 'lag_blocks', 'logs_empty', 'disagreements', 'reconnects'].map(
      (name) => value(text, `settlewire_provider_${name}${of}`),
    )
    expect(shown).toEqual(['0.35', '2', '1', '3', '5'])
    expect(value(text, 'settlewire_claims_total{known="not_found"}')).toBe('1')
  })

  it('never create a series for an id', async () => {
    const metrics = createMetrics()
    for (let i = 0; i < 1_000; i++) {
      metrics.streamClosed('sse', `pi_01HZ${i}`)
      metrics.streamClosed('sse', `why${i}`)
    }
    const text = await metrics.text()
    expect(text).not.toContain('pi_01HZ')
    const series = text.split('\n').filter((line) => line.startsWith('settlewire_streams_closed'))
    expect(series.length).toBeLessThanOrEqual(65)
  })

  it('convert milliseconds to seconds', async () => {
    const metrics = createMetrics()
    metrics.eventLag(1_500)
    metrics.appended(3, 2, 20)
    metrics.streamFirstEvent('sse', 30)
    const text = await metrics.text()
    expect(value(text, 'settlewire_event_lag_seconds_sum')).toBe('1.5')
    expect(value(text, 'settlewire_append_seconds_sum')).toBe('0.02')
    expect(value(text, 'settlewire_appended_events_total')).toBe('3')
    expect(value(text, 'settlewire_stream_first_event_seconds_sum{transport="sse"}')).toBe('0.03')
  })

  it('have no histogram of request durations', async () => {
    expect(await createMetrics({ process: true }).text()).not.toMatch(/request_duration/)
  })
})
