/**
 * Copy this file to `settlewire.config.ts` and keep what you need: docs/chains.md explains each line.
 * It holds no secret. `env('NAME')` reads one from the environment when the server starts.
 */
import { defineConfig, env } from '@settlewire/server/define-config'

export default defineConfig({
  chains: {
    // A chain of the registry needs providers, and which assets requests may name.
    base: {
      preset: 'base',
      accept: ['USDC', 'ETH'],
      providers: [
        {
          name: 'alchemy',
          url: env('ALCHEMY_KEY', (key) => `wss://base-mainnet.g.alchemy.com/v2/${key}`),
        },
        { name: 'own', url: env('BASE_NODE_URL') },
      ],
    },

    // Everything the preset assumes can be said otherwise.
    ethereum: {
      preset: 'ethereum',
      accept: ['USDC', 'USDT', 'ETH'],
      providers: [
        { name: 'own', url: env('ETHEREUM_NODE_URL'), pending: 'full' },
        {
          name: 'alchemy',
          url: env('ALCHEMY_KEY', (key) => `wss://eth-mainnet.g.alchemy.com/v2/${key}`),
          pending: 'alchemy',
        },
      ],
      policy: {
        tiers: {
          USDC: [
            { upTo: '20', settled: 1 },
            { upTo: '5000', settled: 12 },
            { upTo: null, settled: 'finalized' },
          ],
        },
      },
      dust: { USDC: '0.10' },
      toleranceBps: 10,
      pendingTtlSeconds: 6 * 3_600,
    },

    // A chain that the registry does not know, in full.
    harbour: {
      chainId: 7_357,
      livemode: false,
      native: { symbol: 'HBR' },
      // What people read on pages.
      name: 'Harbour Chain',
      blockMs: 1_000,
      publicMempool: true,
      tags: ['finalized'],
      explorerTx: 'https://explorer.harbour.example/tx/{hash}',
      accept: ['USDC', 'HBR'],
      tokens: {
        USDC: {
          address: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
          decimals: 6,
          dust: '0.01',
          source: 'https://harbour.example/contracts',
        },
      },
      providers: [{ name: 'own', url: 'ws://127.0.0.1:8546' }],
      policy: { settled: 5, final: 'finalized' },
    },
  },
})
