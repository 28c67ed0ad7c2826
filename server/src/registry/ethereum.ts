import { dollars, ether, multicall3, type Preset, testnet, tier, tiersFor, usdc } from './preset.ts'

/**
 * Reorgs of a few blocks happen: larger amounts wait for more blocks, very large ones for finality.
 */
const policy: Preset['policy'] = {
  settled: 12,
  final: 'finalized',
  tiers: {
    ...tiersFor(['USDC', 'USDT'], [tier('100', 2), tier('100000', 12), tier(null, 'finalized')]),
    ETH: [tier('0.05', 2), tier('25', 12), tier(null, 'finalized')],
  },
}

/** Shared by Ethereum and its test network. */
const shared = {
  native: ether,
  blockMs: 12_000,
  publicMempool: true,
  preconfirmations: 'none',
  tags: ['safe', 'finalized'],
  toleratedDepth: 3,
  bloom: 'trusted',
  multicall3,
  policy,
} as const satisfies Partial<Preset>

export const ethereum: Preset = {
  ...shared,
  title: 'Ethereum',
  chainId: 1,
  livemode: true,
  genesisHash: '0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3',
  genesisSource: 'https://github.com/ethereum/go-ethereum/blob/master/params/config.go',
  explorerTx: 'https://etherscan.io/tx/{hash}',
  tokens: [
    usdc('0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'),
    dollars({
      symbol: 'USDT',
      address: '0xdAC17F958D2ee523a2206206994597C13D831ec7',
      source: 'https://tether.to/en/supported-protocols',
    }),
  ],
}

export const sepolia: Preset = {
  ...shared,
  ...testnet,
  title: 'Sepolia',
  chainId: 11_155_111,
  genesisHash: '0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9',
  genesisSource: 'https://github.com/ethereum/go-ethereum/blob/master/params/config.go',
  explorerTx: 'https://sepolia.etherscan.io/tx/{hash}',
  tokens: [usdc('0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238')],
}
