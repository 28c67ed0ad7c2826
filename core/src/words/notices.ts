import type { ResolutionAction } from '../payment/observation.ts'
import type { IgnoreReason, Stage } from '../payment/payment.ts'
import type { Flag, Status } from '../payment/status-model.ts'
import type { PaymentReason } from './reason-words.ts'

// Texts for operators and for the documents. Separate from the words for payers, which the pages
// load in every browser.

/** What a status means to an operator. */
export interface StatusNotice {
  readonly means: string
  /** What must be on record before the status may be emitted. */
  readonly evidence: string
  readonly operator: string
}

/** Every status. Printed to docs/generated/states.md. */
export const statusNotices: Readonly<Record<Status, StatusNotice>> = {
  awaiting: {
    means: 'No live transfer that covers the amount is known.',
    evidence: 'The request; if it returned here, the transaction and why it no longer counts.',
    operator: 'Nothing to do. With `underpaid`, part of the amount has arrived.',
  },
  pending_detected: {
    means: 'Enough was seen, but not all of it is in a block.',
    evidence: 'A decoded pending transaction to our address; a claimed hash alone is not enough.',
    operator: 'Nothing is certain yet. Reserve stock if you like, but release nothing.',
  },
  pending_expired: {
    means: 'It was seen, but not mined in time, and no provider knows it any more.',
    evidence: 'The pending time-out passed, there is no receipt, no provider knows the hash.',
    operator:
      'It may still be mined. Ask the payer to speed it up or cancel it, and to pay again only then.',
  },
  confirming: {
    means: 'The amount is in canonical blocks, but not yet as deep as the policy requires.',
    evidence: 'A successful receipt and the transfer log of an accepted token to our address.',
    operator: 'Wait. Do not fulfil.',
  },
  succeeded: {
    means: 'The policy is met: fulfil.',
    evidence: 'Transfers at policy depth cover the amount less its tolerance.',
    operator: 'Fulfil. Revocable until `finality` is `final`.',
  },
  expired: {
    means: 'The deadline passed and too little arrived.',
    evidence: 'The deadline passed, and every accepted chain was read past it.',
    operator: 'Late money is still recognised until `monitorUntil` and reopens it.',
  },
  cancelled: {
    means: 'Withdrawn by the merchant.',
    evidence: 'The person or key that withdrew it, and the reason.',
    operator: 'Money that comes later makes it `investigation_required`.',
  },
  failed: {
    means: 'It is certain that no money comes, or a policy refused the payment.',
    evidence: 'A signed provider code or a screening decision; never a time-out.',
    operator: 'Read the reason; a contradiction makes it `investigation_required`.',
  },
  investigation_required: {
    means: 'Settlewire cannot say for certain what the status is.',
    evidence: 'A reason code and the observations that disagree.',
    operator: 'Look at the reason and the timeline; a person or later evidence decides.',
  },
}

/** What a flag or a reason means, and what a person may decide about it. */
export interface Notice {
  readonly operator: string
  /** Whether it stays until a person looks at it. */
  readonly needsPerson: boolean
  /** What that person may decide about it, where the status of the payment allows it. */
  readonly choices: readonly ResolutionAction[]
}

/** For notices that need no action of a person. */
const noted = { needsPerson: false, choices: [] } as const

/** Every flag. Printed to docs/generated/states.md. */
export const flagNotices: Readonly<Record<Flag, Notice>> = {
  underpaid: {
    operator:
      'Less than the amount was seen. The rest may still come; after the deadline a person decides.',
    needsPerson: true,
    choices: ['accept', 'wait', 'refund_noted', 'dismiss'],
  },
  overpaid: {
    operator: 'More than the amount and its tolerance arrived. Refund the difference, and note it.',
    needsPerson: true,
    choices: ['refund_noted', 'dismiss'],
  },
  late: {
    operator: 'Money was first known after the deadline. See whether the order can still be met.',
    needsPerson: false,
    choices: ['refund_noted', 'dismiss'],
  },
  multiple_transfers: {
    operator: 'More than one transfer counts. Each is listed with its transaction.',
    ...noted,
  },
  duplicate_payment: {
    operator: 'The amount was covered before the last transfer came. Refund the extra one.',
    needsPerson: true,
    choices: ['refund_noted', 'dismiss'],
  },
  wrong_token: {
    operator:
      'A known token that is not accepted arrived, perhaps a bridged copy. It is at your address.',
    needsPerson: true,
    choices: ['accept', 'refund_noted', 'dismiss'],
  },
  wrong_chain: {
    operator: 'Money arrived on a chain that is not accepted. The same private key controls it.',
    needsPerson: true,
    choices: ['accept', 'refund_noted', 'dismiss'],
  },
  dust: {
    operator: 'A transfer below the limit of its token arrived. Often it is spam.',
    needsPerson: false,
    choices: ['dismiss'],
  },
  fee_on_transfer: {
    operator: 'The transaction asked for more than the log shows. What the log shows counts.',
    needsPerson: false,
    choices: ['accept', 'wait', 'refund_noted'],
  },
  reorg_seen: { operator: 'A reorg removed a block with money of it at least once.', ...noted },
  replaced_seen: {
    operator: 'Another transaction of the same sender replaced one. Only one can be mined.',
    ...noted,
  },
  single_source: {
    operator: 'Fewer providers showed it than the policy requires, because no more were up.',
    ...noted,
  },
  sources_disagree: {
    operator:
      'Providers name different blocks at one height, or one denies what another shows. The money concerned does not settle. Check the providers, or decide about the money.',
    needsPerson: true,
    choices: ['accept', 'refund_noted', 'dismiss'],
  },
  manually_marked: {
    operator: 'A person decided or noted something. See `resolutions` for who, when and why.',
    ...noted,
  },
}

