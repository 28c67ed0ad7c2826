import { Failure, type FieldError, inLines } from '@settlewire/core/errors'
import type { ChainId } from '@settlewire/core/payment/payment'
import { z } from 'zod'
import type { ChainConfig } from '../chain-config.ts'
import { chainNameForm, type ReadVariable, sharedPolicy } from './chain-form.ts'
import type { ChainReader, ChainReaders } from './chain-reader.ts'
import { byName, ConfigPlace, invalid, isObject, object, optional, read } from './form.ts'
import { readers as builtInReaders } from './kinds.ts'

/** The default kind of a chain. */
const kindDefault = 'evm'

/**
 * Reads the chains of a configuration. Throws one `invalid_config` with all problems by their
 * places. It never repeats a value, which may be a secret.
 */
export function readChains(
  written: unknown,
  variable: ReadVariable,
  readers: ChainReaders = builtInReaders,
): readonly ChainConfig[] {
  const problems: FieldError[] = []
  const form = read(file, written, new ConfigPlace(problems))
  const chains: ChainConfig[] = []
  // Also if the rest is invalid, to report all problems at once.
  for (const [name, chain] of Object.entries(membersOf(written, 'chains'))) {
    const place = new ConfigPlace(problems, '/chains').at(name)
    const readChain = readerOf(chain, place, readers)
    const quorum = form === invalid ? null : (form.policy?.quorum ?? null)
    const known =
      readChain === invalid ? invalid : readChain(chain, place, { name, variable, quorum })
    if (known !== invalid) chains.push(known)
  }
  if (problems.length > 0) throw refusal(problems)
  refuseTwice(chains, problems)
  if (problems.length > 0) throw refusal(problems)
  return chains
}

/** The whole file. Each chain is read by the reader of its kind. */
const file = object({ chains: byName(chainNameForm, z.unknown()), policy: optional(sharedPolicy) })

const membersOf = (written: unknown, key: string): object => {
  const members = isObject(written) ? written[key] : undefined
  return isObject(members) ? members : {}
}

/** The reader by the field `kind`. */
function readerOf(
  written: unknown,
  place: ConfigPlace,
  readers: ChainReaders,
): ChainReader | typeof invalid {
  const kind = isObject(written) && written.kind !== undefined ? written.kind : kindDefault
  const found = Object.entries(readers).find(([name]) => name === kind)
  if (found !== undefined) return found[1]
  return place.at('kind').report(`must be one of ${Object.keys(readers).join(', ')}`)
}

const refusal = (problems: readonly FieldError[]): Failure => {
  const list = problems.map(({ pointer, detail }) => `${pointer || 'the file'} ${detail}`)
  return new Failure('invalid_config', inLines(list), { fields: problems })
}

/** One chain under two names would be followed twice and its money counted twice. */
function refuseTwice(chains: readonly ChainConfig[], problems: FieldError[]): void {
  const names = new Map<string, Map<ChainId, string>>()
  for (const { kind, name, chainId } of chains) {
    const ofKind = names.get(kind) ?? new Map<ChainId, string>()
    names.set(kind, ofKind)
    const before = ofKind.get(chainId)
    if (before !== undefined)
      new ConfigPlace(problems, `/chains/${name}`).report(`is the same chain as ${before}`)
    ofKind.set(chainId, name)
  }
}
