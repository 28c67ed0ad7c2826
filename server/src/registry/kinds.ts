import type { ChainReaders } from './chain-reader.ts'
import { readEvmChain } from './evm-chain.ts'

/** The readers of the configuration, by kind of chain. */
export const readers: ChainReaders = { evm: readEvmChain }
