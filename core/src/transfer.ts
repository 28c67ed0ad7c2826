import { rescale } from './amount.ts'
import type { SeenTransfer } from './observation.ts'
import type {
  Acceptance,
  Facts,
  Inclusion,
  Stage,
  Terms,
  Transaction,
  Transfer,
} from './payment.ts'
import {
  type ChainHead,
  type ChainPolicy,
  confirmationsOf,
  type Policy,
  reached,
} from './policy.ts'

/** Stages that are money in a canonical block. */
export const isIncluded = (stage: Stage): boolean =>
  stage === 'included' || stage === 'safe' || stage === 'final'

/** Every movement of money known of a payment, oldest sighting first. */
export function transfersOf(
  { terms, facts }: { terms: Terms; facts: Facts },
  policy: Policy,
): readonly Transfer[] {
  return facts.transactions
    .flatMap((transaction) =>
      transfersIn(transaction, terms, {
        head: facts.heads[transaction.chain] ?? null,
        policy: policy.chains[transaction.chain] ?? null,
      }),
    )
    .sort((a, b) => a.seenAt - b.seenAt)
}

/** The one inclusion that is believed: of those called canonical, the one seen last. */
export const canonicalInclusion = (transaction: Transaction): Inclusion | null =>
  latest(transaction, (inclusion) => inclusion.canonical)

/** By view; one step never names two blocks, and should it, the order of arrival still decides nothing. */
function latest(
  { inclusions }: Transaction,
  picks: (inclusion: Inclusion) => boolean,
): Inclusion | null {
  const byView = Object.entries(inclusions)
    .filter(([, inclusion]) => picks(inclusion))
    .sort(([aHash, a], [bHash, b]) => b.view - a.view || (aHash < bHash ? -1 : 1))
  return byView[0]?.[1] ?? null
}

interface ChainView {
  readonly head: ChainHead | null
  readonly policy: ChainPolicy | null
}

function transfersIn(transaction: Transaction, terms: Terms, chain: ChainView): Transfer[] {
  const inclusion = canonicalInclusion(transaction)
  const make = (seen: SeenTransfer, stage: Stage) =>
    transferOf({ transaction, inclusion, seen, stage }, terms, chain)

  if (inclusion?.outcome === 'paid') {
    return inclusion.transfers.map((seen) => make(seen, 'included'))
  }
  if (inclusion !== null) {
    const stage = inclusion.outcome === 'reverted' ? 'reverted' : 'ignored'
    return transaction.hint === null ? [] : [make(transaction.hint, stage)]
  }
  const seen = transaction.hint === null ? lastPaid(transaction) : [transaction.hint]
  const stage = transaction.mempool?.known ? 'mempool' : 'reorged'
  return seen.map((transfer) => make(transfer, stage))
}

/** What an orphaned block said of it: the best guess at what the transaction would do again. */
const lastPaid = (transaction: Transaction): readonly SeenTransfer[] =>
  latest(transaction, (inclusion) => inclusion.outcome === 'paid')?.transfers ?? []

interface Sighting {
  readonly transaction: Transaction
  readonly inclusion: Inclusion | null
  readonly seen: SeenTransfer
  readonly stage: Stage
}

function transferOf(sighting: Sighting, terms: Terms, chain: ChainView): Transfer {
  const { transaction, inclusion, seen } = sighting
  const accept = acceptanceOf(terms, transaction.chain, seen)
  const counts = accept !== null && seen.amount > 0n
  const block = inclusion?.block ?? null
  const included = counts && sighting.stage === 'included' && block !== null
  // A head read before the block joined belongs to another branch and says nothing of its depth.
  const known = chain.head !== null && chain.head.view >= (inclusion?.view ?? 0) ? chain.head : null
  // A block that holds it is itself the first confirmation, whatever head was last reported.
  const head = block === null ? 0 : Math.max(known?.head ?? 0, block.number)
  const view = known === null ? null : { ...known, head }
  const level = chain.policy?.settled ?? null
  return {
    chain: transaction.chain,
    txHash: transaction.txHash,
    ordinal: seen.ordinal,
    accept,
    from: seen.from,
    token: seen.token,
    units: seen.amount,
    ignored: null,
    amount: accept === null ? 0n : rescale(seen.amount, accept.decimals, terms.decimals),
    stage: included
      ? depthOf(block.number, view, chain.policy)
      : counts
        ? sighting.stage
        : 'ignored',
    block,
    confirmations: included ? confirmationsOf(block.number, head) : 0,
    requiredConfirmations: typeof level === 'number' ? level : null,
    settled: included && isSettled(block.number, head, { head: known, policy: chain.policy }),
    seenAt: transaction.seenAt,
    sources: inclusion?.sources ?? [],
  }
}

function isSettled(block: number, head: number, { head: known, policy }: ChainView): boolean {
  if (policy === null) return false
  return reached(policy.settled, block, {
    view: known?.view ?? 0,
    head,
    safe: known?.safe ?? null,
    finalized: known?.finalized ?? null,
  })
}

function depthOf(block: number, head: ChainHead | null, policy: ChainPolicy | null): Stage {
  if (head === null || policy === null) return 'included'
  if (reached(policy.final, block, head)) return 'final'
  return reached('safe', block, head) ? 'safe' : 'included'
}

/** Matched by chain, contract and address only: a symbol proves nothing. */
function acceptanceOf(terms: Terms, chain: string, seen: SeenTransfer): Acceptance | null {
  return (
    terms.accept.find(
      (accept) =>
        accept.chain === chain && accept.token === seen.token && accept.address === seen.to,
    ) ?? null
  )
}
