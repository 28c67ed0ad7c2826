import { Failure } from '@settlewire/core/errors'
import { answerIn, type WireAnswer } from '../../server/src/chain/evm/node/answer.ts'
import type { RpcWire } from '../../server/src/chain/evm/node/connection.ts'
import { systemClock } from '../../server/src/clock.ts'
import { hashOf, strangerOf } from './memory-node.ts'

const hex = (value: number): string => `0x${value.toString(16)}`
const word = (value: bigint): string => value.toString(16).padStart(64, '0')
const none = `0x${'0'.repeat(512)}`

/** A chain of blocks in which strangers pay each other in the native coin, made on request. */
export class MemoryChain {
  readonly head: number
  readonly #transactions: number
  readonly #rttMs: number
  readonly #numbers = new Map<string, number>()
  asked = 0

  constructor(options: { head: number; transactions: number; rttMs: number }) {
    this.head = options.head
    this.#transactions = options.transactions
    this.#rttMs = options.rttMs
    for (let number = 0; number <= this.head; number++) {
      this.#numbers.set(hashOf('block', number), number)
    }
  }

  /** A connection to a node that has all blocks, and parses its answers as a real one does. */
  wire(): RpcWire {
    const over = Promise.withResolvers<'left'>()
    let isOpen = true
    return {
      closed: over.promise,
      get open() {
        return isOpen
      },
      drop: () => {
        isOpen = false
        over.resolve('left')
      },
      ask: async (method, params) => {
        if (!isOpen) throw new Failure('chain_unavailable')
        this.asked++
        const text = JSON.stringify(this.#answer(method, params))
        if (this.#rttMs > 0) await systemClock.sleep(this.#rttMs)
        return answerIn(JSON.parse(text)) satisfies WireAnswer
      },
      subscribe: async () => ({ result: () => undefined }),
    }
  }

  #answer(method: string, [first, second]: readonly unknown[]): object {
    switch (method) {
      case 'eth_chainId':
        return { result: '0x1' }
      case 'eth_getBlockByNumber':
        return { result: this.#block(this.#numberOf(first), second === true) }
      case 'eth_getBlockByHash':
        return { result: this.#block(this.#numbers.get(String(first)) ?? -1, second === true) }
      case 'eth_getLogs':
        return { result: [] }
      case 'eth_call':
        // The calldata always comes from this bench's own follower.
        return { result: balances((first as { data: string }).data) }
      case 'eth_getBalance':
        return { result: '0x0' }
      default:
        return { error: { code: -32601, message: 'method not found' } }
    }
  }

  #numberOf(tag: unknown): number {
    if (tag === 'latest') return this.head
    return tag === 'safe' || tag === 'finalized' ? Math.max(0, this.head - 64) : Number(tag)
  }

  #block(number: number, whole: boolean): object | null {
    if (number < 0 || number > this.head) return null
    const transactions = Array.from({ length: this.#transactions }, (_, at) => {
      const hash = hashOf(`tx${number}.`, at)
      const [from, to] = [strangerOf(at), strangerOf(at + 1)]
      const sent = { hash, from, to, value: '0x1', nonce: '0x1', gas: '0x5208', input: '0x' }
      return whole ? { ...sent, maxFeePerGas: '0x3b9aca00', type: '0x2' } : hash
    })
    return {
      ...{ number: hex(number), hash: hashOf('block', number), transactions, logsBloom: none },
      ...{ parentHash: hashOf('block', number - 1), timestamp: hex(1_700_000_000 + number) },
    }
  }
}

/** The answer of Multicall3 for as many empty addresses as were requested. */
function balances(calldata: string): string {
  const count = Number(BigInt(`0x${calldata.slice(74, 138)}`))
  const offsets = Array.from({ length: count }, (_, at) => word(BigInt(count * 32 + at * 128)))
  const element = word(1n) + word(64n) + word(32n) + word(0n)
  return `0x${word(32n)}${word(BigInt(count))}${offsets.join('')}${element.repeat(count)}`
}
