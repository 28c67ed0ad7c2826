import type {
  Denied,
  Included,
  MovedNothing,
  Observation,
  SeenTransfer,
  Source,
} from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import type { AppliedBlock, ChainStep } from '../../ports/chain.ts'
import type { WatchedChain } from './watched-chain.ts'

/** The effects of a step on payments. */
export interface StepPlan {
  /** Payments with a transaction in its blocks, or in blocks that left the chain. */
  readonly touched: readonly string[]
  /** Other payments for which the growth of the chain changes something. */
  readonly moved: readonly string[]
  /** In order: what was undone, what the blocks hold, the new head. */
  observationsOf(payment: Payment): readonly Observation[]
  /** Those observations that are partial reports about earlier blocks. */
  readonly late: ReadonlySet<Observation>
}

/** `orphaned` are the payments with a transaction in one of the reverted blocks. */
export function planStep(
  chain: string,
  step: ChainStep,
  known: { readonly watched: WatchedChain; readonly orphaned: readonly string[] },
): StepPlan {
  const seen = { source: step.source, at: step.at, chain, view: step.head.view }
  const { view: _, ...grownTo } = step.head
  // One shared object for all payments, so that the store encodes it once.
  const grown: Observation = { ...seen, kind: 'head', ...grownTo }
  const ofBlocks = new Map<string, Observation[]>()
  const late = new Set<Observation>()
  const isLate = new Set(step.late)
  for (const applied of [...isLate, ...step.applied]) {
    for (const [paymentId, fact] of factsIn(applied, step.source, known.watched)) {
      const observation: Observation = { ...seen, ...fact }
      const facts = ofBlocks.get(paymentId)
      if (facts === undefined) ofBlocks.set(paymentId, [observation])
      else facts.push(observation)
      if (isLate.has(applied)) late.add(observation)
    }
  }
  const touched = new Set([...known.orphaned, ...ofBlocks.keys()])
  return {
    touched: [...touched],
    moved: movedBy(step, known.watched).filter((id) => !touched.has(id)),
    late,
    observationsOf: (payment) => [
      ...undone(payment, chain, step).map(
        ({ txHash, blockHash }): Observation => ({
          ...seen,
          kind: 'reorged',
          txHash,
          blockHash,
          inMempool: step.pendingAgain.has(txHash),
        }),
      ),
      ...(ofBlocks.get(payment.id) ?? []),
      grown,
    ],
  }
}

/**
 * After an unfinished step it is unknown which payments saw which head, so all unsettled ones move.
 */
const movedBy = ({ unfinished, head }: ChainStep, watched: WatchedChain): readonly string[] =>
  unfinished === undefined ? watched.movedBy(head) : watched.unsettled()

/** The payment's transactions in the blocks that left the chain, newest block first. */
function undone(
  { facts }: Payment,
  chain: string,
  { reverted }: ChainStep,
): readonly { txHash: string; blockHash: string }[] {
  if (reverted.length === 0) return []
  const gone = new Map(reverted.map(({ hash }, place) => [hash, place] as const))
  const placeOf = (hash: string): number => gone.get(hash) ?? 0
  return facts.transactions
    .filter((transaction) => transaction.chain === chain)
    .flatMap(({ txHash, inclusions }) =>
      Object.entries(inclusions)
        .filter(([hash, { canonical }]) => canonical && gone.has(hash))
        .map(([blockHash]) => ({ txHash, blockHash })),
    )
    .sort((a, b) => placeOf(a.blockHash) - placeOf(b.blockHash))
}

type Fact =
  | Omit<Included, 'at' | 'chain' | 'view'>
  | Omit<MovedNothing, 'source' | 'at' | 'chain' | 'view'>
  | Omit<Denied, 'at' | 'chain' | 'view'>

/** What one block holds, by payment. All transfers of a transaction to one payment are one fact. */
function factsIn(
  applied: AppliedBlock,
  source: Source,
  watched: WatchedChain,
): readonly (readonly [string, Fact])[] {
  const facts: (readonly [string, Fact])[] = []
  const { block, deniedBy } = applied
  const paid = new Map<string, Map<string, SeenTransfer[]>>()
  for (const transfer of applied.transfers) {
    const paymentId = watched.payee(transfer.to)
    const payees = paid.get(transfer.txHash) ?? new Map<string, SeenTransfer[]>()
    paid.set(transfer.txHash, payees)
    // Any contract can log a transfer of 0 to any address; and a released address has no payment.
    if (paymentId === null || transfer.amount === 0n) continue
    const known = payees.get(paymentId)
    if (known === undefined) payees.set(paymentId, [transfer])
    else known.push(transfer)
  }
  for (const [txHash, payees] of paid) {
    for (const [paymentId, transfers] of payees) {
      // The first provider that showed it, which may differ from the one that the step was read
      // from.
      const shownBy = applied.sources?.get(txHash)?.[0] ?? source
      const mine = (to: string): boolean => watched.payee(to) === paymentId
      const more = moreOf(applied, { txHash, source: shownBy, mine })
      // Denials go before the inclusion, so that a denied inclusion never counts for a moment.
      for (const denier of deniedBy?.get(txHash) ?? []) {
        const blockHash = block.hash
        facts.push([paymentId, { kind: 'denied', source: denier, txHash, blockHash }])
      }
      facts.push([
        paymentId,
        { kind: 'included', source: shownBy, txHash, block, transfers, ...more },
      ])
    }
    // It paid some of our payments, but not all that its calldata had named.
    for (const paymentId of watched.trackers(txHash)) {
      if (payees.has(paymentId)) continue
      facts.push([paymentId, { kind: 'moved_nothing', txHash, block, reason: 'paid_elsewhere' }])
    }
  }
  for (const { txHash, reason } of applied.movedNothing) {
    if (paid.has(txHash)) continue
    for (const paymentId of watched.trackers(txHash)) {
      facts.push([paymentId, { kind: 'moved_nothing', txHash, block, reason }])
    }
  }
  return facts
}

/** Details of an inclusion beside its logs; empty where nothing is known. */
function moreOf(
  { sources, calls }: AppliedBlock,
  of: { txHash: string; source: Source; mine: (address: string) => boolean },
): Pick<Included, 'alsoSeenBy' | 'hint' | 'contest'> {
  const others = (sources?.get(of.txHash) ?? []).filter((source) => source !== of.source)
  const call = calls?.get(of.txHash)
  const hint = call?.hint ?? null
  return {
    ...(others.length > 0 && { alsoSeenBy: others }),
    ...(hint !== null && of.mine(hint.to) && { hint }),
    ...(call !== undefined && { contest: call.contest }),
  }
}
