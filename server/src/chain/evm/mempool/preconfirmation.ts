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
 * documentation, one item per message:
 * https://docs.base.org/base-chain/api-reference/flashblocks-api/pendingLogs (a filter like that of
 * `eth_getLogs`, and a log) and …/newFlashblockTransactions (`true` asks for transactions like
 * those of `eth_getTransactionByHash` with their `logs`, and since version 0.8 with the receipt's
 * `status`).
 */
export type Preconfirmations = 'none' | 'pending_logs' | 'flashblocks'

interface PreconfirmationParts extends PendingRules {
  readonly socket: RpcConnection
  readonly preconfirmations: Preconfirmations
  readonly tell: (sighting: Sighting) => void
}

/** Null when the node does not support it, or when none was requested. */
export async function hearPreconfirmations(parts: PreconfirmationParts): Promise<Stop | null> {
  const { socket, tokens, preconfirmations, tell } = parts
  if (preconfirmations === 'none') return null
  if (preconfirmations === 'flashblocks') {
    return socket.subscribe(['newFlashblockTransactions', true], (transaction) => {
      for (const sighting of promisedBy(transaction, parts)) tell(sighting)
    })
  }
  const filter = { address: [...tokens], topics: [transferTopic] }
  return socket.subscribe(['pendingLogs', filter], (log) => {
    const transfer = promisedTransfer(log, parts)
    if (transfer !== null) tell({ ...promised, txHash: transfer.txHash, transfer, contest: null })
  })
}

const promised = { preconfirmed: true } as const

/**
 * One sighting per asset and recipient: a hint has no index of its own, so equal ones are added up.
 */
function promisedBy(transaction: unknown, rules: PendingRules): Sighting[] {
  const tx = fieldsOf(transaction)
  if (tx === null || tx.status === '0x0') return []
  const found = new Map<string, SeenTransfer>()
  for (const log of Array.isArray(tx.logs) ? tx.logs : []) {
    const transfer = promisedTransfer(log, rules)
    if (transfer === null) continue
    const key = `${transfer.token} ${transfer.to}`
    const before = found.get(key)?.amount ?? 0n
    found.set(key, { ...transfer, amount: before + transfer.amount })
  }
  const contest = contestOf(tx)
  const byLogs = [...found.values()].map((transfer) => ({
    ...promised,
    txHash: transfer.txHash,
    transfer,
    contest,
  }))
  // Its logs decide; the transaction itself is read only for native coin, which leaves no log.
  const other = byLogs.length === 0 ? sightingOf(tx, { ...rules, tokens: none }, true) : null
  return other === null ? byLogs : [other]
}

const none: ReadonlySet<string> = new Set()

/** Still a hint: the block may hold it at another index, or not at all. */
function promisedTransfer(log: unknown, { tokens, watch }: PendingRules): SeenTransfer | null {
  const transfer = transferIn(log, tokens)
  if (transfer === null || transfer.log.removed === true || !isFor(watch, transfer)) return null
  // No caller would catch an error thrown in this listener.
  if (!isHash(transfer.log.transactionHash)) return null
  return tokenTransferAt(transfer, 'hint')
}
