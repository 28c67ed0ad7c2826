import { dollars, ether, multicall3, type Preset, testnet, tier, tiersFor, usdc } from './preset.ts'

/**
 * The sequencer seldom reverts a block; `safe` means published on Ethereum, a minute or two later.
 */
const policy: Preset['policy'] = {
  settled: 'safe',
  final: 'finalized',
  tiers: {
    ...tiersFor(
      ['USDC', 'USDT', 'USDT0'],
      [tier('100', 1), tier('100000', 'safe'), tier(null, 'finalized')],
    ),
    ETH: [tier('0.05', 1), tier('25', 'safe'), tier(null, 'finalized')],
  },
}

const shared = {
  native: ether,
  blockMs: 2_000,
  // Transactions are not gossiped: a node knows only those pending ones that were submitted to it.
  publicMempool: false,
  tags: ['safe', 'finalized'],
  toleratedDepth: 2,
  bloom: 'trusted',
  multicall3,
  policy,
} as const satisfies Partial<Preset>

export const base: Preset = {
  ...shared,
  preconfirmations: 'pending_logs',
  title: 'Base',
  chainId: 8_453,
  livemode: true,
  genesisHash: '0xf712aa9241cc24369b143cf6dce85f0902a9731e70d66818a3a5845b296c73dd',
  genesisSource: 'https://github.com/ethereum-optimism/superchain-registry',
  explorerTx: 'https://basescan.org/tx/{hash}',
  tokens: [
    usdc('0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913'),
    dollars({
      symbol: 'USDbC',
      address: '0xd9aAEc86B65D86f6A7B5B1b0c42FFA531710b6CA',
      twinOf: 'USDC',
      source: 'https://basescan.org/token/0xd9aaec86b65d86f6a7b5b1b0c42ffa531710b6ca',
    }),
    dollars({
      symbol: 'USDT',
      // Bridged: Tether issues no USDT here.
      address: '0xfde4C96c8593536E31F229EA8f37b2ADa2699bb2',
      source:
        'https://github.com/ethereum-optimism/ethereum-optimism.github.io/blob/master/data/USDT/data.json',
    }),
  ],
}

export const optimism: Preset = {
  ...shared,
  preconfirmations: 'none',
  title: 'OP Mainnet',
  chainId: 10,
  livemode: true,
  genesisHash: '0x7ca38a1916c42007829c55e69d3e9a73265554b586a499015373241b8a3fa48b',
  genesisSource: 'https://optimistic.etherscan.io/block/0',
  explorerTx: 'https://optimistic.etherscan.io/tx/{hash}',
  tokens: [
    usdc('0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85'),
    dollars({
      symbol: 'USDC.e',
      address: '0x7F5c764cBc14f9669B88837ca1490cCa17c31607',
      twinOf: 'USDC',
      source: 'https://docs.optimism.io/app-developers/bridging/standard-bridge',
    }),
    dollars({
      symbol: 'USDT',
      // Bridged from Ethereum. Most wallets call it USDT.
      address: '0x94b008aA00579c1307B0EF2c499aD98a8ce58e58',
      source:
        'https://github.com/ethereum-optimism/ethereum-optimism.github.io/blob/master/data/USDT/data.json',
    }),
    dollars({
      symbol: 'USDT0',
      address: '0x01bFF41798a0BcF287b996046Ca68b395DbC1071',
      twinOf: 'USDT',
      source: 'https://docs.usdt0.to/technical-documentation/deployments',
    }),
  ],
}

export const baseSepolia: Preset = {
  ...shared,
  ...testnet,
  preconfirmations: 'pending_logs',
  title: 'Base Sepolia',
  chainId: 84_532,
  genesisHash: '0x0dcc9e089e30b90ddfc55be9a37dd15bc551aeee999d2e2b51414c54eaf934e4',
  genesisSource: 'https://github.com/ethereum-optimism/superchain-registry',
  explorerTx: 'https://sepolia.basescan.org/tx/{hash}',
  tokens: [usdc('0x036CbD53842c5426634e7929541eC2318f3dCF7e')],
}

export const optimismSepolia: Preset = {
  ...shared,
  ...testnet,
  preconfirmations: 'none',
  title: 'OP Sepolia',
  chainId: 11_155_420,
  genesisHash: '0x102de6ffb001480cc9b8b548fd05c34cd4f46ae4aa91759393db90ea0409887d',
  genesisSource: 'https://github.com/ethereum-optimism/superchain-registry',
  explorerTx: 'https://optimism-sepolia.blockscout.com/tx/{hash}',
  tokens: [usdc('0x5fd84259d66Cd46123540766Be93DFE6D43130D7')],
}
