import { describe, expect, it } from 'vitest'
import {
  isWell,
  type ProviderSight,
  type Sight,
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

const sight = (more: Partial<Sight> = {}): Sight => ({
  ...{ storeFails: false, isHalted: false, isStarting: false, isBehind: false },
  ...{ isConfirmed: true, isOwed: false, lagMs: 0, disagree: false, balancesUnread: false },
  ...{ providers: [well, well] },
  ...more,
})

const times = sightTimes(sightLimits, 2_000)
const seen = (more: Partial<Sight>, stalledMs = 0, wasBlind = false): string => {
  const { visibility, reason } = verdictOf(sight(more), { stalledMs, wasBlind, times })
  return `${visibility} ${reason}`
}
const oneSilent = [{ ...well, isSilent: true }, down]

describe('why a chain is not seen as it should be', () => {
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
    // Who is down does not show that the others are well.
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
  ] as const)('%s', (said, more) => {
    expect(seen(more)).toBe(said)
  })

  it.each([
    ['socket_down', { providers: [down, down] }, times.unreachableAfterMs],
    ['node_failing', { providers: [failing] }, times.blindAfterMs],
    ['store_failing', { storeFails: true }, times.blindAfterMs],
    ['node_behind', { isBehind: true }, times.blindAfterMs],
    ['behind', { isOwed: true }, times.blindAfterMs],
  ] as const)('%s is blindness once nothing was stored for its time', (reason, more, limitMs) => {
    expect(seen(more, limitMs - 1)).toBe(`degraded ${reason}`)
    expect(seen(more, limitMs)).toBe(`blind ${reason}`)
  })

  it.each([
    ['heads that stand still while providers are up', { providers: oneSilent }, 'no_new_head'],
    ['providers that contradict each other', { disagree: true }, 'sources_disagree'],
    ['one provider of two that is gone', { providers: [well, down] }, 'provider_down'],
  ] as const)('%s are never blindness by that alone', (_, more, reason) => {
    expect(seen(more, 3_600_000)).toBe(`degraded ${reason}`)
  })

  it('a block that is known and not stored is nothing at first, then degraded, then blindness', () => {
    expect(seen({ isOwed: true }, times.behindAfterMs - 1)).toBe('ok null')
    expect(seen({ isOwed: true }, times.behindAfterMs)).toBe('degraded behind')
    expect(seen({ isOwed: true }, times.blindAfterMs)).toBe('blind behind')
  })

  it('so is the lag while steps are stored', () => {
    expect(seen({ isOwed: true, lagMs: times.behindAfterMs })).toBe('degraded behind')
    expect(seen({ isOwed: true, lagMs: times.blindAfterMs })).toBe('blind behind')
  })

  it('the reason is the one that makes it blind, not a graver one that does not', () => {
    const more = { isOwed: true, lagMs: times.blindAfterMs, storeFails: true }
    expect(seen(more, 1_000)).toBe('blind behind')
  })

  it('what was blind stays so, whatever it looks like now, until something is stored', () => {
    expect(seen({}, 0, true)).toBe('blind behind')
    expect(seen({ providers: [down] }, 0, true)).toBe('blind socket_down')
  })

  it('only a chain that is seen, and stored up to its head, is well', () => {
    expect(isWell(sight(), times)).toBe(true)
    expect(isWell(sight({ providers: oneSilent, disagree: true }), times)).toBe(true)
    const not = [
      ...[{ isOwed: true }, { isConfirmed: false }, { providers: [down] }, { storeFails: true }],
      ...[{ providers: [failing] }, { isStarting: true }, { isBehind: true }],
    ]
    expect(not.map((more) => isWell(sight(more), times))).toEqual(not.map(() => false))
  })
})

describe('how long trouble may last', () => {
  it('depends on how far apart the blocks of the chain are', () => {
    expect(sightTimes(sightLimits, 250)).toEqual(sightLimits)
    expect(sightTimes(sightLimits, 12_000)).toEqual({
      ...{ unreachableAfterMs: 3_000, behindAfterMs: 24_000 },
      ...{ blindAfterMs: 60_000, headSilentAfterMs: 60_000 },
    })
    const onDemand = { ...sightLimits, headSilentAfterMs: null }
    expect(sightTimes(onDemand, 0)).toEqual(onDemand)
  })

  it('without a provider it is blind within five seconds on any chain', () => {
    for (const blockMs of [0, 250, 2_000, 12_000, 600_000]) {
      expect(sightTimes(sightLimits, blockMs).unreachableAfterMs).toBeLessThan(5_000)
    }
  })
})
