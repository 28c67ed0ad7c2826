import type { IgnoreReason, Stage } from './payment.ts'

/** What a stage says of one movement of money. */
export interface StageWords {
  /** Two or three words, beside a transaction. */
  readonly label: string
  readonly payer: string
  readonly operator: string
}

/** Every stage in words, in the order of certainty. Printed to docs/generated/states.md. */
export const stageTable: Readonly<Record<Stage, StageWords>> = {
  claimed: {
    label: 'looked for',
    payer: 'We look for the transaction that you named.',
    operator: 'The payer named it; no node has shown it. It counts nothing.',
  },
  mempool: {
    label: 'detected',
    payer: 'The network has seen it; no block holds it yet.',
    operator: 'Pending in the pool of a node. A signal, never a promise.',
  },
  preconfirmed: {
    label: 'promised',
    payer: 'The network has promised it a block.',
    operator: 'The sequencer promised it a block. More than a pool, less than the block.',
  },
  included: {
    label: 'in a block',
    payer: 'A block holds it; a few more make it certain.',
    operator: 'In a canonical block that is neither safe nor final yet.',
  },
  safe: {
    label: 'safe',
    payer: 'A block holds it, and the network is nearly certain of it.',
    operator: 'The nodes call its block safe.',
  },
  final: {
    label: 'final',
    payer: 'It can no longer be taken back.',
    operator: 'At the level that the policy calls final.',
  },
  dropped: {
    label: 'not confirmed',
    payer: 'The network has forgotten it before it was confirmed.',
    operator: 'Past its time-out and known to no provider. It may still be mined.',
  },
  replaced: {
    label: 'replaced',
    payer: 'Your wallet replaced it by another transaction.',
    operator: 'Another transaction of its sender took its place. It counts nothing.',
  },
  reverted: {
    label: 'refused by the network',
    payer: 'The network refused it; it moved nothing.',
    operator: 'Failed in its block.',
  },
  reorged: {
    label: 'taken back',
    payer: 'The network took its block back.',
    operator: 'Its block left the chain, and no pool holds it.',
  },
  denied: {
    label: 'not shown any more',
    payer: 'The network does not show it any more.',
    operator:
      'A provider showed it in a block, and now each that was asked denies it. It counts nothing.',
  },
  ignored: {
    label: 'not counted',
    payer: 'It does not count for this request.',
    operator: 'Seen, and not counted; `ignored` says why.',
  },
}

/** Why money does not count, in words. */
export const ignoredTable: Readonly<Record<IgnoreReason, Omit<StageWords, 'label'>>> = {
  wrong_token: {
    payer: 'It is a token that this request does not accept.',
    operator: 'A known token that is not in `accept`, matched by its contract.',
  },
  wrong_chain: {
    payer: 'It came on a network that this request does not accept.',
    operator: 'To the address of this payment, on a chain that is not in `accept`.',
  },
  dust: {
    payer: 'It is too small to count.',
    operator: 'Below the limit of its token.',
  },
  zero: {
    payer: 'It moved nothing.',
    operator: 'A transfer of nothing, as address poisoners send.',
  },
  paid_elsewhere: {
    payer: 'It paid somebody else.',
    operator: 'In a block, with no transfer to this payment.',
  },
  set_aside: {
    payer: 'The merchant has set it aside.',
    operator: 'A person refunded or dismissed it; see `resolutions`.',
  },
}
