import { assert } from '@settlewire/core/assert'
import type { Contest, SeenTransfer } from '@settlewire/core/payment/observation'
import type { AppliedBlock, WatchSet } from '../../../ports/chain.ts'
import { isHash } from '../node/hex.ts'
import type { Header, NativeValue, Receipt } from '../node/node.ts'
import { isFor, type TokenTransfer, tokenTransferAt, transferIn, txHashOf } from './logs.ts'

/** Everything read of one block, for every recipient. Receipts are added as they become needed. */
export interface BlockContents {
  readonly header: Header
  readonly txHashes: readonly string[]
  transfers: readonly TokenTransfer[]
  /** Null until they are read: only while a payment accepts the native coin. */
  values: readonly NativeValue[] | null
  /** Native coin paid by contracts to addresses that accept it. */
  inner: readonly SeenTransfer[]
  /** Null where the node does not show the receipt. */
  readonly receipts: Map<string, Receipt | null>
  /** Null where the node did not show the transaction, or only part of it. */
  readonly calls: Map<string, PayingCall | null>
  /** The parts of the block that concern us; null before it was searched. */
  found: BlockSearch | null
}

/** The result of searching a block, cached: little is found, and a block is searched many times. */
interface BlockSearch {
  /** `WatchSet.joined` at the search: while it is unchanged, a new search finds no more. */
  readonly joined: number
  readonly transfers: readonly TokenTransfer[]
  readonly tracked: readonly string[]
}

function foundIn(block: BlockContents, watch: WatchSet): BlockSearch {
  if (block.found?.joined === watch.joined) return block.found
  const found = {
    joined: watch.joined,
    transfers: block.transfers.filter((transfer) => isFor(watch, transfer)),
    tracked: block.txHashes.filter((txHash) => watch.tracks(txHash)),
  }
  block.found = found
  return found
}

/** The transfer that a transaction's calldata requested, and the contest it won. */
export interface PayingCall {
  readonly hint: SeenTransfer | null
  readonly contest: Contest
}

/** What must still be fetched before a block can be judged. */
interface MissingContents {
  readonly values: boolean
  readonly receipts: readonly string[]
  /** Transactions that pay us: their calldata and contest are part of the evidence. */
  readonly calls: readonly string[]
}

/**
 * What the current watch set needs of a block that was not fetched yet. Addresses join while blocks
 * are being read, so callers repeat this until nothing is missing.
 */
export function missingOf(block: BlockContents, watch: WatchSet): MissingContents {
  const values = watch.wantsNative && block.values === null
  const { transfers, tracked } = foundIn(block, watch)
  const paying = new Set(transfers.filter((transfer) => isFor(watch, transfer)).map(txHashOf))
  for (const { to, txHash } of valuesOf(block, watch)) if (watch.has(to)) paying.add(txHash)
  for (const { to, txHash } of innerOf(block, watch)) {
    if (watch.has(to) && isHash(txHash)) paying.add(txHash)
  }
  const needed = new Set([...paying, ...tracked.filter((txHash) => watch.tracks(txHash))])
  return {
    values,
    receipts: [...needed].filter((txHash) => !block.receipts.has(txHash)),
    calls: [...paying].filter((txHash) => !block.calls.has(txHash)),
  }
}

export const isComplete = (block: BlockContents, watch: WatchSet): boolean => {
  const { values, receipts, calls } = missingOf(block, watch)
  return !values && receipts.length === 0 && calls.length === 0
}

/**
 * What a complete block means for our payments. Tokens and a transaction's own value count only
 * with a successful receipt; `doubtful` lists the transactions that the block cannot decide.
 */
export function judge(block: BlockContents, watch: WatchSet): AppliedBlock {
  const inner = innerOf(block, watch).filter(({ to }) => watch.has(to))
  const transfers = [...tokenMoves(block, watch), ...nativeMoves(block, watch), ...inner]
  const paying = new Set(transfers.map((transfer) => transfer.txHash))
  const { tracked } = foundIn(block, watch)
  const doubts = tracked.length === 0 ? noDoubts : doubtful(block, watch)
  const movedNothing = tracked
    .filter((txHash) => watch.tracks(txHash) && !paying.has(txHash))
    .flatMap((txHash) => {
      const receipt = receiptOf(block, txHash)
      if (receipt === null || doubts.has(txHash)) return []
      return { txHash, reason: receipt.succeeded ? paidElsewhere : reverted }
    })
  const calls = new Map<string, PayingCall>()
  for (const txHash of paying) {
    const call = block.calls.get(txHash)
    if (call) calls.set(txHash, call)
  }
  return { block: block.header.ref, transfers, movedNothing, calls }
}

const paidElsewhere = 'paid_elsewhere' as const
const reverted = 'reverted' as const

/**
 * The block's logs show which transactions pay us; what each moved is read from its own receipt,
 * and the index of a log there identifies it permanently. A node's block-wide `logIndex` is no
 * identity: it may restart with each transaction, repeat, or differ between two answers.
 */
