import type { Level, Policy } from '@settlewire/core/payment/policy'
import type { FollowerLimits } from '../../server/src/chain/evm/node/limits.ts'
import type { Asset } from '../../server/src/engine/payment/asset.ts'
import type { Chance } from './chance.ts'
import { addressOf } from './model-block.ts'
import type { ChainRules } from './model-chain.ts'
import { type Oddity, oddities } from './oddities.ts'
import type { Coins } from './payers.ts'

/** A part size that holds every step of these small worlds. */
export const wholeSteps = 64

/** The properties of one world, fixed before anything happens in it. */
export interface WorldRules {
  readonly merchantId: string
  readonly chains: readonly ChainRules[]
  readonly providersPerChain: number
  readonly quorum: number
  readonly limits: Partial<FollowerLimits>
  readonly policy: Policy
  readonly assets: readonly Asset[]
  readonly coins: Coins
  readonly deeds: number
  /** Payments per part of a step: few, so that the steps of these small worlds are split. */
  readonly stepPartSize: number
  /** The number of processes that share the database. */
  readonly lives: number
  /** The oddity of each provider, or null. */
  readonly oddities: readonly (Oddity | null)[]
  /** The provider of each chain that sometimes lies; null if none does, or none could deny it. */
  readonly liar: number | null
  /** Whether payments may be in the chain's native coin. */
  readonly hasNative: boolean
}

const limits: Partial<FollowerLimits> = {
  ...{ answerWithinMs: 2_000, connectWithinMs: 2_000, backoff: { baseMs: 100, maxMs: 2_000 } },
  ...{ headPollMs: 4_000, beginBehindBlocks: 12, headSilentAfterMs: 15_000, blindAfterMs: 10_000 },
  ...{ haltedRecheckMs: 4_000 },
}

/** Half of the worlds do not split steps. */
const partSizes = [1, 2, wholeSteps, wholeSteps]

/** Derives all properties from the seed. */
export function rulesOf(seed: number, chance: Chance): WorldRules {
  const coins = { accepted: addressOf('USDC'), strange: addressOf('USDT') }
  const hasNative = chance.is(0.15)
  const finalDepth = chance.between(5, 9)
  const hasTags = chance.is(0.8)
  const pendingTtlMs = chance.pick([20_000, 60_000, 120_000])
  const chains = Array.from(
    { length: chance.is(0.15) ? 2 : 1 },
    (_, i): ChainRules => ({
      ...{ name: `sim-${seed}-${i}`, chainId: 1_000 + i, tokens: [coins.accepted, coins.strange] },
      ...{ blockMs: chance.pick([1_500, 2_000, 4_000]), finalDepth, safeDepth: 2, hasTags },
    }),
  )
  const providersPerChain = chance.is(0.6) ? 2 : 1
  // After a restart a native balance is not read again from a second provider.
  const quorum = providersPerChain === 2 && chance.is(0.5) && !hasNative ? 2 : 1
  const levels: readonly Level[] = hasTags ? [1, 2, 3, 4, 'safe', 'finalized'] : [1, 2, 3, 4]
  const settled = chance.pick(levels)
  const final: Level = hasTags ? 'finalized' : finalDepth
  const rule = { settled, final, quorum }
  return {
    ...{ merchantId: `mer_${String(seed).padStart(26, '0')}`, chains, providersPerChain, quorum },
    limits: { ...limits, stepBlocksMax: chance.pick([3, 8, 64]) },
    policy: {
      version: `sim-${seed}`,
      chains: Object.fromEntries(chains.map(({ name }) => [name, rule])),
    },
    assets: chains.flatMap(({ name, chainId }): Asset[] => [
      {
        ...{ symbol: 'USDC', currency: 'USDC', chain: name, chainId, token: coins.accepted },
        ...{ decimals: 6, livemode: false, pendingTtlMs, dust: 10_000n },
      },
      {
        ...{ symbol: 'ETH', currency: 'ETH', chain: name, chainId, token: null },
        ...{ decimals: 18, livemode: false, pendingTtlMs },
      },
    ]),
    ...{ coins, hasNative, deeds: chance.between(10, 26) },
    lives: chance.is(0.25) ? 2 : 1,
    stepPartSize: chance.fork('parts').pick(partSizes),
    oddities: [0, 1].map(() => (chance.is(0.4) ? chance.pick(oddities) : null)),
    liar: providersPerChain === 2 && chance.is(0.5) ? chance.between(0, 1) : null,
  }
}
