import { chainName } from '@settlewire/core/words/words'
import * as viemChains from 'viem/chains'
import { getAddress } from 'viem/utils'
import { describe, expect, it } from 'vitest'
import type { ProviderConfig } from '../chain-config.ts'
import type { Preset } from './preset.ts'
import { presets } from './presets.ts'
import { readChains } from './read-chains.ts'

const table: readonly (readonly [string, Preset])[] = Object.entries(presets)

/** The same chains in viem, as an independent source. */
const peers: Record<keyof typeof presets, viemChains.Chain> = {
  ethereum: viemChains.mainnet,
  base: viemChains.base,
  optimism: viemChains.optimism,
  arbitrum: viemChains.arbitrum,
  polygon: viemChains.polygon,
  sepolia: viemChains.sepolia,
  'base-sepolia': viemChains.baseSepolia,
  'optimism-sepolia': viemChains.optimismSepolia,
  'arbitrum-sepolia': viemChains.arbitrumSepolia,
  'polygon-amoy': viemChains.polygonAmoy,
}

describe.each(table)('the preset %s', (name, preset) => {
  it('matches viem in chain id, coin, explorer and Multicall3', () => {
    const peer = Object.entries(peers).find(([key]) => key === name)?.[1]
    expect(peer?.id).toBe(preset.chainId)
    expect(peer?.testnet ?? false).toBe(!preset.livemode)
    expect(peer?.nativeCurrency).toMatchObject({
      ...{ symbol: preset.native.symbol, decimals: preset.native.decimals },
    })
    expect(preset.explorerTx).toBe(`${peer?.blockExplorers?.default.url}/tx/{hash}`)
    expect(peer?.contracts?.multicall3).toMatchObject({
      address: preset.multicall3.toLowerCase(),
    })
    if (peer?.blockTime !== undefined) expect(preset.blockMs).toBe(peer.blockTime)
  })

  it('has EIP-55 checksums and a source for every address', () => {
    for (const token of preset.tokens) {
      expect(token.address).toBe(getAddress(token.address))
      expect(token.source).toMatch(/^https:\/\//)
    }
    expect(preset.multicall3).toBe(getAddress(preset.multicall3))
    expect(preset.genesisHash).toMatch(/^0x[0-9a-f]{64}$/)
  })

  it('has unique symbols and contracts, and twins of known tokens', () => {
    const symbols = [preset.native.symbol, ...preset.tokens.map(({ symbol }) => symbol)]
    const addresses = preset.tokens.map(({ address }) => address.toLowerCase())
    expect(new Set(symbols).size).toBe(symbols.length)
    expect(new Set(addresses).size).toBe(addresses.length)
    for (const { twinOf } of preset.tokens) if (twinOf) expect(symbols).toContain(twinOf)
    expect(symbols).toContain('USDC')
  })

  it('needs only a provider, and applies its whole policy', () => {
    const providers = [{ name: 'one', url: 'wss://node.example' }]
    const accept = ['USDC', preset.native.symbol]
    const read = (policy: object) =>
      readChains(
        { chains: { [name]: { preset: name, providers, accept, policy } } },
        () => undefined,
      )[0]
    const chain = read({})
    const { settled, final } = preset.policy
    expect(chain?.policy).toMatchObject({ settled, final, quorum: preset.livemode ? 2 : 1 })
    // Written out in the configuration it is the same: no tier has an asset that the chain lacks.
    expect(read({ ...chain?.policy, quorum: 1 })?.policy).toEqual({ ...chain?.policy, quorum: 1 })
    expect(Object.keys(chain?.policy.tiers ?? {})).toContain('USDC')
    expect(chain?.tokens.filter(({ accepted }) => accepted).map(({ symbol }) => symbol)).toEqual([
      'USDC',
    ])
    expect(chain?.native.accepted).toBe(true)
  })
})

describe('all presets', () => {
  it('have the same names on pages as here', () => {
    for (const [name, { title }] of table) expect(chainName(name)).toBe(title)
  })

  it('have different chain ids and genesis hashes', () => {
    expect(new Set(table.map(([, { chainId }]) => chainId)).size).toBe(table.length)
    expect(new Set(table.map(([, { genesisHash }]) => genesisHash)).size).toBe(table.length)
  })

  it('read no pending transactions where the sequencer shows none', () => {
    const providers = [{ name: 'one', url: 'wss://node.example' }]
    const pendingOf = (name: string) =>
      readChains({ chains: { x: { preset: name, providers, accept: ['USDC'] } } }, () => undefined)
        .flatMap((chain) => chain.providers)
        .map((provider) => {
          const { pending, preconfirmations } = provider as ProviderConfig // an EVM chain's
          return [pending, preconfirmations]
        })
    expect(pendingOf('ethereum')).toEqual([['auto', 'none']])
    expect(pendingOf('arbitrum')).toEqual([['none', 'none']])
    expect(pendingOf('base')).toEqual([['none', 'pending_logs']])
  })
})
