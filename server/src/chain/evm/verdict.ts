import { assert } from '@settlewire/core/assert'
import type { SeenTransfer, Slot } from '@settlewire/core/observation'
import type { AppliedBlock, WatchSet } from '../../ports.ts'
import { fieldsOf, isHash, malformed } from './hex.ts'
import { isFor, logIndexOf, type TokenTransfer, tokenTransferAt, txHashOf } from './logs.ts'
import type { Header, Receipt, TopValue } from './node.ts'

/** All that was read of one block, whoever it is for. Receipts are added as they turn out needed. */
export interface BlockContents {
  readonly header: Header
  readonly txHashes: readonly string[]
  readonly transfers: readonly TokenTransfer[]
  /** Null as long as nobody waits for the native coin. */
  values: readonly TopValue[] | null
  /** What contracts paid in the native coin, to addresses that waited for it. */
  inner: readonly SeenTransfer[]
  readonly receipts: Map<string, Receipt>
  /** Null where the node did not show the transaction, or not whole. */
  readonly calls: Map<string, Call | null>
  /** What of it is for us; null before it was searched. */
  found: Found | null
}

/** What a search of a block found. Few are for us, and a block is asked about many times. */
interface Found {
  /** `WatchSet.joined` then: nothing more can be found as long as it stands. */
  readonly joined: number
  readonly transfers: readonly TokenTransfer[]
  readonly tracked: readonly string[]
}

function foundIn(block: BlockContents, watch: WatchSet): Found {
  if (block.found?.joined === watch.joined) return block.found
  const found = {
    joined: watch.joined,
    transfers: block.transfers.filter((transfer) => isFor(watch, transfer)),
    tracked: block.txHashes.filter((txHash) => watch.tracks(txHash)),
  }
  block.found = found
  return found
}

/** What a transaction's calldata asked for, and the slot it took. */
export interface Call {
  readonly hint: SeenTransfer | null
  readonly slot: Slot
}

/** What must still be fetched before a block can be judged. */
interface Missing {
  readonly values: boolean
  readonly receipts: readonly string[]
  /** Transactions that pay us, whose calldata and slot belong to the evidence. */
  readonly calls: readonly string[]
}

/**
 * What the watch set, as it is at this moment, asks of a block that was not fetched yet. Addresses
 * join while blocks are being read, so this is asked again until nothing is missing.
 */
export function missingOf(block: BlockContents, watch: WatchSet): Missing {
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

/** What a complete block did to us. Only a successful receipt moves money. */
export function judge(block: BlockContents, watch: WatchSet): AppliedBlock {
  const inner = innerOf(block, watch).filter(({ to }) => watch.has(to))
  const transfers = [...tokenMoves(block, watch), ...nativeMoves(block, watch), ...inner]
  const paying = new Set(transfers.map((transfer) => transfer.txHash))
  const movedNothing = foundIn(block, watch)
    .tracked.filter((txHash) => watch.tracks(txHash) && !paying.has(txHash))
    .map((txHash) => ({
      txHash,
      reason: receiptOf(block, txHash).succeeded
        ? ('paid_elsewhere' as const)
        : ('reverted' as const),
    }))
  const calls = new Map<string, Call>()
  for (const txHash of paying) {
    const call = block.calls.get(txHash)
    if (call) calls.set(txHash, call)
  }
  return { block: block.header.ref, transfers, movedNothing, calls }
}

function tokenMoves(block: BlockContents, watch: WatchSet): SeenTransfer[] {
  const moves = new Map<number, SeenTransfer>()
  for (const transfer of foundIn(block, watch).transfers) {
    if (!isFor(watch, transfer)) continue
    const receipt = receiptOf(block, txHashOf(transfer))
    const logIndex = logIndexOf(transfer)
    const move = tokenTransferAt(transfer, ordinalOf(receipt, logIndex))
    // By its place, so that a log that was sent twice is one move.
    if (move !== null && receipt.succeeded) moves.set(logIndex, move)
  }
  return [...moves.values()]
}

const nativeMoves = (block: BlockContents, watch: WatchSet): SeenTransfer[] =>
  valuesOf(block, watch)
    .filter(({ to, txHash }) => watch.has(to) && receiptOf(block, txHash).succeeded)
    .map((value) => ({ ...value, ordinal: 'top', token: null }))

const valuesOf = (block: BlockContents, watch: WatchSet) =>
  watch.wantsNative ? (block.values ?? []) : []

const innerOf = (block: BlockContents, watch: WatchSet) => (watch.wantsNative ? block.inner : [])

/**
 * The log's place within its transaction. The block-wide index is another one when the transaction
 * is included again elsewhere; this one is not, so it can name a transfer for ever.
 */
function ordinalOf(receipt: Receipt, logIndex: number): number {
  const ordinal = receipt.logs.findIndex((log) => Number(fieldsOf(log)?.logIndex) === logIndex)
  if (ordinal < 0) throw malformed('receipt: a log of its block is missing in it')
  return ordinal
}

function receiptOf(block: BlockContents, txHash: string): Receipt {
  const receipt = block.receipts.get(txHash)
  assert(receipt !== undefined, 'a block is complete before it is judged')
  return receipt
}
