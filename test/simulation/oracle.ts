/** What the true chain says of a payment, computed from nothing else: no code under test is used. */
import type { Acceptance, Payment } from '@settlewire/core/payment/payment'
import type { Liar } from './lies.ts'
import { branchOf, type ModelBlock, type ModelTx } from './model-block.ts'

export interface Paid {
  /** In the payment's units. */
  readonly units: bigint
  /** One per movement that counts, oldest first. */
  readonly parts: readonly { readonly amount: bigint; readonly tx: ModelTx; readonly at: number }[]
  /** Movements of known tokens to its address that are not asked for. */
  readonly strange: number
  /** Coins that contracts passed on: what one block added to a balance may be one part or several. */
  readonly isBlurred: boolean
}

/** Of each chain the last block that is looked at. */
export type TipOf = (chain: string) => ModelBlock | null

/** What a payment has been paid on the branches with these tips. */
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

/** How it must end once all is mined, final, and over. */
export interface Verdict {
  readonly status: string
  readonly received: bigint
  /** Flags that must be there, and that must not. Of the others nothing can be said. */
  readonly must: readonly string[]
  readonly mustNot: readonly string[]
}

/** What happened that decides more than the money does. */
export interface Circumstances {
  readonly isWithdrawn: boolean
  readonly toldSuccess: boolean
  /** Whether anything paid to it was ever on a branch that was left. */
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

/** Null when it depends on which of them was known first. */
function isPaidAgain({ parts, units }: Paid, required: bigint): boolean | null {
  if (parts.length < 2) return false
  const answers = parts.map(({ amount }) => units - amount >= required)
  if (answers.every((covered) => covered)) return true
  return answers.some((covered) => covered) ? null : false
}

/** Null when it depends on whether it was seen on its way. */
function isLate({ parts }: Paid, expiresAt: number): boolean | null {
  if (parts.every(({ at }) => at * 1_000 <= expiresAt)) return false
  return parts.some(({ tx }) => tx.sentAt > expiresAt + clockSlackMs) ? true : null
}

/** The machine's clock may be behind by so much when it notes what it has seen. */
const clockSlackMs = 60_000

/** What movements on a chain bring to a payment, in its units. */
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

/** How far what was received may be off, for what a liar says of blocks on these branches. */
export interface Slack {
  readonly more: bigint
  readonly less: bigint
}

export interface Doubted {
  readonly liars: ReadonlyMap<string, Liar>
  /** What nobody showed whole. */
  readonly doubtful: (txHash: string) => boolean
  /** Whether a node still shows it, on record: a lie that all of them deny is no money. */
  readonly upheld: (blockHash: string, txHash: string) => boolean
}

/** What was said and is not so, on the branches with these tips. */
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
