import type { SeenTransfer } from '@settlewire/core/payment/observation'
import type { Sighting } from '../../../ports/chain.ts'
import type { Stop } from '../../../ports/stop.ts'
import { contestOf, type PendingRules } from '../block/calldata.ts'
import { isFor, tokenTransferAt, transferIn, transferTopic } from '../block/logs.ts'
import type { RpcConnection } from '../node/connection.ts'
import { fieldsOf, isHash } from '../node/hex.ts'
import { sightingOf } from './sighting.ts'

/**
 * Preconfirmations of a sequencer, which come a fifth of a second after it took a transaction and
 * long before the block. `pending_logs` is little data and shows tokens; `flashblocks` is every
 * transaction of the chain and shows the native coin too. The formats are those of Base's
 * documentation:
 * https://docs.base.org/base-chain/api-reference/flashblocks-api/pendingLogs and
 * …/newFlashblockTransactions. `pendingLogs` takes a filter like that of `eth_getLogs` and sends
 * one log per message. `newFlashblockTransactions` with `true` sends whole transactions, one per
 * message, like those of `eth_getTransactionByHash` with their `logs`, and since version 0.8 with
 * the receipt's `status`.
 */
export type Preconfirmations = 'none' | 'pending_logs' | 'flashblocks'

interface PreconfirmationParts extends PendingRules {
  readonly socket: RpcConnection
  readonly preconfirmations: Preconfirmations
  readonly report: (sighting: Sighting) => void
}

/** Null when the node does not support it, or when none was requested. */
export async function subscribePreconfirmations(parts: PreconfirmationParts): Promise<Stop | null> {
  const { socket, tokens, preconfirmations, report } = parts
  if (preconfirmations === 'none') return null
  if (preconfirmations === 'flashblocks') {
    return socket.subscribe(['newFlashblockTransactions', true], (transaction) => {
      for (const sighting of sightingsIn(transaction, parts)) report(sighting)
    })
  }
  const filter = { address: [...tokens], topics: [transferTopic] }
  return socket.subscribe(['pendingLogs', filter], (log) => {
    const transfer = preconfirmedTransfer(log, parts)
    if (transfer !== null)
      report({ ...preconfirmed, txHash: transfer.txHash, transfer, contest: null })
  })
}

const preconfirmed = { preconfirmed: true } as const

/**
 * One sighting per token and recipient: before the block, transfers have no final log index to tell
 * them apart, so their amounts are added.
 */
function sightingsIn(transaction: unknown, rules: PendingRules): Sighting[] {
  const tx = fieldsOf(transaction)
  if (tx === null || tx.status === '0x0') return []
  const found = new Map<string, SeenTransfer>()
  for (const log of Array.isArray(tx.logs) ? tx.logs : []) {
    const transfer = preconfirmedTransfer(log, rules)
    if (transfer === null) continue
    const key = `${transfer.token} ${transfer.to}`
    const before = found.get(key)?.amount ?? 0n
    found.set(key, { ...transfer, amount: before + transfer.amount })
  }
  const contest = contestOf(tx)
  const byLogs = [...found.values()].map((transfer) => ({
    ...preconfirmed,
    txHash: transfer.txHash,
    transfer,
    contest,
  }))
  // Only if no log pays a watched address: then the transaction may still pay native coin, or
  // compete for a watched sender's nonce.
  const other = byLogs.length === 0 ? sightingOf(tx, { ...rules, tokens: none }, true) : null
  return other === null ? byLogs : [other]
}

const none: ReadonlySet<string> = new Set()

/** Still a hint: the block may hold it at another index, or not at all. */
function preconfirmedTransfer(log: unknown, { tokens, watch }: PendingRules): SeenTransfer | null {
  const transfer = transferIn(log, tokens)
  if (transfer === null || transfer.log.removed === true || !isFor(watch, transfer)) return null
  // `tokenTransferAt` throws on an invalid hash, and nothing would catch that in this listener.
  if (!isHash(transfer.log.transactionHash)) return null
  return tokenTransferAt(transfer, 'hint')
}
