/**
 * A kind of chain for tests only, as different from EVM as possible: digests and addresses are
 * case-sensitive, there is no mempool, no block ever leaves the chain, only blocks have numbers,
 * and wallets have no link format.
 */
import { createHash } from 'node:crypto'
import { Failure } from '@settlewire/core/errors'
import type { ChainKind, Notation } from '../../../server/src/chain/kind.ts'

const letters = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** A digest of a text, with the given number of base-58 letters. */
export const digestOf = (text: string, length: number): string =>
  [...createHash('sha512').update(text).digest()]
    .slice(0, length)
    .map((byte) => letters[byte % letters.length])
    .join('')

const notation = (form: RegExp, inWords: string, example: string): Notation => ({
  ...{ inWords, example },
  parse: (text) => (form.test(text) ? text : null),
  print: (stored) => stored,
})

export const addressLength = 24
export const digestLength = 40

export const pebble: ChainKind = {
  name: 'pebble',
  can: { mempool: false, replacement: false, reorg: false, tags: [] },
  addresses: notation(
    /^pb[1-9A-HJ-NP-Za-km-z]{24}$/,
    'an address: pb and 24 letters and digits',
    `pb${digestOf('example', addressLength)}`,
  ),
  transactions: notation(
    /^[1-9A-HJ-NP-Za-km-z]{40}$/,
    'a digest: 40 letters and digits',
    digestOf('example', digestLength),
  ),
  deposits: {
    address: (key, index) => {
      if (index > 1_000_000) throw new Failure('merchant_cannot_receive')
      return `pb${digestOf(`${key}/${index}`, addressLength)}`
    },
  },
  isPart: (part) => part === 0,
  paymentUri: () => null,
}
