import { type Instant, toRfc3339 } from '../instant.ts'
import { printAmount } from '../money/amount.ts'
import { inNetwork, levelInWords, sentenceOf, tierInWords } from '../words/explain-words.ts'
import type {
  ExplainedRule,
  ExplainedTransfer,
  MissingToSettle,
  PolicyExplanation,
} from './explanation.ts'
import { coverOf } from './judge.ts'
import type { Acceptance, Payment, Transfer } from './payment.ts'
import {
  type ChainHead,
  type ChainPolicy,
  type Level,
  type Policy,
  reached,
  requiredFor,
} from './policy.ts'
import { resolutionsInForce } from './resolution.ts'
import { publicTxHash } from './transaction.ts'
import { isIncluded, isMereClaim, showsMissing, transfersOf } from './transfer.ts'

/** How fast a chain is, as measured lately. A time is null while there is no measurement. */
export interface ChainPace {
  readonly blockMs: number | null
  /** How long after a block the chain's nodes mark it safe, and finalized. */
  readonly safeLagMs: number | null
  readonly finalizedLagMs: number | null
  /** Whether finality has stopped for much longer than usual. */
  readonly stalled: boolean
}

/** What an explanation needs beside the payment. */
export interface ExplainContext {
  /** The rules in force. */
  readonly policy: Policy
  /** Null for a chain that is not followed. */
  readonly pace: (chain: string) => ChainPace | null
  readonly now: Instant
  /**
   * Whether sentences name providers. Payers must not see a merchant's providers. Left out: true.
   */
  readonly namesProviders?: boolean
  /** The name of a chain for people. Left out: the name that core knows. */
  readonly nameOf?: (chain: string) => string
}

/** Explains what a payment needs and why, how much of it is there, and how long the rest takes. */
export function explain(payment: Payment, context: ExplainContext): PolicyExplanation {
  const { terms } = payment
  const print = (amount: bigint): string => printAmount(amount, terms.decimals)
  const known = transfersOf(payment, context.policy)
  const transfers = known.map((transfer) => explainTransfer(transfer, payment, context))
  const included = known.filter(({ stage }) => isIncluded(stage))
  const required = terms.amount - terms.tolerance
  const settled = included
    .filter((transfer) => transfer.settled)
    .reduce((total, { amount }) => total + amount, 0n)
  const missing = required > payment.received ? required - payment.received : 0n
  const covering = new Set(coverOf(included, required) ?? [])
  const waits = transfers.filter((_, i) => {
    const transfer = known[i]
    return transfer !== undefined && covering.has(transfer) && !transfer.settled
  })
  const found = {
    ...{ object: 'policy_explanation' as const, id: payment.id, status: payment.status },
    policy: context.policy.version,
    requiredAmount: print(required),
    settledAmount: print(settled),
    missingAmount: print(missing),
    decidedByPerson:
      payment.status === 'succeeded' && resolutionsInForce(payment.facts).accepted !== null,
    aboutMs: missing > 0n ? null : longest(waits.map(({ aboutMs }) => aboutMs)),
    rules: terms.accept.flatMap((accept) => explainRule(accept, payment, context) ?? []),
    transfers,
  }
  const isForPerson = payment.reason === 'sources_disagree'
  const subject = { currency: terms.currency, amount: print(terms.amount), isForPerson }
  return { ...found, sentences: inSentences(found, subject) }
}

const forPerson =
  'Its watch has ended and its providers did not agree: a person decides. If they agree before the decision, it settles or stops counting without one.'

/** The longest time; null as soon as one is null; 0 for an empty list. */
const longest = (times: readonly (number | null)[]): number | null =>
  times.reduce((max, ms) => (max === null || ms === null ? null : Math.max(max, ms)), 0)

function inSentences(
  found: Omit<PolicyExplanation, 'sentences'>,
  subject: { currency: string; amount: string; isForPerson: boolean },
): readonly string[] {
  const { currency, amount, isForPerson } = subject
  const asks =
    found.requiredAmount === amount
      ? `${amount} ${currency} must be in blocks that are deep enough.`
      : `${found.requiredAmount} of ${amount} ${currency} must be in blocks that are deep enough; the rest is tolerated.`
  const isMissing = /[1-9]/.test(found.missingAmount)
  return [
    found.decidedByPerson ? 'A person accepted what had arrived.' : asks,
    ...(isMissing && !found.decidedByPerson
      ? [`${found.missingAmount} ${currency} is in no block yet.`]
      : []),
    ...(found.transfers.length === 0 ? found.rules : found.transfers).map(
      ({ sentence }) => sentence,
    ),
    ...(isForPerson ? [forPerson] : []),
    `These are the rules of policy version ${found.policy}.`,
  ]
}

