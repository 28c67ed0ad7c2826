import { describe, expect, it } from 'vitest'
import { type ProviderSight, reasonOf, type Sight } from './sight.ts'

const well: ProviderSight = {
  ...{ isUp: true, refusal: null, isFailing: false, isSilent: false, lags: false },
}
const down: ProviderSight = { ...well, isUp: false }
const failing: ProviderSight = { ...well, isFailing: true }
const refused = (refusal: ProviderSight['refusal']): ProviderSight => ({ ...down, refusal })

const sight = (more: Partial<Sight> = {}): Sight => ({
  ...{ storeFails: false, isHalted: false, isStarting: false, isBehind: false },
  ...{ isCatchingUp: false, disagree: false, balancesUnread: false },
  ...{ finalityStalled: false, providers: [well, well] },
  ...more,
})

describe('why a chain is not seen as it should be', () => {
  it.each([
    [null, {}],
    ['provider_down', { providers: [well, down] }],
    ['provider_quarantined', { providers: [well, refused('chain_mismatch')] }],
    ['provider_quarantined', { providers: [well, refused('reorg_below_finality')] }],
    ['provider_failing', { providers: [well, failing] }],
    ['provider_behind', { providers: [well, { ...well, lags: true }] }],
    ['provider_behind', { providers: [well, { ...well, isSilent: true }] }],
    ['socket_down', { providers: [down, down] }],
    ['node_failing', { providers: [failing, failing] }],
    // Who is down does not show that the others are well.
    ['node_failing', { providers: [down, failing] }],
    ['no_new_head', { providers: [{ ...well, isSilent: true }, down] }],
    ['chain_mismatch', { providers: [refused('chain_mismatch'), down] }],
    ['reorg_too_deep', { providers: [refused('reorg_too_deep'), refused('chain_mismatch')] }],
    ['reorg_below_finality', { providers: [refused('reorg_below_finality'), down] }],
    ['reorg_below_finality', { isHalted: true }],
    ['store_failing', { storeFails: true, isCatchingUp: true }],
    ['starting', { isStarting: true, providers: [well, down] }],
    ['sources_disagree', { disagree: true, isCatchingUp: true }],
    ['node_behind', { isBehind: true }],
    ['catching_up', { isCatchingUp: true, providers: [well, down] }],
    ['catching_up', { isCatchingUp: true, balancesUnread: true }],
    ['balances_unread', { balancesUnread: true, finalityStalled: true }],
    ['finality_stalled', { finalityStalled: true, providers: [well, down] }],
  ] as const)('%s', (reason, more) => {
    expect(reasonOf(sight(more))).toBe(reason)
  })
})
