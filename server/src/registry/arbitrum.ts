import { dollars, ether, multicall3, type Preset, testnet, tier, tiersFor, usdc } from './preset.ts'

const policy: Preset['policy'] = {
  settled: 'safe',
  final: 'finalized',
  tiers: {
    ...tiersFor(
      ['USDC', 'USDT'],
      [tier('100', 1), tier('100000', 'safe'), tier(null, 'finalized')],
    ),
    ETH: [tier('0.05', 1), tier('25', 'safe'), tier(null, 'finalized')],
  },
}

const shared = {
  native: ether,
  blockMs: 250,
  // The sequencer orders transactions as they come; no other node sees them before the block.
  publicMempool: false,
  preconfirmations: 'none',
  tags: ['safe', 'finalized'],
  toleratedDepth: 4,
  bloom: 'untrusted',
  multicall3,
  policy,
} as const satisfies Partial<Preset>

export const arbitrum: Preset = {
  ...shared,
  title: 'Arbitrum One',
  chainId: 42_161,
  livemode: true,
  genesisHash: '0x7ee576b35482195fc49205cec9af72ce14f003b9ae69f6ba0faef4514be8b442',
  genesisSource: 'https://arbiscan.io/block/0',
  explorerTx: 'https://arbiscan.io/tx/{hash}',
  tokens: [
    usdc('0xaf88d065e77c8cC2239327C5EDb3A432268e5831'),
    dollars({
      symbol: 'USDC.e',
      address: '0xFF970A61A04b1cA14834A43f5dE4533eBDDB5CC8',
      twinOf: 'USDC',
      source: 'https://arbiscan.io/token/0xff970a61a04b1ca14834a43f5de4533ebddb5cc8',
    }),
    dollars({
      symbol: 'USDT',
      // Tether upgraded this contract to USDT0 at the same address.
      address: '0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9',
      source: 'https://docs.usdt0.to/technical-documentation/deployments',
    }),
  ],
}

export const arbitrumSepolia: Preset = {
  ...shared,
  ...testnet,
  title: 'Arbitrum Sepolia',
  chainId: 421_614,
  genesisHash: '0x77194da4010e549a7028a9c3c51c3e277823be6ac7d138d0bb8a70197b5c004c',
  genesisSource: 'https://sepolia.arbiscan.io/block/0',
  explorerTx: 'https://sepolia.arbiscan.io/tx/{hash}',
  tokens: [usdc('0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d')],
}
