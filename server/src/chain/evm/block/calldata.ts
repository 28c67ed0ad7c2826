import type { Contest, SeenTransfer } from '@settlewire/core/payment/observation'
import type { WatchSet } from '../../../ports/chain.ts'
import { fieldsOf, isHash, toAddress } from '../node/hex.ts'
import { contestKey } from './contest-key.ts'

/** What decides whether a pending transaction pays us: the tokens and the watch set. */
export interface PendingRules {
  /** In lower case. */
  readonly tokens: ReadonlySet<string>
  readonly watch: WatchSet
}

/** Where the parameters are in a call: 32-byte words after the selector, counted from 0. */
interface CallShape {
  readonly signature: string
  /** `sender`: the sender of the transaction, as no parameter names the payer. */
  readonly from: number | 'sender'
  readonly to: number
  readonly amount: number
}

const authorized = 'address,address,uint256,uint256,uint256,bytes32'
const own = { from: 'sender', to: 0, amount: 1 } as const
const named = { from: 0, to: 1, amount: 2 } as const

/** Every known token call that moves money, by selector. */
export const callShapes: Readonly<Record<string, CallShape>> = {
  '0xa9059cbb': { signature: 'transfer(address,uint256)', ...own },
  '0x23b872dd': { signature: 'transferFrom(address,address,uint256)', ...named },
  // EIP-3009: signed by the payer, sent by any account.
  '0xe3ee160e': {
    signature: `transferWithAuthorization(${authorized},uint8,bytes32,bytes32)`,
    ...named,
  },
  '0xcf092995': { signature: `transferWithAuthorization(${authorized},bytes)`, ...named },
  '0xef55bec6': {
    signature: `receiveWithAuthorization(${authorized},uint8,bytes32,bytes32)`,
    ...named,
  },
  '0x88b7ab63': { signature: `receiveWithAuthorization(${authorized},bytes)`, ...named },
  // ERC-677, and the second also ERC-1363.
  '0x4000aea0': { signature: 'transferAndCall(address,uint256,bytes)', ...own },
  '0x1296ee62': { signature: 'transferAndCall(address,uint256)', ...own },
  '0xd8fbe994': { signature: 'transferFromAndCall(address,address,uint256)', ...named },
  '0xc1d34b89': { signature: 'transferFromAndCall(address,address,uint256,bytes)', ...named },
}

type Fields = Readonly<Record<string, unknown>>

/**
 * What a transaction would pay a watched address: a token by its calldata, or native coin by its
 * value. Only a hint: the block decides.
 * Runs for every transaction of the network, so the cheapest check comes first and only payments to
 * us are decoded.
 */
export function hintOf(transaction: unknown, rules: PendingRules): SeenTransfer | null {
  const tx = fieldsOf(transaction)
  if (tx === null || typeof tx.to !== 'string' || typeof tx.hash !== 'string') return null
  const to = tx.to.toLowerCase()
  if (rules.tokens.has(to)) return tokenHint(tx, to, rules.watch)
  if (tx.value === '0x0' || !rules.watch.wantsNative || !rules.watch.has(to)) return null
  return hint(tx, { token: null, from: tx.from, to, amount: tx.value })
}

/**
 * The contest of a transaction: its sender and nonce, with its fee as the bid. Null when part of
 * that is missing or malformed.
 */
export function contestOf(transaction: unknown): Contest | null {
  const tx = fieldsOf(transaction)
  const sender = toAddress(tx?.from)
  if (tx === null || sender === null) return null
  const nonce = nonceOf(tx.nonce)
  const fee = tx.maxFeePerGas ?? tx.gasPrice
  if (nonce === null || !isAmount(fee)) return null
  return { key: contestKey(sender, nonce), bid: BigInt(fee) }
}

/** Null when it is not a valid nonce. */
export function nonceOf(quantity: unknown): number | null {
  if (typeof quantity !== 'string') return null
  const nonce = Number(quantity)
  return Number.isSafeInteger(nonce) && nonce >= 0 ? nonce : null
}

function tokenHint(tx: Fields, token: string, watch: WatchSet): SeenTransfer | null {
  const input = tx.input ?? tx.data
  if (typeof input !== 'string') return null
  const shape = callShapes[input.slice(0, 10).toLowerCase()]
  if (shape === undefined || input.length < wordAt(shape.amount + 1)) return null
  const to = wordAddress(input, shape.to)
  if (to === null || !watch.has(to)) return null
  const from = shape.from === 'sender' ? tx.from : wordAddress(input, shape.from)
  const amount = `0x${input.slice(wordAt(shape.amount), wordAt(shape.amount + 1))}`
  return hint(tx, { token, from, to, amount })
}

/** Calldata is "0x", four bytes of selector, then words of 64 digits. */
const wordAt = (word: number): number => 10 + word * 64

const upperBytes = '0'.repeat(24)

/**
 * The address in a word; null when the upper bytes are not zero, which a contract would refuse too.
 */
function wordAddress(input: string, word: number): string | null {
  const at = wordAt(word)
  if (!input.startsWith(upperBytes, at)) return null
  return `0x${input.slice(at + 24, at + 64).toLowerCase()}`
}

const amountForm = /^0x[0-9a-fA-F]{1,64}$/
const isAmount = (value: unknown): value is string =>
  typeof value === 'string' && amountForm.test(value)

function hint(
  tx: Fields,
  move: { token: string | null; from: unknown; to: string; amount: unknown },
): SeenTransfer | null {
  const { token, to, amount } = move
  const from = toAddress(move.from)
  // Checked strictly, whatever the source: the hint is stored permanently.
  if (from === null || !isHash(tx.hash) || !isAmount(amount)) return null
  const units = BigInt(amount)
  if (units === 0n) return null
  return { txHash: tx.hash.toLowerCase(), part: 'hint', token, from, to, amount: units }
}
