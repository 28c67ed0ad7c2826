/** Chains for the followers under test: a real anvil, and a fake node. */
import type { ChainLab } from '../../../server/src/chain/contract.ts'
import {
  type EvmChain,
  EvmFollower,
  type EvmParts,
} from '../../../server/src/chain/evm/follower.ts'
import type { FollowerLimits } from '../../../server/src/chain/evm/node/limits.ts'
import type { ProviderConfig } from '../../../server/src/chain-config.ts'
import { systemClock } from '../../../server/src/clock.ts'
import { silentLog } from '../../../server/src/log.ts'
import { silentMetrics } from '../../../server/src/metrics.ts'
import { type AnvilOptions, startAnvil } from '../anvil.ts'
import { FakeNode } from '../fake-node.ts'
import type { ChainLedger } from './chain-ledger.ts'
import { type FakeBlock, type FakeTx, nativeTx, newAddress } from './fake-chain.ts'
import { TcpProxy } from './tcp-proxy.ts'

/** Time limits that are short enough for a test and long enough for a busy machine. */
export const quickLimits: Partial<FollowerLimits> = {
  connectWithinMs: 2_000,
  answerWithinMs: 2_000,
  pingEveryMs: 500,
  pongWithinMs: 500,
  backoff: { baseMs: 20, maxMs: 200 },
  headPollMs: 300,
  headSilentAfterMs: null,
  haltedRecheckMs: 200,
  refusedWithinMs: 200,
  refusedBackoff: { baseMs: 20, maxMs: 100 },
}

/** The provider of a test node, connected by the type of its URL. */
export const nodeAt = (name: string, url: string): ProviderConfig => ({
  ...{ name, url, pending: 'auto', preconfirmations: 'none' },
})

/** A chain of a test; the defaults are those of a development chain. */
export interface TestChain extends Partial<Omit<EvmChain, 'tokens' | 'policy'>> {
  readonly providers: readonly ProviderConfig[]
  readonly tokens?: readonly string[]
  readonly quorum?: number
}

export const chainOf = ({ tokens = [], quorum = 1, ...chain }: TestChain): EvmChain => ({
  ...{ name: 'local', chainId: 31337, genesisHash: null, toleratedDepth: 1, blockMs: 0 },
  ...{ multicall3: null, publicMempool: true, tags: ['safe', 'finalized'], bloom: 'untrusted' },
  followBelowFinality: false,
  ...chain,
  tokens: tokens.map((address) => ({ address })),
  policy: { quorum },
})

/** A follower on real time that counts and logs nothing. */
export const followerOf = (
  ledger: ChainLedger,
  chain: TestChain,
  more: Partial<EvmParts> = {},
): EvmFollower =>
  new EvmFollower({
    chain: chainOf(chain),
    watch: ledger.watch,
    sink: ledger,
    store: ledger,
    clock: systemClock,
    log: silentLog,
    metrics: silentMetrics,
    ...more,
    limits: { ...quickLimits, ...more.limits },
  })

/** The number of nodes, which is also the quorum. */
const manyNodes = (urls: readonly string[]): Pick<TestChain, 'providers' | 'quorum'> => ({
  providers: urls.map((url, at) => nodeAt(`node${at}`, url)),
  quorum: urls.length,
})

/** Real blocks behind connections that can be cut; payments are in the native coin. */
export async function openAnvilLab(
  options: AnvilOptions & { readonly providers?: number } = {},
): Promise<ChainLab> {
  const anvil = await startAnvil({
    ...options,
    args: ['--no-mining', '--slots-in-an-epoch', '4', ...(options.args ?? [])],
  })
  const wires: TcpProxy[] = []
  for (let at = 0; at < (options.providers ?? 1); at++) {
    wires.push(await TcpProxy.start(anvil.port))
  }
  const [payer] = anvil.accounts
  return {
    follower: (ledger) => {
      ledger.watch.wantsNative = true
      return followerOf(ledger, manyNodes(wires.map(({ port }) => `ws://127.0.0.1:${port}`)))
    },
    newAddress,
    pay: (to, amount) =>
      anvil.rpc('eth_sendTransaction', [{ from: payer, to, value: `0x${amount.toString(16)}` }]),
    mine: (blocks) => anvil.rpc('anvil_mine', [`0x${blocks.toString(16)}`]),
    reorg: async (depth) => {
      await anvil.rpc('anvil_reorg', [depth, []])
      await anvil.rpc('anvil_mine', ['0x1'])
    },
    height: async () => Number(await anvil.rpc<string>('eth_blockNumber')),
    cut: () => {
      for (const wire of wires) wire.drop()
    },
    close: async () => {
      for (const wire of wires) await wire.close()
      await anvil.stop()
    },
  }
}

/** Blocks in memory that all nodes have; payments are in the native coin. */
export async function openFakeLab({ providers = 1 } = {}): Promise<ChainLab> {
  const { nodes, mine, close } = await fakeNodes(providers)
  const [first] = nodes
  return {
    follower: (ledger) => {
      ledger.watch.wantsNative = true
      return followerOf(ledger, manyNodes(nodes.map(({ wsUrl }) => wsUrl)))
    },
    newAddress,
    pay: (to, amount) => {
      const tx = nativeTx(to, amount)
      for (const node of nodes) node.broadcast(tx)
      return Promise.resolve(tx.hash)
    },
    mine: (blocks) => {
      mine([...first.pool.values()])
      for (let more = 1; more < blocks; more++) mine()
      return Promise.resolve()
    },
    reorg: (depth) => {
      first.chain.rewind(depth)
      for (let block = 0; block <= depth; block++) mine()
      return Promise.resolve()
    },
    height: () => Promise.resolve(first.chain.head.number),
    cut: () => {
      for (const node of nodes) node.drop()
    },
    close,
  }
}

/** Nodes of one chain. All of them have a block before any of them announces it. */
export async function fakeNodes(count: number): Promise<{
  readonly nodes: readonly [FakeNode, ...FakeNode[]]
  readonly mine: (transactions?: readonly FakeTx[]) => FakeBlock
  readonly close: () => Promise<void>
}> {
  const first = await FakeNode.start()
  const others = await Promise.all(Array.from({ length: count - 1 }, () => FakeNode.start()))
  for (const node of others) node.chain = first.chain
  const nodes = [first, ...others] as const
  return {
    nodes,
    mine: (transactions = []) => {
      const block = first.chain.mine(transactions)
      for (const node of nodes) {
        for (const tx of transactions) node.pool.delete(tx.hash)
        node.announce(block)
      }
      return block
    },
    close: async () => {
      for (const node of nodes) await node.close()
    },
  }
}
