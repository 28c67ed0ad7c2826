import type { Sighting } from '../../../ports/chain.ts'
import { contestOf, hintOf, nonceOf, type PendingRules } from '../block/calldata.ts'
import { contestKey } from '../block/contest-key.ts'
import { fieldsOf, isHash } from '../node/hex.ts'

/**
 * What a pending transaction means to us: a payment, a rival that contends with one, or nothing. An
 * unrelated transaction costs two look-ups.
 */
export function sightingOf(
  transaction: unknown,
  rules: PendingRules,
  preconfirmed = false,
): Sighting | null {
  const transfer = hintOf(transaction, rules)
  if (transfer === null) return rivalOf(transaction, rules, preconfirmed)
  return { txHash: transfer.txHash, transfer, contest: contestOf(transaction), preconfirmed }
}

/** A tracked transaction is not a rival, even if its calldata does not show how it pays. */
function rivalOf(
  transaction: unknown,
  { watch }: PendingRules,
  preconfirmed: boolean,
): Sighting | null {
  const tx = fieldsOf(transaction)
  if (tx === null || typeof tx.from !== 'string' || typeof tx.hash !== 'string') return null
  const nonce = nonceOf(tx.nonce)
  if (nonce === null || !watch.hasRival(contestKey(tx.from.toLowerCase(), nonce))) return null
  const txHash = tx.hash.toLowerCase()
  const contest = contestOf(tx)
  if (contest === null || !isHash(txHash) || watch.tracks(txHash)) return null
  return { txHash, transfer: null, contest, preconfirmed }
}
