import type { ChainAdapter } from '../../../server/src/compose/kinds.ts'
import type { ChainReader } from '../../../server/src/registry/chain-reader.ts'
import { invalid, object, oneOf, read, text } from '../../../server/src/registry/form.ts'
import type { PebbleChain } from './pebble-chain.ts'
import { PebbleFollower } from './pebble-follower.ts'
import { pebble } from './pebble-kind.ts'

/** What `compose/kinds.ts` would list for pebble, a chain kind that only tests have. */
export const pebbleAdapter = (chain: PebbleChain): ChainAdapter => ({
  kind: pebble,
  follow: ({ name }, { watch, sink, store }) =>
    new PebbleFollower({ name, chain, watch, sink, store }),
  checkAssets: async () => ({ kind: 'answered', contradictions: new Map() }),
})

const form = object({
  kind: oneOf(['pebble']),
  chainId: text(/^[a-z-]+$/, 'a name of small letters and dashes'),
})

/** What `registry/kinds.ts` would list for it. */
export const readPebbleChain: ChainReader = (written, place, { name }) => {
  const chain = read(form, written, place)
  if (chain === invalid) return invalid
  return {
    ...{ name, kind: 'pebble', chainId: chain.chainId, livemode: false, genesisHash: null },
    native: { symbol: 'PEB', currency: 'PEB', decimals: 3, accepted: true, dust: 0n },
    ...{ explorerTx: null, blockMs: 1_000, publicMempool: false, tokens: [] },
    ...{ toleranceBps: 0, pendingTtlMs: 60_000, providers: [] },
    policy: { settled: 1, final: 1, quorum: 1 },
  }
}