/** Every reason. Printed to docs/generated/states.md. */
export const reasonNotices: Readonly<Record<PaymentReason, Notice>> = {
  transaction_reverted: {
    operator: 'It failed in its block and moved nothing. The payer lost at most the network fee.',
    ...noted,
  },
  transaction_reorged: {
    operator: 'Its block is no longer on the chain, and no pool holds it. It may be mined again.',
    ...noted,
  },
  transaction_dropped: {
    operator: 'It was pending for too long, and no provider knows it. It may still be mined.',
    ...noted,
  },
  transaction_denied: {
    operator:
      'Every provider that was asked denies that its block holds it. It counts again once one shows it.',
    ...noted,
  },
  replaced_elsewhere: {
    operator: 'Another transaction of the same sender replaced it and does not pay this payment.',
    ...noted,
  },
  replaced_still_pays: {
    operator: 'It was sped up. The new transaction pays as well and is followed instead.',
    ...noted,
  },
  paid_after_cancel: {
    operator: 'It was paid after it was withdrawn. Accept it, or refund it and note that.',
    needsPerson: true,
    choices: ['accept', 'refund_noted', 'dismiss'],
  },
  paid_after_watch: {
    operator: 'It was paid after `monitorUntil`. Accept it, or refund it and note that.',
    needsPerson: true,
    choices: ['accept', 'refund_noted', 'dismiss'],
  },
  paid_after_failure: {
    operator: 'It was written off, but the money came after all. Accept it, or refund it.',
    needsPerson: true,
    choices: ['accept', 'refund_noted', 'dismiss'],
  },
  reorged_after_success: {
    operator: 'It succeeded, then a reorg removed its block. Mined again, it succeeds again.',
    needsPerson: true,
    choices: ['accept', 'wait', 'dismiss'],
  },
  denied_after_success: {
    operator:
      'It succeeded, and now every provider denies its money. It succeeds again once enough show it.',
    needsPerson: true,
    choices: ['accept', 'wait', 'dismiss'],
  },
  sources_disagree: {
    operator:
      'Until `monitorUntil` providers denied its money, or too few showed it. Check it with another source, then decide.',
    needsPerson: true,
    choices: ['accept', 'wait', 'refund_noted', 'dismiss'],
  },
  resolved_by_person: {
    operator: 'A person decided, and the payment changes its status at once.',
    ...noted,
  },
  written_off: {
    operator: 'A person gave up a success whose money was lost. New money reopens it.',
    ...noted,
  },
  internal_contradiction: {
    operator:
      'An internal fault of Settlewire: the observations are held and retried. Report it with its log line.',
    ...noted,
  },
}

/** What a stage means for one movement of money. */
export interface StageNotice {
  readonly payer: string
  readonly operator: string
}

/**
 * Every stage: progress in the order of certainty, then losses. Printed to
 * docs/generated/states.md.
 */
export const stageNotices: Readonly<Record<Stage, StageNotice>> = {
  claimed: {
    payer: 'We look for the transaction that you named.',
    operator: 'The payer named it; no node has shown it. It does not count.',
  },
  mempool: {
    payer: 'The network has seen it; no block holds it yet.',
    operator: 'Pending in the pool of a node. A signal, not a promise.',
  },
  preconfirmed: {
    payer: 'The network has promised it a block.',
    operator: 'The sequencer promised it a block. Surer than a pool, less sure than a block.',
  },
  included: {
    payer: 'A block holds it; a few more make it certain.',
    operator: 'In a canonical block that is neither safe nor final yet.',
  },
  safe: {
    payer: 'A block holds it, and the network is nearly certain of it.',
    operator: 'The nodes mark its block as safe.',
  },
  final: {
    payer: 'It can no longer be taken back.',
    operator: 'At the level that the policy calls final.',
  },
  dropped: {
    payer: 'The network has forgotten it before it was confirmed.',
    operator: 'Past its time-out and known to no provider. It may still be mined.',
  },
  replaced: {
    payer: 'Your wallet replaced it by another transaction.',
    operator: 'Another transaction of its sender replaced it. It does not count.',
  },
  reverted: {
    payer: 'The network refused it; it moved nothing.',
    operator: 'Failed in its block.',
  },
  reorged: {
    payer: 'The network took its block back.',
    operator: 'Its block left the chain, and no pool holds it.',
  },
  denied: {
    payer: 'The network does not show it any more.',
    operator:
      'A provider showed it in a block, and now every provider that was asked denies it. It does not count.',
  },
  ignored: {
    payer: 'It does not count for this request.',
    operator: 'Seen, and not counted; `ignored` says why.',
  },
}

/** Why money does not count. Printed to docs/generated/states.md. */
export const ignoredNotices: Readonly<Record<IgnoreReason, string>> = {
  wrong_token: 'A known token that is not in `accept`, matched by its contract.',
  wrong_chain: 'Sent to the address of this payment, on a chain that is not in `accept`.',
  dust: 'Below the limit of its token.',
  zero: 'A transfer of nothing, as address poisoning sends.',
  paid_elsewhere: 'In a block, with no transfer to this payment.',
  set_aside: 'A person refunded or dismissed it; see `resolutions`.',
}
