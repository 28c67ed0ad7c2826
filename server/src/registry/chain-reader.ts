import type { ChainConfig } from '../chain-config.ts'
import type { Variable } from './chain-form.ts'
import type { invalid, Place } from './form.ts'

/** What a reader is given beside what was written. */
export interface ReadParts {
  /** The name that the chain was written under. */
  readonly name: string
  readonly variable: Variable
  /** The quorum for every chain that does not say another; null when the file names none. */
  readonly quorum: number | null
}

/** Reads one chain of a kind, or tells every problem with its place. */
export type ChainReader = (
  written: unknown,
  place: Place,
  parts: ReadParts,
) => ChainConfig | typeof invalid

/** By the kind of chain. */
export type ChainReaders = Readonly<Record<string, ChainReader>>
