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

describe('what a configured chain is to each part', () => {
  it('lets tokens of open payments be looked for although the configuration lacks them', () => {
    const chain = { name: 'a', tokens: [{ address: '0xAA' }] }
    expect(withOpenTokens(chain, new Set(['0xaa', '0xcc']))).toEqual({
      name: 'a',
      tokens: [{ address: '0xAA' }, { address: '0xcc' }],
    })
    expect(withOpenTokens(chain, new Set())).toEqual(chain)
  })

  it('lets only what is accepted be asked for, and has every known token looked for', () => {
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

  it('puts the chain of the sandbox in front, with a second witness where it has two ways', () => {
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
  ])('refuses a configured chain with %s of the sandbox’s own', (_, chains) => {
    const start = () => withSandbox(read(chains), sandbox, { rpcUrl: null, blockSeconds: 2 })
    expect(start).toThrow('is the chain of the sandbox')
  })
})
