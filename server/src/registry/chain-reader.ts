import type { ChainConfig } from '../chain-config.ts'
import type { ReadVariable } from './chain-form.ts'
import type { ConfigPlace, invalid } from './form.ts'

/** The context of a reader, beside the written configuration. */
export interface ReadParts {
  /** The name of the chain in the configuration. */
  readonly name: string
  readonly variable: ReadVariable
  /** The default quorum of all chains; null if the file sets none. */
  readonly quorum: number | null
}

/** Reads one chain of a kind, or reports every problem with its place. */
export type ChainReader = (
  written: unknown,
  place: ConfigPlace,
  parts: ReadParts,
) => ChainConfig | typeof invalid

/** Readers by kind of chain. */
export type ChainReaders = Readonly<Record<string, ChainReader>>
