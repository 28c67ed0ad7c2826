import { failedWith } from '@settlewire/core/errors'
import { describe, expect, it } from 'vitest'
import { defineConfig, env } from '../define-config.ts'
import { readChains } from './read-chains.ts'

const secret = 'wss://node.example/v2/s3cr3t-key'
const variables: Readonly<Record<string, string>> = {
  BASE_RPC_URL: secret,
  KEY: 's3cr3t-key',
  NONSENSE: 's3cr3t nonsense',
  EMPTY: '',
}
const read = (written: unknown) => readChains(written, (name) => variables[name])

/** The detail of every problem by its place. */
function problems(written: unknown): Record<string, string> {
  try {
    read(written)
  } catch (error) {
    if (!failedWith(error, 'invalid_config')) throw error
    expect(error.message).not.toContain('s3cr3t')
    for (const { pointer } of error.fields) if (pointer) expect(error.message).toContain(pointer)
    return Object.fromEntries(error.fields.map(({ pointer, detail }) => [pointer, detail]))
  }
  return {}
}

const providers = [{ name: 'one', url: secret }]
const base = { preset: 'base', providers, accept: ['USDC', 'ETH'] } as const
const custom = {
  chainId: 5,
  livemode: false,
  native: { symbol: 'XYZ' },
  blockMs: 1_000,
  tags: ['finalized'],
  providers,
  accept: ['GOLD'],
  tokens: { GOLD: { address: `0x${'ab'.repeat(20)}`, decimals: 2, dust: '0.05' } },
  policy: { settled: 3, final: 'finalized' },
} as const

const inBase = (changes: object) => problems({ chains: { base: { ...base, ...changes } } })
const inCustom = (changes: object) => problems({ chains: { mine: { ...custom, ...changes } } })

