import { rescale } from '../money/amount.ts'
import { replacedIn } from './contest.ts'
import type { SeenTransfer } from './observation.ts'
import type {
  Acceptance,
  Facts,
  IgnoreReason,
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
  type Level,
  type Policy,
  reached,
  requiredFor,
} from './policy.ts'
import { resolutionsInForce } from './resolution.ts'
import type { Status } from './status-model.ts'
import {
  canonicalInclusion,
  deniedInclusion,
  isDropped,
  isPending,
  paidInclusion,
  transactionName,
  wordsOn,
} from './transaction.ts'

export { canonicalInclusion } from './transaction.ts'

/** Stages that mean money in a canonical block. */
export const isIncluded = (stage: Stage): boolean =>
  stage === 'included' || stage === 'safe' || stage === 'final'

/** Stages of money that is still expected. */
export const isExpected = (stage: Stage): boolean => stage === 'mempool' || stage === 'preconfirmed'

/**
 * The part of a payment that its transfers depend on. The status says whether success still stands.
 */
export interface PaymentFacts {
  readonly terms: Terms
  readonly facts: Facts
  readonly status?: Status
}

/** Every movement of money known of a payment, oldest sighting first. */
export function transfersOf(payment: PaymentFacts, policy: Policy): readonly Transfer[] {
  const { terms, facts } = payment
  const lost = replacedIn(facts.transactions)
  const { setAside } = resolutionsInForce(facts)
  const levels = new Map<Acceptance | null, Level>()
  return facts.transactions
    .flatMap((transaction) => {
      const chain = {
        head: facts.heads[transaction.chain] ?? null,
        policy: policy.chains[transaction.chain] ?? null,
      }
      const fate = {
        isReplaced: lost.has(transaction),
        isSetAside: setAside.has(transactionName(transaction)),
      }
      const context = { terms, levels, hasSucceeded: payment.status === 'succeeded' }
      return transfersIn({ transaction, ...fate }, chain, context)
    })
    .sort((a, b) => a.seenAt - b.seenAt)
}

/**
 * Whether the payer's claim is all that is known: the search continues or was given up. No node
 * ever showed the transaction, so it has neither an asset nor money that could be lost.
 */
export const isMereClaim = ({ stage, part, from }: Transfer): boolean =>
  stage === 'claimed' || (stage === 'dropped' && part === 'hint' && from === '')

interface ChainView {
  readonly head: ChainHead | null
  readonly policy: ChainPolicy | null
}

interface Fate {
  readonly transaction: Transaction
  readonly isReplaced: boolean
  readonly isSetAside: boolean
}

interface TransferContext {
  readonly terms: Terms
  /** The level that each way to pay requires, read from the policy once. */
  readonly levels: Map<Acceptance | null, Level>
  /** Whether success was emitted and stands: a denial or a missing quorum no longer delays it. */
  readonly hasSucceeded: boolean
}

function transfersIn(fate: Fate, chain: ChainView, context: TransferContext): Transfer[] {
  const { transaction } = fate
  const believed = fate.isReplaced ? null : canonicalInclusion(transaction)
  const stage = fate.isReplaced ? 'replaced' : stageOf(transaction, believed)
  const inclusion = stage === 'denied' ? deniedInclusion(transaction) : believed
  const isInBlock = stage === 'included' || stage === 'denied'
  const seen = isInBlock ? (inclusion?.transfers ?? []) : expectedOf(transaction)
  return seen.map((one) => transferOf({ ...fate, inclusion, seen: one, stage }, chain, context))
}

/** How far a transaction has come, before `ignoredFor` decides whether its money counts. */
function stageOf(transaction: Transaction, inclusion: Inclusion | null): Stage {
  if (inclusion !== null) return stageByOutcome[inclusion.outcome]
  if (isPending(transaction)) {
    const wasMined = Object.keys(transaction.inclusions).length > 0
    return transaction.preconfirmed === true && !wasMined ? 'preconfirmed' : 'mempool'
  }
  if (deniedInclusion(transaction) !== null) return 'denied'
  if (isDropped(transaction)) return 'dropped'
  return transaction.mempool === null && Object.keys(transaction.inclusions).length === 0
    ? 'claimed'
    : 'reorged'
}

/** `ignoredFor` refines `ignored`. A canonical block with an unknown outcome does not occur. */
const stageByOutcome: Readonly<Record<Inclusion['outcome'], Stage>> = {
  paid: 'included',
  reverted: 'reverted',
  paid_elsewhere: 'ignored',
  replaced: 'replaced',
  unknown: 'reorged',
}

/**
 * What a transaction outside of a block would move: what its calldata asks for, else what a block
 * showed that no longer counts. For a claim that no node has shown: an empty movement.
 */
function expectedOf(transaction: Transaction): readonly SeenTransfer[] {
  const { hint, txHash, claimed } = transaction
  if (hint !== null) return [hint]
  const paid = paidInclusion(transaction)
  if (paid !== null) return paid.transfers
  const nothing = { token: null, from: '', to: '', amount: 0n }
  return claimed === true ? [{ txHash, part: 'hint', ...nothing }] : []
}

interface TransferSighting extends Fate {
  readonly inclusion: Inclusion | null
  readonly seen: SeenTransfer
  readonly stage: Stage
}

