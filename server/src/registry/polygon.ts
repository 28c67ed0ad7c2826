import { dollars, multicall3, type Preset, testnet, tier, tiersFor, usdc } from './preset.ts'

/**
 * `finalized` is a milestone, usually within seconds. While milestones stall, nothing with this
 * level settles.
 */
const policy: Preset['policy'] = {
  settled: 'finalized',
  final: 'finalized',
  tiers: {
    ...tiersFor(['USDC', 'USDT'], [tier('100', 4), tier(null, 'finalized')]),
    POL: [tier('200', 4), tier(null, 'finalized')],
  },
}

const shared = {
  native: { symbol: 'POL', decimals: 18, dust: '0.01' },
  blockMs: 2_000,
  publicMempool: true,
  preconfirmations: 'none',
  tags: ['finalized'],
  // Short forks between two block producers were common here.
  toleratedDepth: 8,
  bloom: 'untrusted',
  multicall3,
  policy,
} as const satisfies Partial<Preset>

export const polygon: Preset = {
  ...shared,
  title: 'Polygon',
  chainId: 137,
  livemode: true,
  genesisHash: '0xa9c28ce2141b56c474f1dc504bee9b01eb1bd7d1a507580d5519d4437a97de1b',
  genesisSource: 'https://github.com/erigontech/erigon/blob/main/polygon/chain/config.go',
  explorerTx: 'https://polygonscan.com/tx/{hash}',
  tokens: [
    usdc('0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359'),
    dollars({
      symbol: 'USDC.e',
      address: '0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174',
      twinOf: 'USDC',
      source: 'https://polygonscan.com/token/0x2791bca1f2de4661ed88a30c99a7a9449aa84174',
    }),
    dollars({
      symbol: 'USDT',
      // Tether upgraded this contract to USDT0 at the same address.
      address: '0xc2132D05D31c914a87C6611C10748AEb04B58e8F',
      source: 'https://docs.usdt0.to/technical-documentation/deployments',
    }),
  ],
}

export const polygonAmoy: Preset = {
  ...shared,
  ...testnet,
  title: 'Polygon Amoy',
  chainId: 80_002,
  genesisHash: '0x7202b2b53c5a0836e773e319d18922cc756dd67432f9a1f65352b61f4406c697',
  genesisSource: 'https://github.com/erigontech/erigon/blob/main/polygon/chain/config.go',
  explorerTx: 'https://amoy.polygonscan.com/tx/{hash}',
  tokens: [usdc('0x41E94Eb019C0762f9Bfcf9Fb1E58725BfB0e7582')],
}
