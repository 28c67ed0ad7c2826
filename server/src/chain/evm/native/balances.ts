import type { BlockRef } from '@settlewire/core/payment/observation'
import { askAt } from '../node/at-block.ts'
import { malformed, toBigInt } from '../node/hex.ts'
import { inParallel } from '../node/in-parallel.ts'
import { atOnce } from '../node/limits.ts'
import type { EvmNode } from '../node/node.ts'

/** This many fit well below the gas and size limits of a node's `eth_call`. */
const addressesPerCall = 500
const parallelCalls = { multicall: 4, getBalance: atOnce.questions }
/** `aggregate3((address,bool,bytes)[])` and `getEthBalance(address)` of Multicall3. */
const aggregate3 = '82ad56cb'
const getEthBalance = '4d2301cc'

/**
 * The balance of each address after a block. Null when the node lacks that block's state, or
 * Multicall3 was not deployed yet. Without Multicall3 each address needs its own question, so the
 * caller asks for few.
 */
export async function balancesAt(
  node: EvmNode,
  { addresses, multicall3 }: { addresses: readonly string[]; multicall3: string | null },
  block: Pick<BlockRef, 'hash' | 'number'>,
): Promise<ReadonlyMap<string, bigint> | null> {
  const perCall = multicall3 === null ? 1 : addressesPerCall
  const chunks = Array.from({ length: Math.ceil(addresses.length / perCall) }, (_, at) =>
    addresses.slice(at * perCall, (at + 1) * perCall),
  )
  const calls = multicall3 === null ? parallelCalls.getBalance : parallelCalls.multicall
  const read = await inParallel(chunks, calls, (chunk) =>
    multicall3 === null
      ? readOne(node, chunk, block)
      : readByMulticall(node, { chunk, multicall3 }, block),
  )
  const balances = new Map<string, bigint>()
  for (const [at, values] of read.entries()) {
    if (values === null) return null
    for (const [place, address] of (chunks[at] ?? []).entries()) {
      balances.set(address, values[place] ?? 0n)
    }
  }
  return balances
}

type BalanceBlock = Pick<BlockRef, 'hash' | 'number'>

async function readOne(node: EvmNode, chunk: readonly string[], block: BalanceBlock) {
  const answer = await askAt(node, { method: 'eth_getBalance', params: chunk }, block)
  return answer === null ? null : [toBigInt(answer, 'balance')]
}

async function readByMulticall(
  node: EvmNode,
  { chunk, multicall3 }: { chunk: readonly string[]; multicall3: string },
  block: BalanceBlock,
) {
  const call = { to: multicall3, data: encodeBalanceCalls(multicall3, chunk) }
  const answer = await askAt(node, { method: 'eth_call', params: [call] }, block)
  // An empty answer means that Multicall3 was not deployed yet at that block.
  if (answer === null || answer === '0x') return null
  return decodeBalances(answer, chunk.length)
}

const word = (value: number | string): string =>
  (typeof value === 'number' ? value.toString(16) : value.replace(/^0x/, '')).padStart(64, '0')

/**
 * Every element has one size, so the ABI's offsets increase evenly. Written by hand: for 500
 * addresses viem encodes the call in 14 ms and decodes the answer in 10 ms, this takes 2 ms each.
 */
export function encodeBalanceCalls(multicall3: string, addresses: readonly string[]): string {
  const elementBytes = 192
  const offsets = addresses.map((_, at) => word(addresses.length * 32 + at * elementBytes))
  // The target, that it must not fail, and the call's offset, length and text, padded to two words.
  const elements = addresses.map(
    (address) =>
      `${word(multicall3)}${word(0)}${word(0x60)}${word(36)}` +
      `${getEthBalance}${word(address)}`.padEnd(128, '0'),
  )
  return `0x${aggregate3}${word(0x20)}${word(addresses.length)}${offsets.join('')}${elements.join('')}`
}

/** Decodes `(bool success, bytes returned)[]` with one word each. Throws for anything else. */
export function decodeBalances(answer: unknown, count: number): bigint[] {
  if (typeof answer !== 'string' || !/^0x[0-9a-fA-F]*$/.test(answer)) throw malformed('balances')
  const wordAt = (byte: number): bigint => {
    const text = answer.slice(2 + byte * 2, 66 + byte * 2)
    if (text.length !== 64) throw malformed('balances')
    return BigInt(`0x${text}`)
  }
  const listAt = Number(wordAt(0))
  if (Number(wordAt(listAt)) !== count) throw malformed('balances')
  return Array.from({ length: count }, (_, at) => {
    const elementAt = listAt + 32 + Number(wordAt(listAt + 32 + at * 32))
    const returnedAt = elementAt + Number(wordAt(elementAt + 32))
    if (wordAt(elementAt) !== 1n || wordAt(returnedAt) !== 32n) throw malformed('balances')
    return wordAt(returnedAt + 32)
  })
}
