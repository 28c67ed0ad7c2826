/** The true result of a payment by the model chain, computed without code under test. */
import type { Acceptance, Payment } from '@settlewire/core/payment/payment'
import type { Liar } from './lies.ts'
import { branchOf, type ModelBlock, type ModelTx } from './model-block.ts'

export interface Paid {
  /** In the payment's units. */
  readonly units: bigint
  /** One per transfer that counts, oldest first. */
  readonly parts: readonly { readonly amount: bigint; readonly tx: ModelTx; readonly at: number }[]
  /** Transfers of known tokens to its address that it does not accept. */
  readonly strange: number
  /** Native coins from contracts: one block's increase of a balance may be one part or several. */
  readonly isBlurred: boolean
}

/** The last block to consider, per chain. */
export type TipOf = (chain: string) => ModelBlock | null

/** What a payment was paid on the branches with these tips. */
export function paidOn({ terms }: Payment, tipOf: TipOf): Paid {
  const parts: { amount: bigint; tx: ModelTx; at: number }[] = []
  let strange = 0
  let isBlurred = false
  for (const chain of new Set(terms.accept.map((accept) => accept.chain))) {
    const tip = tipOf(chain)
    for (const block of tip === null ? [] : branchOf(tip)) {
      for (const { tx, reverts } of block.entries) {
        for (const move of reverts ? [] : tx.moves) {
          if (!terms.accept.some(({ address }) => address === move.to)) continue
          const accept = acceptanceOf(terms.accept, chain, move)
          if (move.amount === 0n || isDust(accept, move.amount)) continue
          isBlurred ||= move.token === null && tx.to !== move.to
          if (accept === null) strange++
          else
            parts.push({
              amount: scaled(move.amount, accept, terms.decimals),
              tx,
              at: block.timestamp,
            })
        }
      }
    }
  }
  parts.reverse()
  return { units: parts.reduce((sum, { amount }) => sum + amount, 0n), parts, strange, isBlurred }
}

const acceptanceOf = (
  accept: readonly Acceptance[],
  chain: string,
  move: { to: string; token: string | null },
): Acceptance | null =>
  accept.find(
    (each) => each.chain === chain && each.token === move.token && each.address === move.to,
  ) ?? null

const isDust = (accept: Acceptance | null, units: bigint): boolean =>
  accept !== null && units < (accept.dust ?? 0n)

const scaled = (units: bigint, { decimals }: Acceptance, to: number): bigint =>
  units * 10n ** BigInt(to - decimals)

/** The required state of a payment once everything is mined, final and expired. */
export interface Verdict {
  readonly status: string
  readonly received: bigint
  /** Flags that must be present, and that must be absent. The others are not determined. */
  readonly must: readonly string[]
  readonly mustNot: readonly string[]
}

/** Circumstances that affect the result beside the money. */
export interface Circumstances {
  readonly isWithdrawn: boolean
  readonly toldSuccess: boolean
  /** Whether any transaction to it was ever on a branch that was reorged out. */
  readonly wasReorged: boolean
  readonly wasReplaced: boolean
}

export function verdictOf(payment: Payment, paid: Paid, then: Circumstances): Verdict {
  const { amount, tolerance, expiresAt } = payment.terms
  const required = amount - tolerance
  const isPaid = paid.units >= required
  const flags: readonly (readonly [string, boolean | null])[] = [
    ['underpaid', paid.units > 0n && !isPaid],
    ['overpaid', paid.units > amount + tolerance],
    ['multiple_transfers', paid.isBlurred ? null : paid.parts.length > 1],
    ['duplicate_payment', paid.isBlurred ? null : isPaidAgain(paid, required)],
    ['late', isLate(paid, expiresAt)],
    ['wrong_token', paid.strange > 0],
    ['reorg_seen', then.wasReorged ? null : false],
    ['replaced_seen', then.wasReplaced ? null : false],
    ['manually_marked', false],
  ]
  return {
    status: statusOf(then, isPaid, paid.units),
    received: paid.units,
    must: flags.filter(([, raised]) => raised === true).map(([flag]) => flag),
    mustNot: flags.filter(([, raised]) => raised === false).map(([flag]) => flag),
  }
}

function statusOf(then: Circumstances, isPaid: boolean, units: bigint): string {
  if (then.isWithdrawn) return units > 0n ? 'investigation_required' : 'cancelled'
  if (isPaid) return 'succeeded'
  return then.toldSuccess ? 'investigation_required' : 'expired'
}

/** Null if it depends on which transaction was known first. */
function isPaidAgain({ parts, units }: Paid, required: bigint): boolean | null {
  if (parts.length < 2) return false
  const answers = parts.map(({ amount }) => units - amount >= required)
  if (answers.every((covered) => covered)) return true
  return answers.some((covered) => covered) ? null : false
}

/** Null if it depends on whether the transaction was seen while pending. */
function isLate({ parts }: Paid, expiresAt: number): boolean | null {
  if (parts.every(({ at }) => at * 1_000 <= expiresAt)) return false
  return parts.some(({ tx }) => tx.sentAt > expiresAt + clockSlackMs) ? true : null
}

/** How far the machine's clock may be behind when it records a sighting. */
const clockSlackMs = 60_000

/** The amount that transfers on a chain add to a payment, in its units. */
export const unitsOf = (
  { accept, decimals }: Payment['terms'],
  chain: string,
  moves: readonly { readonly to: string; readonly token: string | null; readonly amount: bigint }[],
): bigint =>
  moves.reduce((sum, move) => {
    const wanted = acceptanceOf(accept, chain, move)
    return wanted === null || isDust(wanted, move.amount)
      ? sum
      : sum + scaled(move.amount, wanted, decimals)
  }, 0n)

/** How far the received amount may be off because of a liar's claims about these branches. */
export interface Slack {
  readonly more: bigint
  readonly less: bigint
}

export interface Doubted {
  readonly liars: ReadonlyMap<string, Liar>
  /** Transactions whose receipts were withheld. */
  readonly doubtful: (txHash: string) => boolean
  /** Whether a source on record still shows it: a lie that all sources deny is not money. */
  readonly upheld: (blockHash: string, txHash: string) => boolean
}

/** The amounts of forged and of hidden transactions on the branches with these tips. */
export function slackOf({ terms }: Payment, tipOf: TipOf, doubted: Doubted): Slack {
  const { liars, doubtful, upheld } = doubted
  let more = 0n
  let less = 0n
  const toIt = ({ moves }: ModelTx, chain: string): bigint => unitsOf(terms, chain, moves)
  for (const chain of new Set(terms.accept.map((accept) => accept.chain))) {
    const tip = tipOf(chain)
    const lies = liars.get(chain)?.lies
    for (const block of tip === null ? [] : branchOf(tip)) {
      const { forged = [], hidden = [] } = lies?.get(block.hash) ?? {}
      for (const tx of forged) if (upheld(block.hash, tx.hash)) more += toIt(tx, chain)
      for (const tx of hidden) less += toIt(tx, chain)
      for (const { tx } of block.entries) if (doubtful(tx.hash)) less += toIt(tx, chain)
    }
  }
  return { more, less }
}