function transferOf(
  sighting: TransferSighting,
  chain: ChainView,
  { terms, levels, hasSucceeded }: TransferContext,
) {
  const { transaction, inclusion, seen } = sighting
  const accept = acceptanceOf(terms, transaction.chain, seen)
  const ignored = ignoredFor(sighting, terms, accept)
  const block = inclusion?.block ?? null
  const isCounted = sighting.stage === 'included' && ignored === null && block !== null
  // A head from before the block was read may be of another branch and says nothing about its
  // depth.
  const known = chain.head !== null && chain.head.view >= (inclusion?.view ?? 0) ? chain.head : null
  // The block that holds it is itself the first confirmation, whatever head was reported last.
  const head = block === null ? 0 : Math.max(known?.head ?? 0, block.number)
  const view = known === null ? null : { ...known, head }
  const level = levelOf(chain.policy, accept, { terms, levels })
  const depth = view ?? { view: 0, head, safe: null, finalized: null }
  // A final block is deep enough, however many blocks were read on top of it so far.
  const enough = level === null || chain.policy === null ? [] : [level, chain.policy.final]
  const isDeep = isCounted && enough.some((one) => reached(one, block.number, depth))
  const reports = block === null ? noReports : wordsOn(transaction, block.hash)
  const isDisputed = isContradicted(reports, chain.policy?.quorum ?? 1)
  const isHeld = !hasSucceeded && isDisputed
  const transfer: Transfer = {
    chain: transaction.chain,
    txHash: transaction.txHash,
    part: seen.part,
    accept,
    from: seen.from,
    to: seen.to,
    token: seen.token,
    units: seen.amount,
    amount: accept === null ? 0n : rescale(seen.amount, accept.decimals, terms.decimals),
    stage:
      ignored === null
        ? isCounted
          ? depthOf(block.number, isDisputed ? null : view, chain.policy)
          : sighting.stage
        : 'ignored',
    ignored,
    block,
    confirmations: isCounted ? confirmationsOf(block.number, head) : 0,
    requiredConfirmations: typeof level === 'number' ? level : null,
    deep: isDeep,
    settled: isDeep && !isHeld && (hasSucceeded || isVouchedFor(reports, chain, known)),
    disputed: isCounted && isDisputed,
    seenAt: transaction.seenAt,
    ...reports,
    ...(seen.count !== undefined && { count: seen.count }),
  }
  return transfer
}

type SourceReports = Pick<Transfer, 'sources' | 'deniedBy'>
const noReports: SourceReports = { sources: [], deniedBy: [] }

/**
 * Whether a denial holds it back: until at least the quorum shows it, and more sources show it than
 * deny it. The absence of other sources does not outvote a denial.
 */
export const isContradicted = ({ sources, deniedBy }: SourceReports, quorum: number): boolean =>
  deniedBy.length > 0 && showsMissing({ sources, deniedBy }, quorum) > 0

/** How many more sources must show it: the quorum, and more than deny it. */
export const showsMissing = ({ sources, deniedBy }: SourceReports, quorum: number): number =>
  Math.max(0, Math.max(quorum, deniedBy.length + 1) - sources.length)

/**
 * Whether enough sources showed it for the policy. If fewer providers are up than the quorum, there
 * is nothing to wait for, and the payment gets a flag; while they contradict each other nothing new
 * is certain. The number of providers comes from a head that was read with the block or after it;
 * until then only the sources count.
 */
function isVouchedFor(
  { sources }: SourceReports,
  { head, policy }: ChainView,
  known: ChainHead | null,
): boolean {
  const quorum = policy?.quorum ?? 1
  if (head?.disagree === true) return false
  const isAlone = known !== null && (known.witnesses ?? 1) < quorum
  return sources.length >= quorum || isAlone
}

function levelOf(
  policy: ChainPolicy | null,
  accept: Acceptance | null,
  { terms, levels }: Pick<TransferContext, 'terms' | 'levels'>,
): Level | null {
  if (policy === null) return null
  const known = levels.get(accept)
  if (known !== undefined && accept !== null) return known
  const { settled } = requiredFor(policy, accept?.asset ?? null, terms)
  levels.set(accept, settled)
  return settled
}

function depthOf(block: number, head: ChainHead | null, policy: ChainPolicy | null): Stage {
  if (head === null || policy === null) return 'included'
  if (reached(policy.final, block, head)) return 'final'
  return reached('safe', block, head) ? 'safe' : 'included'
}

/**
 * Why the money of a sighting does not count. Null if it counts, and for every stage in which no
 * money is in a block or expected.
 */
function ignoredFor(
  { transaction, seen, stage, isSetAside }: TransferSighting,
  terms: Terms,
  accept: Acceptance | null,
): IgnoreReason | null {
  if (stage === 'ignored') return 'paid_elsewhere'
  if (stage !== 'included' && !isExpected(stage)) return null
  if (isSetAside) return 'set_aside'
  if (seen.amount === 0n) return 'zero'
  if (accept === null) {
    const isHere = terms.accept.some(({ chain }) => chain === transaction.chain)
    return isHere ? 'wrong_token' : 'wrong_chain'
  }
  return accept.dust !== undefined && seen.amount < accept.dust ? 'dust' : null
}

/** Matched by chain, contract and address only: anyone can copy a symbol. */
function acceptanceOf(terms: Terms, chain: string, seen: SeenTransfer): Acceptance | null {
  return (
    terms.accept.find(
      (accept) =>
        accept.chain === chain && accept.token === seen.token && accept.address === seen.to,
    ) ?? null
  )
}
