/** One node of a chain as the configuration names it. */
export interface EvmNodeAddress {
  /** Stands for the node everywhere: in evidence as `rpc:<name>`, in scores, metrics and logs. */
  readonly name: string
  /** `ws`, `wss`, `http` or `https`. May hold a key and is never logged. */
  readonly url: string
  /** How pending transactions are asked for; `auto` finds out. */
  readonly pending: 'auto' | 'full' | 'hashes' | 'alchemy' | 'none'
  /** What the node shows between a sequencer's promise and its block. */
  readonly preconfirmations: 'none' | 'pending_logs' | 'flashblocks'
}

/** One EVM chain as the configuration names it. */
export interface EvmChain {
  readonly name: string
  readonly chainId: number
  /** Left out or null: whatever the first node showed, for ever. */
  readonly genesisHash?: string | null
  /** The allow-listed token contracts. What a token calls itself is never asked. */
  readonly tokens: readonly string[]
  /** At least one. The order decides between providers that are equally good. */
  readonly nodes: readonly EvmNodeAddress[]
  /** Providers that must show an inclusion before it is enough: above one, each is asked. */
  readonly quorum: number
  /** How deep below their heads providers may name different blocks without it being news. */
  readonly toleratedDepth: number
  /** The tags that its nodes answer truthfully: no other is asked for. Left out: both. */
  readonly tags?: readonly ('safe' | 'finalized')[]
  /** Whether a reorg is followed below what was final, as any other. Left out: never. */
  readonly followBelowFinality?: boolean
  /** Whether its headers tell the truth of their logs, so that a block may be passed for it. Left out: no. */
  readonly bloom?: 'trusted' | 'untrusted'
  /** Answers many balances at once; null where it is not deployed. */
  readonly multicall3: string | null
  /** Whether there is a pool to listen to. Where there is none, nothing pretends to be one. */
  readonly publicMempool: boolean
  /** The usual time between blocks; null for a chain that makes them on demand. */
  readonly blockMs: number | null
}

/** The contracts as they are compared: in lower case. */
export const tokensOf = (chain: Pick<EvmChain, 'tokens'>): string[] =>
  chain.tokens.map((token) => token.toLowerCase())

/** How a provider is named wherever a fact says where it came from. */
export const sourceOf = (name: string): string => `rpc:${name}`
