import { describe, expect, it } from 'vitest'
import type { EvmChainConfig } from '../chain-config.ts'
import { readChains } from '../registry/read-chains.ts'
import type { Sandbox } from '../sandbox/start-sandbox.ts'
import { testTokens } from '../sandbox/token.ts'
import { assetsOf, explorerUrl, withOpenTokens, withSandbox } from './chains.ts'

const providers = [{ name: 'one', url: 'wss://node.example' }]
// Every chain of this file is an EVM chain.
const read = (chains: object) =>
  readChains({ chains }, () => undefined) as readonly EvmChainConfig[]
const [base] = read({ base: { preset: 'base', providers, accept: ['USDC', 'ETH'] } })
const sandbox: Pick<Sandbox, 'chain' | 'tokens'> = {
  chain: {
    name: 'local',
    ...{ chainId: 31_337, genesisHash: '0x', httpUrl: '', wsUrl: '' },
    multicall3: `0x${'ca'.repeat(20)}`,
    providers: [
      { name: 'a', url: 'ws://127.0.0.1:1' },
      { name: 'b', url: 'ws://127.0.0.1:2' },
    ],
  },
  tokens: testTokens,
}

describe('the chains of the configuration', () => {
  it('are also watched for the tokens of open payments that are no longer configured', () => {
    const chain = { name: 'a', tokens: [{ address: '0xAA' }] }
    expect(withOpenTokens(chain, new Set(['0xaa', '0xcc']))).toEqual({
      name: 'a',
      tokens: [{ address: '0xAA' }, { address: '0xcc' }],
    })
    expect(withOpenTokens(chain, new Set())).toEqual(chain)
  })

  it('offer only accepted assets for new payments', () => {
    if (base === undefined) throw new Error('unreachable')
    expect(assetsOf(base).map(({ symbol, dust }) => [symbol, dust])).toEqual([
      ['USDC', 10_000n],
      ['ETH', 5_000_000_000_000n],
    ])
    expect(base).toMatchObject({ name: 'base', chainId: 8453, policy: { quorum: 2 } })
    expect(base).toMatchObject({ tags: ['safe', 'finalized'] })
    expect(explorerUrl(base, '0xab')).toBe('https://basescan.org/tx/0xab')
    expect(explorerUrl(undefined, '0xab')).toBeNull()
  })

  it('come after the sandbox chain, whose quorum is 2 with two providers', () => {
    const settings = { rpcUrl: null, blockSeconds: 5 }
    const [local, other] = withSandbox(base === undefined ? [] : [base], sandbox, settings)
    expect(local).toMatchObject({ name: 'local', blockMs: 5_000, policy: { quorum: 2 } })
    expect(other).toBe(base)
    expect(withSandbox([], null, null)).toEqual([])
  })

  it.each([
    ['the name', { local: { preset: 'base', providers, accept: ['USDC'] } }],
    [
      'the id',
      {
        mine: {
          ...{ chainId: 31_337, livemode: false, native: { symbol: 'ETH' }, blockMs: 1_000 },
          ...{ providers, accept: ['ETH'], policy: { settled: 1, final: 2 } },
        },
      },
    ],
  ])('may not have %s of the sandbox chain', (_, chains) => {
    const start = () => withSandbox(read(chains), sandbox, { rpcUrl: null, blockSeconds: 2 })
    expect(start).toThrow('is also the chain of the sandbox')
  })
})
