import { assert } from '@settlewire/core/assert'
import { toRfc3339OrNull } from '@settlewire/core/instant'
import { type Asset, assetName } from '../../engine/asset.ts'
import type { ChainHealth } from '../../ports.ts'
import { type Access, principalOf } from '../access.ts'
import { chainList } from '../answer-schema.ts'
import type { App, Chains, HttpContext } from '../context.ts'
import { json, problemsOf, securityOf } from '../describe.ts'
import { sendJson } from '../show.ts'

const access: Access = { who: 'key', scope: 'identity' }

/** What can be paid with here. */
export function chainRoutes(app: App, context: HttpContext): void {
  app.get(
    '/v1/chains',
    {
      config: { access },
      schema: {
        tags: ['Chains'],
        summary: 'Chains, their assets, and how well they are seen',
        description: 'Any key will do, a publishable one too.',
        security: securityOf(access),
        response: {
          200: json('The chains of the mode of the key.', chainList),
          ...problemsOf(access),
        },
      },
    },
    async (request, reply) => {
      const { livemode } = principalOf(request)
      const assets = context.chains.assets.filter((asset) => asset.livemode === livemode)
      const names = new Set(assets.map((asset) => asset.chain))
      const data = context.chains
        .health()
        .filter((health) => names.has(health.chain))
        .map((health) => showChain(health, assets, context.chains))
      return sendJson(reply, { object: 'list', data })
    },
  )
}

function showChain(health: ChainHealth, all: readonly Asset[], chains: Chains): object {
  const assets = all.filter((asset) => asset.chain === health.chain)
  const policy = chains.policy.chains[health.chain]
  const [first] = assets
  assert(first !== undefined && policy !== undefined, 'a chain with assets has an id and a policy')
  return {
    name: health.chain,
    chainId: first.chainId,
    assets: assets.map((asset) => ({
      name: assetName(asset),
      symbol: asset.symbol,
      currency: asset.currency,
      token: asset.token === null ? null : chains.formatAddress(asset.chain, asset.token),
      decimals: asset.decimals,
    })),
    policy: { version: chains.policy.version, ...policy },
    visibility: health.visibility,
    reason: health.reason,
    head: health.head,
    headAt: toRfc3339OrNull(health.headAt),
  }
}
