import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../../../test/support/manual-clock.ts'
import type { ChainHealth } from '../../../ports/chain.ts'
import type { ProviderSight, SightFacts } from '../node/sight.ts'
import { HealthReport } from './health.ts'

const block = { number: 7, hash: '0xa', parentHash: '0x9', minedAt: 123_000 }
const up: ProviderSight = {
  ...{ isUp: true, refusal: null, isFailing: false, isSilent: false, isDeaf: false, lags: false },
}
const well: SightFacts = {
  ...{ storeFails: false, isHalted: false, isStarting: false, isBehind: false },
  ...{ isConfirmed: true, isOwed: false, lagMs: 0, disagree: false, balancesUnread: false },
  providers: [up],
}
const socketDown: SightFacts = { ...well, isConfirmed: false, providers: [{ ...up, isUp: false }] }
const failing: SightFacts = { ...well, providers: [{ ...up, isFailing: true }] }
const owed: SightFacts = { ...well, isOwed: true }

function open() {
  const clock = new ManualClock()
  const told: ChainHealth[] = []
  let now = well
  const report: HealthReport = new HealthReport('local', {
    clock,
    times: {
      ...{ unreachableAfterMs: 300, behindAfterMs: 500, blindAfterMs: 1_000 },
      headSilentAfterMs: null,
    },
    report: (health) => told.push(health),
    review: () => report.update(now),
  })
  const say = (sight: SightFacts): void => {
    now = sight
    report.update(sight)
  }
  const lines = () => told.map(({ visibility, reason }) => `${visibility} ${reason}`)
  return { clock, report, say, lines }
}

describe('the health that a follower reports', () => {
  it('is blind until the chain was first seen, whatever the reason', () => {
    const { say, lines } = open()
    say(socketDown)
    expect(lines()).toEqual(['blind socket_down'])
  })

  it('is reported only when it changes', () => {
    const { say, lines } = open()
    for (const sight of [well, well, failing, failing, well]) say(sight)
    expect(lines()).toEqual(['ok null', 'degraded node_failing', 'ok null'])
  })

  it('changes from degraded to blind by time alone when no step is stored', async () => {
    const { say, clock, lines } = open()
    say(well)
    say(failing)
    await clock.advance(999)
    expect(lines()).toEqual(['ok null', 'degraded node_failing'])
    await clock.advance(1)
    expect(lines()).toEqual(['ok null', 'degraded node_failing', 'blind node_failing'])
  })

  it('becomes blind after a shorter time when no provider is up', async () => {
    const { say, clock, lines } = open()
    say(well)
    say(socketDown)
    await clock.advance(300)
    expect(lines()).toEqual(['ok null', 'degraded socket_down', 'blind socket_down'])
  })

  it('counts its time limits from the last progress, not from the last change of reason', async () => {
    const { say, clock, lines } = open()
    say(well)
    say(owed)
    await clock.advance(600)
    say(failing)
    await clock.advance(400)
    expect(lines()).toEqual([
      ...['ok null', 'degraded behind', 'degraded node_failing', 'blind node_failing'],
    ])
  })

  it('does not recover by a reconnect that shows the same head again', async () => {
    const { say, clock, lines } = open()
    say(well)
    for (let second = 0; second < 10; second++) {
      say(owed)
      await clock.advance(150)
      say({ ...socketDown, isOwed: true })
      await clock.advance(50)
    }
    expect(lines()).toContain('blind socket_down')
    expect(lines().slice(lines().indexOf('blind socket_down'))).not.toContain('ok null')
    expect(lines().at(-2)).toBe('blind behind')
  })

  it('stays blind after a reconnect until a step is stored or the head is the stored cursor', async () => {
    const { report, say, clock, lines } = open()
    say(well)
    say(socketDown)
    await clock.advance(300)
    say({ ...well, isConfirmed: false })
    expect(lines().at(-1)).toBe('blind behind')
    say(well)
    expect(lines().at(-1)).toBe('ok null')
    say(socketDown)
    await clock.advance(300)
    say(owed)
    expect(lines().at(-1)).toBe('blind behind')
    report.moved(block)
    say(owed)
    expect(lines().at(-1)).toBe('ok null')
  })

  it('does not become blind while blocks are stored in time', async () => {
    const { report, say, clock, lines } = open()
    say(well)
    for (let step = 0; step < 10; step++) {
      report.moved(block)
      say({ ...owed, lagMs: 600 })
      await clock.advance(400)
    }
    expect(lines()).toEqual(['ok null', 'degraded behind'])
  })

  it('is blind while the stored blocks are far too old', () => {
    const { report, say, lines } = open()
    say(well)
    report.moved(block)
    say({ ...owed, lagMs: 50_000 })
    expect(lines().at(-1)).toBe('blind behind')
  })

  it('counts from when the chain was last well, not from the last block of a quiet chain', async () => {
    const { say, clock, lines } = open()
    say(well)
    await clock.advance(60_000)
    say({ ...well, providers: [up, { ...up, isUp: false }] })
    await clock.advance(60_000)
    say(socketDown)
    expect(lines()).toEqual(['ok null', 'degraded provider_down', 'degraded socket_down'])
    await clock.advance(300)
    expect(lines().at(-1)).toBe('blind socket_down')
  })

  it('does not become blind only because no block is mined', async () => {
    const { say, clock, lines } = open()
    say(well)
    say({ ...well, providers: [{ ...up, isSilent: true }] })
    await clock.advance(3_600_000)
    expect(lines()).toEqual(['ok null', 'degraded no_new_head'])
  })

  it('names the last stored block', () => {
    const { report } = open()
    expect(report.read()).toMatchObject({ head: null, headAt: null })
    report.at(block)
    expect(report.read()).toMatchObject({ head: 7, headAt: 123_000 })
  })

  it('is not reported after `close`, which leaves no timer behind', async () => {
    const { report, say, clock, lines } = open()
    say(well)
    say(socketDown)
    report.close()
    say(well)
    await clock.advance(5_000)
    expect(lines()).toEqual(['ok null', 'degraded socket_down'])
    expect(report.read()).toMatchObject({ visibility: 'blind', reason: 'closed' })
    expect(clock.waiting).toBe(0)
  })
})
