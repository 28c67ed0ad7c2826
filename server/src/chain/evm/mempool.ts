import type { SeenTransfer } from '@settlewire/core/observation'
import type { Clock, Log, Stop, WatchSet } from '../../ports.ts'
import type { RpcConnection } from './connection.ts'
import { fieldsOf } from './hex.ts'
import type { Limits } from './limits.ts'
import type { EvmNode } from './node.ts'

/** Decides what a pending transaction would pay, and to whom that matters. */
export interface PendingRules {
  readonly tokens: ReadonlySet<string>
  readonly watch: WatchSet
}

const transfer = '0xa9059cbb'
const transferFrom = '0x23b872dd'
const upperBytes = '0'.repeat(24)

/**
 * What a pending transaction would pay a watched address, by its calldata: a hint, for calldata
 * is not the truth (logs are), and it has not run. Runs for every transaction of the network, so
 * it looks at the cheapest thing first and decodes nothing that is not for us.
 */
export function pendingTransfer(transaction: unknown, rules: PendingRules): SeenTransfer | null {
  const tx = fieldsOf(transaction)
  if (tx === null || typeof tx.to !== 'string' || typeof tx.hash !== 'string') return null
  const to = tx.to.toLowerCase()
  if (rules.tokens.has(to)) return tokenHint(tx, to, rules.watch)
  if (tx.value === '0x0' || !rules.watch.wantsNative || !rules.watch.has(to)) return null
  return hint(tx, { token: null, from: tx.from, to, amount: tx.value })
}

function tokenHint(
  tx: Readonly<Record<string, unknown>>,
  token: string,
  watch: WatchSet,
): SeenTransfer | null {
  const input = tx.input ?? tx.data
  if (typeof input !== 'string') return null
  const taken = input.startsWith(transferFrom)
  if (!taken && !input.startsWith(transfer)) return null
  // Calldata is "0x", four bytes of selector, then words of 64 digits.
  const at = taken ? 74 : 10
  if (input.length < at + 128) return null
  const to = wordAddress(input, at)
  if (to === null || !watch.has(to)) return null
  const from = taken ? wordAddress(input, 10) : tx.from
  return hint(tx, { token, from, to, amount: `0x${input.slice(at + 64, at + 128)}` })
}

/** The address in the word at `at`, or null when the word is none: a contract would refuse it too. */
const wordAddress = (input: string, at: number): string | null =>
  input.startsWith(upperBytes, at) ? `0x${input.slice(at + 24, at + 64).toLowerCase()}` : null

const amountForm = /^0x[0-9a-fA-F]{1,64}$/

function hint(
  tx: Readonly<Record<string, unknown>>,
  move: { token: string | null; from: unknown; to: string; amount: unknown },
): SeenTransfer | null {
  const { from, amount } = move
  if (typeof from !== 'string' || typeof tx.hash !== 'string') return null
  if (typeof amount !== 'string' || !amountForm.test(amount)) return null
  const units = BigInt(amount)
  if (units === 0n) return null
  return {
    txHash: tx.hash.toLowerCase(),
    ordinal: 'hint',
    token: move.token,
    from: from.toLowerCase(),
    to: move.to,
    amount: units,
  }
}

interface Parts extends PendingRules {
  readonly socket: RpcConnection
  readonly node: EvmNode
  readonly clock: Clock
  readonly log: Log
  readonly limits: Limits
  readonly tell: (transfer: SeenTransfer) => void
}

const secondLookMs = 150

/**
 * Listens to one connection's pending transactions, as whole objects where the node sends them and
 * as hashes, looked up, where it does not. Best effort by nature: what is missed here is found in
 * its block. A node without a public mempool is no fault.
 */
export class Mempool {
  readonly #parts: Parts
  readonly #waiting: string[] = []
  #lookingUp = 0
  #left = 0
  #stop: Stop = () => undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Subscribes, anew if it was before. */
  async subscribe(): Promise<void> {
    this.#stop()
    const { socket, log } = this.#parts
    const hear = (pending: unknown): void => this.#hear(pending)
    const stop =
      (await socket.subscribe(['newPendingTransactions', true], hear)) ??
      (await socket.subscribe(['newPendingTransactions'], hear))
    if (stop === null) log.info({}, 'the node shows no pending transactions; blocks will tell')
    this.#stop = stop ?? (() => undefined)
  }

  /** Nodes that ignore the wish for whole objects send hashes: the message decides, not the wish. */
  #hear(pending: unknown): void {
    if (typeof pending === 'string') this.#enqueue(pending)
    else this.#match(pending)
  }

  #match(transaction: unknown): void {
    const found = pendingTransfer(transaction, this.#parts)
    if (found !== null) this.#parts.tell(found)
  }

  #enqueue(txHash: string): void {
    const { limits, log } = this.#parts
    if (this.#lookingUp < limits.lookupsAtOnce) {
      void this.#lookUp(txHash)
      return
    }
    this.#waiting.push(txHash)
    if (this.#waiting.length <= limits.lookupsWaitingMax) return
    // The oldest is the likeliest to be in a block already.
    this.#waiting.shift()
    if (this.#left++ % 10_000 === 0) {
      log.warn({ count: this.#left }, 'more pending hashes than can be looked up; blocks will tell')
    }
  }

  /** Never rejects. */
  async #lookUp(first: string): Promise<void> {
    this.#lookingUp++
    for (let txHash: string | undefined = first; txHash !== undefined; ) {
      try {
        this.#match(await this.#ask(txHash))
      } catch {
        // A look-up is a courtesy; a node in trouble shows elsewhere.
      }
      txHash = this.#parts.socket.open ? this.#waiting.shift() : undefined
    }
    this.#lookingUp--
  }

  /** Some nodes announce a hash a moment before they can show the transaction. */
  async #ask(txHash: string): Promise<unknown> {
    const { node, clock } = this.#parts
    const shown = await node.transaction(txHash)
    if (shown !== null) return shown
    await clock.sleep(secondLookMs)
    return node.transaction(txHash)
  }
}
