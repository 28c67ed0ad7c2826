import type { ResolutionAction } from './observation.ts'
import type { Flag } from './status-model.ts'

/** What a flag or a reason says, and to whom. */
export interface Notice {
  /** Said to the payer beside the status; null: nothing that a payer can use. */
  readonly payer: string | null
  readonly operator: string
  /** Whether it stays as it is until a person looks. */
  readonly needsPerson: boolean
  /** What that person may decide about it, where the status of the payment allows it. */
  readonly choices: readonly ResolutionAction[]
}

/** Nobody has to do anything. */
const noted = { needsPerson: false, choices: [] } as const

/** Every flag in words. Printed to docs/generated/states.md. */
export const flagTable: Readonly<Record<Flag, Notice>> = {
  underpaid: {
    payer: null, // the status says it, with the figures
    operator:
      'Less than the amount was seen. The rest may still come; after the deadline a person decides.',
    needsPerson: true,
    choices: ['accept', 'wait', 'refund_noted', 'dismiss'],
  },
  overpaid: {
    payer: 'More than the requested amount arrived. Ask the merchant about the difference.',
    operator: 'More than the amount and its tolerance arrived. Refund the difference, and note it.',
    needsPerson: true,
    choices: ['refund_noted', 'dismiss'],
  },
  late: {
    payer: 'It arrived after the request had ended. The merchant may contact you about it.',
    operator: 'Money was first known after the deadline. See whether the order can still be met.',
    needsPerson: false,
    choices: ['refund_noted', 'dismiss'],
  },
  multiple_transfers: {
    payer: 'It arrived in more than one transfer.',
    operator: 'More than one transfer counts. Each is listed with its transaction.',
    ...noted,
  },
  duplicate_payment: {
    payer: 'This was paid more than once. Ask the merchant for the extra payment.',
    operator: 'The amount was covered before the last transfer came. Refund the extra one.',
    needsPerson: true,
    choices: ['refund_noted', 'dismiss'],
  },
  wrong_token: {
    payer: 'A token that this request does not accept arrived. It was not counted.',
    operator:
      'A known token that is not accepted arrived, perhaps a bridged twin. It is at your address.',
    needsPerson: true,
    choices: ['accept', 'refund_noted', 'dismiss'],
  },
  wrong_chain: {
    payer: 'Money arrived on a network that this request does not accept. It was not counted.',
    operator: 'Money arrived on a chain that is not accepted. The same key holds it there.',
    needsPerson: true,
    choices: ['accept', 'refund_noted', 'dismiss'],
  },
  dust: {
    payer: 'A transfer too small to count arrived.',
    operator: 'A transfer below the limit of its token arrived. Often it is spam.',
    needsPerson: false,
    choices: ['dismiss'],
  },
  fee_on_transfer: {
    payer: 'The token kept a fee for itself: less arrived than was sent.',
    operator: 'The transaction asked for more than the log shows. What the log shows counts.',
    needsPerson: false,
    choices: ['accept', 'wait', 'refund_noted'],
  },
  reorg_seen: {
    payer: 'The network rewrote its last blocks; we count only what is there now.',
    operator: 'A block that held money of it was taken back at least once.',
    ...noted,
  },
  replaced_seen: {
    payer: 'Your wallet replaced the transaction by another one.',
    operator: 'A transaction lost its place to another of the same sender. Only one can be mined.',
    ...noted,
  },
  single_source: {
    payer: null,
    operator: 'It succeeded on the word of fewer providers than the policy wants: no more were up.',
    ...noted,
  },
  sources_disagree: {
    payer: 'Our views of the network disagree; we wait until they agree.',
    operator:
      'Providers name different blocks at one height, or one denies what another shows. What it is about does not settle. Look at them, or decide about the money.',
    needsPerson: true,
    choices: ['accept', 'refund_noted', 'dismiss'],
  },
  manually_marked: {
    payer: 'The merchant decided something about this payment by hand.',
    operator: 'A person decided or noted something. See `resolutions` for who, when and why.',
    ...noted,
  },
}
