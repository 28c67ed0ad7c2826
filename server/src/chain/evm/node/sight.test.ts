import { describe, expect, it } from 'vitest'
import {
  isWell,
  type ProviderSight,
  type SightFacts,
  sightLimits,
  sightTimes,
  verdictOf,
} from './sight.ts'

const well: ProviderSight = {
  ...{ isUp: true, refusal: null, isFailing: false, isSilent: false, isDeaf: false, lags: false },
}
const down: ProviderSight = { ...well, isUp: false }
const failing: ProviderSight = { ...well, isFailing: true }
const refused = (refusal: ProviderSight['refusal']): ProviderSight => ({ ...down, refusal })

const sight = (more: Partial<SightFacts> = {}): SightFacts => ({
  ...{ storeFails: false, isHalted: false, isStarting: false, isBehind: false },
  ...{ isConfirmed: true, isOwed: false, lagMs: 0, disagree: false, balancesUnread: false },
  ...{ providers: [well, well] },
  ...more,
})

const times = sightTimes(sightLimits, 2_000)
const seen = (more: Partial<SightFacts>, stalledMs = 0, wasBlind = false): string => {
  const { visibility, reason } = verdictOf(sight(more), { stalledMs, wasBlind, times })
  return `${visibility} ${reason}`
}
const oneSilent = [{ ...well, isSilent: true }, down]

describe('how well a chain is seen, and why', () => {
  it.each([
    ['ok null', {}],
    ['degraded provider_down', { providers: [well, down] }],
    ['degraded provider_quarantined', { providers: [well, refused('chain_mismatch')] }],
    ['degraded provider_quarantined', { providers: [well, refused('reorg_below_finality')] }],
    ['degraded provider_failing', { providers: [well, failing] }],
    ['degraded provider_behind', { providers: [well, { ...well, lags: true }] }],
    ['degraded provider_behind', { providers: [well, { ...well, isSilent: true }] }],
    ['degraded socket_down', { providers: [down, down] }],
    ['degraded node_failing', { providers: [failing, failing] }],
    // A provider that is down does not show that the others work.
    ['degraded node_failing', { providers: [down, failing] }],
    ['degraded no_new_head', { providers: oneSilent }],
    ['blind chain_mismatch', { providers: [refused('chain_mismatch'), down] }],
    ['blind reorg_too_deep', { providers: [refused('reorg_too_deep'), refused('chain_mismatch')] }],
    ['blind reorg_below_finality', { providers: [refused('reorg_below_finality'), down] }],
    ['blind reorg_below_finality', { isHalted: true }],
    ['degraded store_failing', { storeFails: true, isOwed: true, lagMs: 9_000 }],
    ['blind starting', { isStarting: true, providers: [well, down] }],
    ['degraded behind', { isOwed: true, lagMs: 9_000, disagree: true }],
    ['degraded sources_disagree', { disagree: true, balancesUnread: true }],
    ['degraded node_behind', { isBehind: true }],
    ['degraded balances_unread', { balancesUnread: true, providers: [well, down] }],
  ] as const)('is %s (case %#)', (said, more) => {
    expect(seen(more)).toBe(said)
  })

  it.each([
    ['socket_down', { providers: [down, down] }, times.unreachableAfterMs],
    ['node_failing', { providers: [failing] }, times.blindAfterMs],
    ['store_failing', { storeFails: true }, times.blindAfterMs],
    ['node_behind', { isBehind: true }, times.blindAfterMs],
    ['behind', { isOwed: true }, times.blindAfterMs],
  ] as const)(
    'becomes blind for %s only after nothing was stored for its time limit',
    (reason, more, limitMs) => {
      expect(seen(more, limitMs - 1)).toBe(`degraded ${reason}`)
      expect(seen(more, limitMs)).toBe(`blind ${reason}`)
    },
  )

  it.each([
    ['no provider shows a new head', { providers: oneSilent }, 'no_new_head'],
    ['providers contradict each other', { disagree: true }, 'sources_disagree'],
    ['one provider of two is down', { providers: [well, down] }, 'provider_down'],
  ] as const)('never becomes blind only because %s', (_, more, reason) => {
    expect(seen(more, 3_600_000)).toBe(`degraded ${reason}`)
  })

  it('reports a known block that is not stored as ok, then degraded, then blind', () => {
    expect(seen({ isOwed: true }, times.behindAfterMs - 1)).toBe('ok null')
    expect(seen({ isOwed: true }, times.behindAfterMs)).toBe('degraded behind')
    expect(seen({ isOwed: true }, times.blindAfterMs)).toBe('blind behind')
  })

  it('becomes degraded and then blind by its lag even while steps are stored', () => {
    expect(seen({ isOwed: true, lagMs: times.behindAfterMs })).toBe('degraded behind')
    expect(seen({ isOwed: true, lagMs: times.blindAfterMs })).toBe('blind behind')
  })

  it('names the reason that makes it blind, not a graver one that does not', () => {
    const more = { isOwed: true, lagMs: times.blindAfterMs, storeFails: true }
    expect(seen(more, 1_000)).toBe('blind behind')
  })

  it('stays blind until a step is stored, even when every provider is well again', () => {
    expect(seen({}, 0, true)).toBe('blind behind')
    expect(seen({ providers: [down] }, 0, true)).toBe('blind socket_down')
  })

  it('is well only when it is visible and stored up to its head', () => {
    expect(isWell(sight(), times)).toBe(true)
    expect(isWell(sight({ providers: oneSilent, disagree: true }), times)).toBe(true)
    const not = [
      ...[{ isOwed: true }, { isConfirmed: false }, { providers: [down] }, { storeFails: true }],
      ...[{ providers: [failing] }, { isStarting: true }, { isBehind: true }],
    ]
    expect(not.map((more) => isWell(sight(more), times))).toEqual(not.map(() => false))
  })
})

describe('the time limits of a chain', () => {
  it('grow with the block time of the chain', () => {
    expect(sightTimes(sightLimits, 250)).toEqual(sightLimits)
    expect(sightTimes(sightLimits, 12_000)).toEqual({
      ...{ unreachableAfterMs: 3_000, behindAfterMs: 24_000 },
      ...{ blindAfterMs: 60_000, headSilentAfterMs: 60_000 },
    })
    const onDemand = { ...sightLimits, headSilentAfterMs: null }
    expect(sightTimes(onDemand, 0)).toEqual(onDemand)
  })

  it('make a chain without a provider blind within five seconds, whatever its block time', () => {
    for (const blockMs of [0, 250, 2_000, 12_000, 600_000]) {
      expect(sightTimes(sightLimits, blockMs).unreachableAfterMs).toBeLessThan(5_000)
    }
  })
})
