import { assert } from '@settlewire/core/assert'
import { toRfc3339OrNull } from '@settlewire/core/instant'
import type { Policy } from '@settlewire/core/payment/policy'
import { type Asset, assetName } from '../../engine/payment/asset.ts'
import { reasonOf } from '../../engine/payment/asset-book.ts'
import { type ChainSight, lagOf } from '../../engine/watch/sight.ts'
import type { Principal } from '../../ports/access.ts'
import { principalOf } from '../access.ts'
import type { App, ChainFacts, Chains, HttpContext } from '../context.ts'
import { chainList } from '../contract/chain-schema.ts'
import { json, problemsOf, securityOf } from '../contract/describe.ts'
import { sentencesOf } from '../contract/policy-sentences.ts'
import { displayNameOf, sendJson } from '../contract/show.ts'
import { routeAccess } from '../route-access.ts'

const access = routeAccess['GET /v1/chains']

/** The chains and assets to pay with. */
export function chainRoutes(app: App, context: HttpContext): void {
  app.get(
    '/v1/chains',
    {
      config: { access, crossOrigin: true },
      schema: {
        tags: ['Chains'],
        summary: 'List chains with their assets, policy and visibility',
        description:
          'Any key works, also a publishable key from a page of any origin. Only secret and restricted keys get the state of each provider.',
        security: securityOf(access),
        response: {
          200: json("The chains of the key's mode (test or live).", chainList),
          ...problemsOf(access),
        },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request)
      const { chains } = context
      const health = new Map(chains.health().map((one) => [one.chain, one]))
      const data = chains.facts
        .filter(({ livemode }) => livemode === principal.livemode)
        .map((facts) => showChain(facts, health.get(facts.name) ?? null, context))
        .map((shown) => withoutProviders(shown, principal))
      return sendJson(reply, { object: 'list', data })
    },
  )
}

/** The state of a chain that is configured but not followed. */
const unseen = ({ name }: ChainFacts): ChainSight => ({
  ...{ chain: name, visibility: 'blind', reason: 'not_started', head: null, headAt: null },
  scannedThrough: null,
})

interface ShownChain extends Record<string, unknown> {
  readonly providers: unknown
}

/** Publishable keys are public in browsers, so they do not get the state of our providers. */
function withoutProviders(shown: ShownChain, { kind }: Principal): object {
  const { providers, ...others } = shown
  return kind === 'secret' || kind === 'restricted' ? { ...others, providers } : others
}

function showChain(
  facts: ChainFacts,
  followed: ChainSight | null,
  { chains, clock }: Pick<HttpContext, 'chains' | 'clock'>,
): ShownChain {
  const { name, chainId, explorerTx, publicMempool } = facts
  const health = followed ?? unseen(facts)
  const assets = chains.assets.all.filter((asset) => asset.chain === name)
  const offered = new Set(chains.assets.offered())
  return {
    ...{ name, chainId, publicMempool, explorer: explorerTx },
    displayName: displayNameOf(chains.facts, name),
    assets: assets.filter((asset) => offered.has(asset)).map((asset) => showAsset(asset, chains)),
    disabled: assets
      .filter((asset) => !offered.has(asset))
      .map((asset) => ({
        ...showAsset(asset, chains),
        reason: reasonOf(chains.assets.stateOf(asset)) ?? '',
      })),
    native: nativeOf(facts),
    policy: showPolicy(name, chains.policy),
    ...{ visibility: health.visibility, reason: health.reason, head: health.head },
    ...{ headAt: toRfc3339OrNull(health.headAt), lagMs: lagOf(health, clock.now()) },
    ...showPace(facts, followed === null ? null : chains),
    providers: health.providers ?? [],
  }
}

const nativeOf = ({ native }: ChainFacts): ChainFacts['native'] => {
  const { symbol, currency, decimals, accepted } = native
  return { symbol, currency, decimals, accepted }
}

const showAsset = (asset: Asset, chains: Chains): object => ({
  name: assetName(asset),
  symbol: asset.symbol,
  currency: asset.currency,
  token: asset.token === null ? null : chains.kinds.printAddress(asset.chain, asset.token),
  decimals: asset.decimals,
})

/** The block time, measured or else configured, and the latest safe and finalized blocks. */
function showPace({ name, blockMs }: ChainFacts, chains: Chains | null): object {
  const measured = chains?.paceOf(name) ?? null
  const head = chains?.headOf(name) ?? null
  const isMeasured = measured !== null && measured.blockMs !== null
  return {
    pace: { blockMs: measured?.blockMs ?? blockMs, measured: isMeasured },
    finality: {
      ...{ safe: head?.safe ?? null, finalized: head?.finalized ?? null },
      stalled: measured?.stalled ?? false,
    },
  }
}

function showPolicy(name: string, { version, chains }: Policy): object {
  const policy = chains[name]
  assert(policy !== undefined, 'every configured chain has a policy')
  const { settled, final, quorum, tiers = {} } = policy
  return { version, settled, final, quorum, tiers, sentences: sentencesOf(policy) }
}
