import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../test/support/manual-clock.ts'
import type { ChainHealth } from '../../ports.ts'
import { HealthReport } from './health.ts'

const block = { number: 7, hash: '0xa', parentHash: '0x9', minedAt: 123_000 }

function open() {
  const clock = new ManualClock()
  const told: ChainHealth[] = []
  const report = new HealthReport('local', {
    clock,
    blindAfterMs: 1_000,
    tell: (health) => told.push(health),
  })
  const lines = () => told.map(({ visibility, reason }) => `${visibility} ${reason}`)
  return { clock, report, lines, told }
}

describe('what a follower says of its sight', () => {
  it('is blind before anything was seen, whatever the reason', () => {
    const { report, lines } = open()
    report.say('socket_down')
    expect(lines()).toEqual(['blind socket_down'])
  })

  it('is told when it changes, and only then', () => {
    const { report, lines } = open()
    report.say(null)
    report.say(null)
    report.say('catching_up')
    report.say('catching_up')
    report.say(null)
    expect(lines()).toEqual(['ok null', 'degraded catching_up', 'ok null'])
  })

  it('turns from degraded to blind by itself when nothing moves', async () => {
    const { report, clock, lines } = open()
    report.say(null)
    report.say('node_failing')
    await clock.advance(999)
    expect(lines()).toEqual(['ok null', 'degraded node_failing'])
    await clock.advance(1)
    expect(lines()).toEqual(['ok null', 'degraded node_failing', 'blind node_failing'])
  })

  it('counts from the last progress, not from the last word', async () => {
    const { report, clock, lines } = open()
    report.say(null)
    report.say('socket_down')
    await clock.advance(600)
    report.say('node_failing')
    await clock.advance(400)
    expect(lines().at(-1)).toBe('blind node_failing')
  })

  it('is never blind while blocks are being stored', async () => {
    const { report, clock, lines } = open()
    report.say(null)
    for (let step = 0; step < 10; step++) {
      report.moved(block)
      report.say('catching_up')
      await clock.advance(900)
    }
    expect(lines()).toEqual(['ok null', 'degraded catching_up'])
  })

  it.each(['chain_mismatch', 'reorg_too_deep', 'reorg_below_finality'] as const)(
    'is blind at once for %s',
    (reason) => {
      const { report, lines } = open()
      report.say(null)
      report.say(reason)
      expect(lines().at(-1)).toBe(`blind ${reason}`)
    },
  )

  it('counts from when it was last seen well, not from the last block of a quiet chain', async () => {
    const { report, clock, lines } = open()
    report.say(null)
    await clock.advance(60_000)
    report.say('provider_down')
    await clock.advance(60_000)
    report.say('socket_down')
    expect(lines()).toEqual(['ok null', 'degraded provider_down', 'degraded socket_down'])
    await clock.advance(1_000)
    expect(lines().at(-1)).toBe('blind socket_down')
  })

  it('is blind at once when a chain that makes blocks has shown none for as long', async () => {
    const { report, clock, lines } = open()
    report.say(null)
    await clock.advance(1_000)
    report.say('no_new_head')
    expect(lines().at(-1)).toBe('blind no_new_head')
  })

  it('names the last stored block', () => {
    const { report } = open()
    expect(report.read()).toMatchObject({ head: null, headAt: null })
    report.at(block)
    expect(report.read()).toMatchObject({ head: 7, headAt: 123_000 })
  })

  it('says nothing once it is closed, and leaves no timer behind', async () => {
    const { report, clock, lines } = open()
    report.say(null)
    report.say('socket_down')
    report.close()
    report.say(null)
    await clock.advance(5_000)
    expect(lines()).toEqual(['ok null', 'degraded socket_down'])
    expect(report.read()).toMatchObject({ visibility: 'blind', reason: 'closed' })
    expect(clock.waiting).toBe(0)
  })
})