function explainRule(
  accept: Acceptance,
  { terms }: Payment,
  { policy, pace, nameOf }: ExplainContext,
): ExplainedRule | null {
  const { asset, chain } = accept
  const rule = policy.chains[chain]
  if (rule === undefined) return null
  const { settled: level, tier } = requiredFor(rule, asset, terms)
  const aboutMs = timeToLevelMs(level, pace(chain))
  const because = tier === null ? '' : `, ${tierInWords(tier, asset)}`
  return {
    ...{ asset, chain, level, final: rule.final, quorum: rule.quorum, aboutMs },
    tier: tier === null ? null : { upTo: tier.upTo },
    sentence: `${asset} ${inNetwork(chain, nameOf)} counts ${levelInWords(level)}${because}.`,
  }
}

/**
 * The estimated time from the block that holds a transfer until it reaches the level; the first
 * confirmation takes no time. Null if it cannot be estimated: without a measurement, or for a tag
 * while finality has stopped.
 */
function timeToLevelMs(level: Level, pace: ChainPace | null): number | null {
  if (pace === null) return null
  if (typeof level === 'number') return pace.blockMs === null ? null : (level - 1) * pace.blockMs
  return pace.stalled ? null : lagOf(level, pace)
}

const lagOf = (tag: 'safe' | 'finalized', pace: ChainPace): number | null =>
  tag === 'safe' ? pace.safeLagMs : pace.finalizedLagMs

function explainTransfer(
  transfer: Transfer,
  payment: Payment,
  { policy, pace, now, nameOf, namesProviders = true }: ExplainContext,
): ExplainedTransfer {
  const { terms, facts } = payment
  const { chain, accept, stage, sources, deniedBy, settled } = transfer
  const rule = policy.chains[chain]
  const required = rule === undefined ? null : requiredFor(rule, accept?.asset ?? null, terms)
  const measured = pace(chain)
  const missing = missingOf(transfer, required?.settled ?? null, {
    ...{ rule: rule ?? null, head: facts.heads[chain] ?? null },
    ...{ stalled: measured?.stalled === true, until: watchEndOf(payment, now) },
  })
  const found = {
    txHash: publicTxHash(transfer.txHash),
    ...{ chain, asset: isMereClaim(transfer) ? null : (accept?.asset ?? null) },
    ...{ stage, ignored: transfer.ignored },
    amount: printAmount(transfer.amount, terms.decimals),
    level: required?.settled ?? null,
    tier: required?.tier ? { upTo: required.tier.upTo } : null,
    confirmations: transfer.confirmations,
    ...{ sources, deniedBy, quorum: rule?.quorum ?? 1, settled, missing },
    aboutMs: leftMs(transfer, missing, { pace: measured, now }),
  }
  return { ...found, sentence: sentenceOf(found, { namesProviders, nameOf }) }
}

/** The end of the watch; null unless the payment is confirming and still watched. */
const watchEndOf = ({ status, terms }: Payment, now: Instant): string | null =>
  status === 'confirming' && now <= terms.monitorUntil ? toRfc3339(terms.monitorUntil) : null

interface ChainSituation {
  readonly rule: ChainPolicy | null
  readonly head: ChainHead | null
  readonly stalled: boolean
  readonly until: string | null
}

function missingOf(
  transfer: Transfer,
  level: Level | null,
  chain: ChainSituation,
): MissingToSettle {
  const { block, stage, confirmations, settled } = transfer
  const none: MissingToSettle = { blocks: null, tag: null, sources: 0, held: null, until: null }
  if (level === null || block === null || !isIncluded(stage) || settled) return none
  const quorum = chain.rule?.quorum ?? 1
  const isDisputed = transfer.disputed
  const canReachQuorum = isDisputed || (chain.head?.witnesses ?? 1) >= quorum
  const isTag = typeof level !== 'number'
  const isReached = isTag && chain.head !== null && reached(level, block.number, chain.head)
  const tag = isTag && !isReached ? level : null
  const stall = tag !== null && chain.stalled ? 'finality_stalled' : null
  return {
    until: isDisputed || transfer.deep ? chain.until : null,
    blocks: isTag ? null : Math.max(0, level - confirmations),
    tag,
    // With fewer providers up than the quorum, there is no provider to wait for.
    sources: canReachQuorum ? showsMissing(transfer, quorum) : 0,
    held: chain.head?.disagree === true || isDisputed ? 'sources_disagree' : stall,
  }
}

/**
 * The estimated time until a transfer settles; 0 once it has settled. Null if it cannot be
 * estimated: outside of a canonical block, without a rule, while the transfer is held or the
 * chain's pace is not known, and when only further sources are missing.
 */
function leftMs(
  { block, settled, stage }: Transfer,
  { blocks, tag, held }: MissingToSettle,
  { pace, now }: { pace: ChainPace | null; now: Instant },
): number | null {
  if (settled) return 0
  if (block === null || !isIncluded(stage) || pace === null || held !== null) return null
  if (tag !== null) {
    const lagMs = lagOf(tag, pace)
    // If the tag is overdue, it may come with the next block.
    return lagMs === null ? null : Math.max(pace.blockMs ?? 0, block.minedAt + lagMs - now)
  }
  return blocks === null || blocks === 0 || pace.blockMs === null ? null : blocks * pace.blockMs
}
