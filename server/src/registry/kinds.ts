import type { ChainReaders } from './chain-reader.ts'
import { readEvmChain } from './evm-chain.ts'

/** How chains of each kind are written in the configuration. */
export const readers: ChainReaders = { evm: readEvmChain }
