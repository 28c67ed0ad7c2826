import type { TransferPart } from '@settlewire/core/payment/observation'
import { checksummed } from '../../evm-address.ts'
import type { ChainKind, Notation, PaymentLinkRequest } from '../kind.ts'
import { depositAddress } from './deposit-address.ts'

/** The case of hexadecimal digits has no meaning: they are stored in lower case. */
const hexOf = (digits: number, text: string): string | null =>
  text.length === digits + 2 && /^0x[0-9a-fA-F]+$/.test(text) ? text.toLowerCase() : null

const addresses: Notation = {
  inWords: 'an address: 0x and 40 hexadecimal digits',
  example: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
  parse: (text) => hexOf(40, text),
  print: checksummed,
}

const transactions: Notation = {
  inWords: 'a transaction hash: 0x and 64 hexadecimal digits',
  example: '0x4e3a3754410177e6937ef1f84bba68ea139e8d1a2258c5f85db9f1cd715a1bdd',
  parse: (text) => hexOf(64, text),
  print: (stored) => stored,
}

/**
 * A number is the index of a log in its transaction's receipt, from 0: it stays the same when
 * another block includes the transaction, while the block-wide `logIndex` changes. `top` is the
 * transaction's own value, `trace:<path>` a value that a contract passed on, by its place in the
 * call tree, and `balance` an increase of a balance that no transaction explains.
 */
const isPart = (part: TransferPart): boolean =>
  typeof part === 'number'
    ? Number.isSafeInteger(part) && part >= 0
    : part === 'top' || part === 'balance' || /^trace:[\d.,/]+$/.test(part)

/** EIP-681: https://eips.ethereum.org/EIPS/eip-681. Addresses carry the capitals of EIP-55. */
function paymentUri({ address, token, chainId, units }: PaymentLinkRequest): string {
  const to = checksummed(address)
  return token === null
    ? `ethereum:${to}@${chainId}?value=${units}`
    : `ethereum:${checksummed(token)}@${chainId}/transfer?address=${to}&uint256=${units}`
}

/**
 * Ethereum and the chains that use its JSON-RPC. The configuration of a chain says what it lacks.
 */
export const evm: ChainKind = {
  name: 'evm',
  can: { mempool: true, replacement: true, reorg: true, tags: ['safe', 'finalized'] },
  addresses,
  transactions,
  isPart,
  paymentUri,
  deposits: { address: depositAddress },
}
