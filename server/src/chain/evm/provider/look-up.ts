import type { LookUp } from '../../../ports/chain.ts'
import { hintOf, type PendingRules } from '../block/calldata.ts'
import { movesIn } from '../block/verdict.ts'
import { sightingOf } from '../mempool/sighting.ts'
import { fieldsOf, toCount } from '../node/hex.ts'
import type { Provider } from './provider.ts'

/** The answer of one provider; null when it cannot be asked, or lacks the block of its receipt. */
type ProviderLookUp = Exclude<LookUp, { kind: 'unsure' }> | null

/**
 * Asks every configured provider for a transaction. A block outweighs a pool, and one provider that
 * knows the transaction outweighs all that do not. It counts as unknown only when every provider
 * has answered. Never rejects.
 */
export async function lookUp(
  providers: readonly Provider[],
  txHash: string,
  rules: PendingRules,
): Promise<LookUp> {
  const answers = await Promise.all(
    providers.map((provider) => ask(provider, txHash, rules).catch(() => null)),
  )
  const inBlocks = answers.filter((one) => one?.kind === 'mined')
  // If only some providers show a receipt that pays us, the others may lag or leave logs out.
  const mined = inBlocks.find(({ pays }) => pays === true) ?? inBlocks[0]
  const pending = answers.filter((one) => one?.kind === 'pending')
  const known = mined ?? pending.find(({ sighting }) => sighting !== null) ?? pending[0]
  if (known !== undefined && known !== null) return known
  return answers.every((one) => one !== null) ? { kind: 'not_found' } : { kind: 'unsure' }
}

async function ask(
  provider: Provider,
  txHash: string,
  rules: PendingRules,
): Promise<ProviderLookUp> {
  const { source, visit } = provider
  if (visit === null) return null
  const { node } = visit
  const [shown, receipt] = await Promise.all([node.transaction(txHash), node.receipt(txHash)])
  const transaction = fieldsOf(shown)
  if (transaction === null && receipt === null) return { kind: 'not_found' }
  if (receipt !== null) {
    const { blockHash, succeeded } = receipt
    const block = await node.byHash(blockHash, false)
    if (block === null) return null
    const moves = succeeded ? movesIn(receipt, rules.tokens, rules.watch) : []
    const coins = succeeded ? coinPaidBy(transaction, rules) : []
    const paid = [...new Set([...moves.map(({ to }) => to), ...coins])]
    const where = { source, blockNumber: block.ref.number, blockHash }
    return { kind: 'mined', ...where, succeeded, pays: paid.length > 0, paid }
  }
  const number = transaction?.blockNumber ?? null
  if (number !== null) {
    return { kind: 'mined', source, blockNumber: toCount(number, 'block number of a transaction') }
  }
  return { kind: 'pending', source, sighting: sightingOf(transaction, rules) }
}

/**
 * The address that a transaction itself pays in the native coin; what contracts pay is not known.
 */
function coinPaidBy(transaction: unknown, rules: PendingRules): readonly string[] {
  const transfer = hintOf(transaction, rules)
  return transfer?.token === null ? [transfer.to] : []
}