function tokenMoves(block: BlockContents, watch: WatchSet): SeenTransfer[] {
  return [...payingLogs(block, watch)].flatMap(([txHash, shown]) => {
    const receipt = receiptOf(block, txHash)
    if (!receipt?.succeeded) return []
    return movesIn(receipt, new Set(shown.map(({ token }) => token)), watch)
  })
}

/**
 * Adds transfers to us that are in the receipts of these transactions but missing from the block's
 * logs: a node may have left them out of its list, and the receipt of a transaction is more
 * reliable.
 */
export function addFromReceipts(
  block: BlockContents,
  txHashes: readonly string[],
  { tokens, watch }: { readonly tokens: ReadonlySet<string>; readonly watch: WatchSet },
): void {
  const shown = payingLogs(block, watch)
  const added = txHashes.flatMap((txHash) => {
    const receipt = shown.has(txHash) ? null : receiptOf(block, txHash)
    return receipt?.succeeded ? transfersIn(receipt, tokens, watch).map(([one]) => one) : []
  })
  if (added.length === 0) return
  block.transfers = [...block.transfers, ...added]
  block.found = null
}

/** The transfers to us in a receipt, in these tokens. */
export const movesIn = (
  receipt: Receipt,
  tokens: ReadonlySet<string>,
  watch: WatchSet,
): SeenTransfer[] =>
  transfersIn(receipt, tokens, watch).flatMap(([one, part]) => tokenTransferAt(one, part) ?? [])

/** The logs of a receipt that pay us, each with its index. */
const transfersIn = (
  { logs, txHash }: Receipt,
  tokens: ReadonlySet<string>,
  watch: WatchSet,
): (readonly [transfer: TokenTransfer, part: number])[] =>
  logs.flatMap((log, part) => {
    const transfer = transferIn(log, tokens)
    if (transfer === null || !isFor(watch, transfer)) return []
    return [[{ ...transfer, log: { ...transfer.log, transactionHash: txHash } }, part] as const]
  })

/** The logs that pay us, by transaction. */
function payingLogs(block: BlockContents, watch: WatchSet): Map<string, TokenTransfer[]> {
  const byHash = new Map<string, TokenTransfer[]>()
  for (const transfer of foundIn(block, watch).transfers) {
    if (!isFor(watch, transfer)) continue
    const txHash = txHashOf(transfer)
    const known = byHash.get(txHash)
    if (known === undefined) byHash.set(txHash, [transfer])
    else known.push(transfer)
  }
  return byHash
}

/**
 * Transactions that may concern us and are incomplete at the node: no receipt, or one that lacks a
 * transfer which the block's logs show. The value is that transfer, or null.
 */
export function doubtful(
  block: BlockContents,
  watch: WatchSet,
): ReadonlyMap<string, SeenTransfer | null> {
  // No receipt was asked for, so none can be missing.
  if (block.receipts.size === 0) return noDoubts
  const doubts = new Map<string, SeenTransfer | null>()
  for (const [txHash, receipt] of block.receipts) if (receipt === null) doubts.set(txHash, null)
  for (const [txHash, shown] of payingLogs(block, watch)) {
    const receipt = block.receipts.get(txHash)
    if (receipt === undefined || receipt?.succeeded === false) continue
    const tokens = new Set(shown.map(({ token }) => token))
    const moves = receipt === null ? [] : movesIn(receipt, tokens, watch)
    const hints = shown.map((transfer) => tokenTransferAt(transfer, 'hint'))
    const lost = hints.find((hint) => hint !== null && !moves.some((move) => isSame(move, hint)))
    if (lost !== undefined) doubts.set(txHash, lost)
  }
  return doubts
}

const noDoubts: ReadonlyMap<string, SeenTransfer | null> = new Map()

/** Whether two transfers are the same money, wherever each was read. */
export const isSame = (a: SeenTransfer, b: SeenTransfer): boolean =>
  a.txHash === b.txHash &&
  a.token === b.token &&
  a.from === b.from &&
  a.to === b.to &&
  a.amount === b.amount

const nativeMoves = (block: BlockContents, watch: WatchSet): SeenTransfer[] =>
  valuesOf(block, watch)
    .filter(({ to, txHash }) => watch.has(to) && receiptOf(block, txHash)?.succeeded)
    .map((value) => ({ ...value, part: 'top', token: null }))

const valuesOf = (block: BlockContents, watch: WatchSet) =>
  watch.wantsNative ? (block.values ?? []) : []

const innerOf = (block: BlockContents, watch: WatchSet) => (watch.wantsNative ? block.inner : [])

function receiptOf(block: BlockContents, txHash: string): Receipt | null {
  const receipt = block.receipts.get(txHash)
  assert(receipt !== undefined, 'a block is complete before it is judged')
  return receipt
}