describe('a configuration', () => {
  it('needs for a preset only providers and accepted assets', () => {
    const [chain] = read(defineConfig({ chains: { base } }))
    expect(chain).toMatchObject({
      ...{ name: 'base', chainId: 8453, livemode: true, blockMs: 2_000, toleranceBps: 0 },
      native: { symbol: 'ETH', currency: 'ETH', accepted: true, dust: 5_000_000_000_000n },
      pendingTtlMs: 14_400_000,
      policy: { settled: 'safe', final: 'finalized', quorum: 2 },
      providers: [{ name: 'one', url: secret, pending: 'none', preconfirmations: 'pending_logs' }],
    })
    expect(chain?.tokens).toContainEqual({
      ...{ symbol: 'USDbC', currency: 'USDBC', decimals: 6, accepted: false, twinOf: 'USDC' },
      address: '0xd9aaec86b65d86f6a7b5b1b0c42ffa531710b6ca',
      dust: 10_000n,
      source: 'https://basescan.org/token/0xd9aaec86b65d86f6a7b5b1b0c42ffa531710b6ca',
    })
  })

  it('may define a chain without a preset in full', () => {
    const [chain] = read(defineConfig({ chains: { mine: custom } }))
    expect(chain).toMatchObject({
      ...{
        chainId: 5,
        genesisHash: null,
        explorerTx: null,
        multicall3: null,
        toleratedDepth: 3,
        bloom: 'untrusted',
      },
      native: { symbol: 'XYZ', currency: 'XYZ', decimals: 18, accepted: false, dust: 0n },
      tokens: [{ symbol: 'GOLD', currency: 'GOLD', dust: 5n, source: 'the configuration' }],
      policy: { settled: 3, final: 'finalized', quorum: 1 },
    })
  })

  it('names a chain by its own name, or by its preset', () => {
    const called = (chain: object) =>
      read({ chains: { one: chain } } as never).map(({ displayName }) => displayName)
    expect(called({ ...base, name: 'Base, own node' })).toEqual(['Base, own node'])
    expect(called(base)).toEqual(['Base'])
    expect(called({ ...custom, name: 'Harbour Chain' })).toEqual(['Harbour Chain'])
    expect(called({ ...custom, name: 'Mu\u0308hle ශ්\u200dරී' })).toEqual(['Mühle ශ්\u200dරී'])
    expect(called(custom)).toEqual([undefined])
  })

  it('reads URLs or parts of URLs from the environment', () => {
    const [chain] = read({
      chains: {
        base: {
          ...base,
          providers: [
            { name: 'whole', url: env('BASE_RPC_URL') },
            { name: 'part', url: env('KEY', (key) => `https://other.example/${key}`) },
          ],
        },
      },
    })
    expect(chain?.providers.map(({ url }) => url)).toEqual([
      secret,
      'https://other.example/s3cr3t-key',
    ])
    // A provider without subscriptions cannot receive preconfirmations.
    expect(chain?.providers[1]).toMatchObject({ preconfirmations: 'none' })
  })

  it('may override values of a preset', () => {
    const [chain] = read({
      chains: {
        base: {
          ...base,
          ...{ toleranceBps: 25, pendingTtlSeconds: 21_600, dust: { USDC: '0.5' } },
          policy: { settled: 10, quorum: 1 },
        },
      },
      policy: { quorum: 2 },
    })
    expect(chain).toMatchObject({ toleranceBps: 25, pendingTtlMs: 21_600_000 })
    expect(chain?.tokens[0]?.dust).toBe(500_000n)
    // A level in the configuration applies to every amount.
    expect(chain?.policy).toEqual({ settled: 10, final: 'finalized', quorum: 1 })
  })

  it('adds its tiers to those of the preset', () => {
    const tiers = { USDC: [{ upTo: '10', settled: 1 }] }
    const [chain] = read({ chains: { base: { ...base, policy: { tiers } } } })
    expect(chain?.policy.tiers?.USDC).toEqual(tiers.USDC)
    expect(chain?.policy.tiers?.ETH).toHaveLength(3)
  })

  it('has a default quorum for all chains', () => {
    const [chain] = read({ chains: { base }, policy: { quorum: 1 } })
    expect(chain?.policy.quorum).toBe(1)
  })

  it('reports all problems of all chains at once, by their places', () => {
    const reported = problems({
      chains: {
        base: {
          preset: 'base',
          providers: [{ name: 'A b', url: 's3cr3t' }, { name: 'two' }],
          accept: ['DOGE'],
          polcy: {},
          toleranceBps: 2_000,
        },
        polygon: { preset: 'polygn', providers, accept: ['USDC'] },
        'Bad Name': base,
        mine: { ...custom, policy: { settled: 'safe', final: 0 } },
      },
      chians: {},
      policy: { quorum: 9 },
    })
    expect(Object.keys(reported).sort()).toEqual([
      '/chains/Bad Name',
      '/chains/base/accept/0',
      '/chains/base/polcy',
      '/chains/base/providers/0/name',
      '/chains/base/providers/0/url',
      '/chains/base/providers/1/url',
      '/chains/base/toleranceBps',
      '/chains/mine/policy/final',
      '/chains/mine/policy/settled',
      '/chains/polygon/preset',
      '/chians',
      '/policy/quorum',
    ])
    expect(reported['/chains/base/polcy']).toBe('is an unknown field: did you mean policy?')
    expect(reported['/chians']).toBe('is an unknown field: did you mean chains?')
    expect(reported['/chains/base/providers/0/url']).toBe('must be a wss, ws, https or http URL')
  })

  it.each([
    ['no chains', {}, '/chains'],
    ['a list of chains', { chains: [] }, '/chains'],
    ['a chain that is a string', { chains: { base: 'base' } }, '/chains/base'],
    ['undefined', undefined, ''],
  ])('refuses %s', (_, written, pointer) => {
    expect(Object.keys(problems(written))).toEqual([pointer])
  })

  const one = { name: 'one', url: secret }
  it.each([
    ['no provider', { providers: [] }, '/providers'],
    ['another protocol', { providers: [{ ...one, url: 'ipc:///node' }] }, '/providers/0/url'],
    [
      'an unset variable',
      { providers: [{ ...one, url: env('MISSING') }] },
      '/providers/0/url',
      'needs the variable MISSING to be set',
    ],
    ['an empty variable', { providers: [{ ...one, url: env('EMPTY') }] }, '/providers/0/url'],
    [
      'a variable that is not a URL',
      { providers: [{ ...one, url: env('NONSENSE') }] },
      '/providers/0/url',
    ],
    [
      'an `into` that throws',
      {
        providers: [
          {
            ...one,
            url: env('KEY', (key) => {
              throw new Error(key)
            }),
          },
        ],
      },
      '/providers/0/url',
    ],
    ['a name twice', { providers: [one, { name: 'one', url: 'wss://b' }] }, '/providers/1/name'],
    ['a node twice', { providers: [one, { ...one, name: 'two' }] }, '/providers/1/url'],
    ['a quorum above the number of nodes', { policy: { quorum: 2 } }, '/policy/quorum'],
    ['an unknown level', { policy: { settled: 'deep' } }, '/policy/settled'],
    [
      'an unknown pending mode',
      { providers: [{ ...one, pending: 'all' }] },
      '/providers/0/pending',
    ],
    ['no accepted asset', { accept: [] }, '/accept'],
    ['a symbol with a dot', { preset: 'polygon', accept: ['USDC.e'] }, '/accept/0'],
    ['dust of an unknown asset', { dust: { DOGE: '1' } }, '/dust/DOGE'],
    ['dust finer than its asset', { dust: { USDC: '0.0000001' } }, '/dust/USDC'],
    ['dust as a number', { dust: { USDC: 1 } }, '/dust/USDC'],
    [
      'a tag that the chain does not support',
      { preset: 'polygon', accept: ['USDC'], policy: { settled: 'safe' } },
      '/policy/settled',
    ],
    [
      'tiers that do not rise',
      {
        policy: {
          tiers: {
            USDC: [
              { upTo: '100', settled: 1 },
              { upTo: '20', settled: 2 },
            ],
          },
        },
      },
      '/policy/tiers/USDC/1/upTo',
    ],
    [
      'a tier after the one without a limit',
      {
        policy: {
          tiers: {
            '*': [
              { upTo: null, settled: 1 },
              { upTo: '20', settled: 2 },
            ],
          },
        },
      },
      '/policy/tiers/*/1/upTo',
    ],
    [
      'tiers of an unknown asset',
      { policy: { tiers: { DOGE: [{ upTo: null, settled: 1 }] } } },
      '/policy/tiers/DOGE',
    ],
    [
      'a token that is already in the preset',
      { tokens: { USDC: { address: `0x${'ab'.repeat(20)}`, decimals: 6 } } },
      '/tokens/USDC',
    ],
  ])('refuses in a chain with a preset: %s', (_, changes, place, detail?: string) => {
    const reported = inBase(changes)
    expect(Object.keys(reported)).toEqual([`/chains/base${place}`])
    if (detail !== undefined) expect(Object.values(reported)).toEqual([detail])
  })

  const token = custom.tokens.GOLD
  it.each([
    ['chain id 0', { chainId: 0 }, '/chainId'],
    ['a missing livemode', { livemode: undefined }, '/livemode'],
    ['a genesis hash in capitals', { genesisHash: `0x${'AB'.repeat(32)}` }, '/genesisHash'],
    ['a name with a line break', { name: 'a\nb' }, '/name'],
    ['a name with a bidirectional control', { name: 'a\u202eb' }, '/name'],
    ['a name with a filler', { name: 'Ba\u3164se' }, '/name'],
    ['an empty name', { name: '' }, '/name'],
    ['a name of 41 characters', { name: 'a'.repeat(41) }, '/name'],
    ['an explorer without a hash', { explorerTx: 'https://explorer.example' }, '/explorerTx'],
    [
      'an address that is too short',
      { tokens: { GOLD: { ...token, address: '0xabc' } } },
      '/tokens/GOLD/address',
    ],
    [
      'an address with a wrong digit',
      { tokens: { GOLD: { ...token, address: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02914' } } },
      '/tokens/GOLD/address',
    ],
    [
      'the address of native coin logs (EIP-7708)',
      { tokens: { GOLD: { ...token, address: `0x${'f'.repeat(39)}e` } } },
      '/tokens/GOLD/address',
    ],
    ['two symbols of one contract', { tokens: { GOLD: token, AU: token } }, '/tokens/AU/address'],
    [
      'the native symbol as a token',
      { tokens: { GOLD: token, XYZ: { ...token, address: `0x${'cd'.repeat(20)}` } } },
      '/tokens/XYZ',
    ],
    [
      'a token that is its own twin',
      { tokens: { GOLD: { ...token, twinOf: 'GOLD' } } },
      '/tokens/GOLD/twinOf',
    ],
    ['a level that is not in its tags', { tags: [] }, '/policy/final'],
    [
      'a currency in small letters',
      { native: { symbol: 'XYZ', currency: 'xyz' } },
      '/native/currency',
    ],
  ])('refuses in a chain without a preset: %s', (_, changes, place) => {
    expect(Object.keys(inCustom(changes))).toEqual([`/chains/mine${place}`])
  })

  it('refuses the same chain under two names: its money would count twice', () => {
    expect(problems({ chains: { base, again: base } })).toEqual({
      '/chains/again': 'is the same chain as base',
    })
  })
})
