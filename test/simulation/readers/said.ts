import type { Connection } from '@settlewire/client/watch'
import type { Instant } from '@settlewire/core/instant'
import { parseAmount } from '@settlewire/core/money/amount'
import type { Payment } from '@settlewire/core/payment/payment'
import type { Policy } from '@settlewire/core/payment/policy'
import { publicTxHash } from '@settlewire/core/payment/transaction'
import { transfersOf } from '@settlewire/core/payment/transfer'
import { statusWords } from '@settlewire/core/words/words'

/** What a reader shows at a moment, as printed text. Null for a statement that it does not show. */
export interface Said {
  /** Whether it claims that what it shows is current. */
  readonly isCurrent: boolean
  /** Whether it shows that it has stopped following. */
  readonly isOver: boolean
  /** Whether events arrive by polling. */
  readonly isAsking: boolean
  /** How it is connected, for the report of a failing seed. */
  readonly how: string
  readonly statements: Readonly<Record<Statement, string | null>>
  /** By chain: whether it shows the chain as blind; null if it shows nothing about chains. */
  readonly blind: ReadonlyMap<string, boolean> | null
}

export const statementKinds = [
  ...(['status', 'reason', 'flags', 'received', 'seen', 'to send', 'final'] as const),
  'transfers',
] as const
export type Statement = (typeof statementKinds)[number]

/** The required text of each statement, computed from the committed state, not from the wire. */
export const mustSay: Readonly<Record<Statement, (payment: Payment) => string>> = {
  status: ({ status }) => statusWords[status].label,
  reason: ({ reason }) => String(reason),
  flags: ({ flags }) => flags.join(' '),
  received: ({ received }) => String(received),
  seen: ({ received, pending }) => String(received + pending),
  'to send': ({ terms, received, pending }) => String(restOf(terms.amount, received + pending)),
  final: ({ status, finality }) => String(status === 'succeeded' && finality === 'final'),
  transfers: (payment) => transfersIn(payment),
}

/**
 * Remembers a text for each object: readers are compared four times a second, and their states seldom
 * change.
 */
export function oncePer<T extends object>(make: (of: T) => string): (of: T) => string {
  const known = new WeakMap<T, string>()
  return (of) => {
    const text = known.get(of) ?? make(of)
    known.set(of, text)
    return text
  }
}

const transfersIn = oncePer<Payment>((payment) =>
  listed(
    transfersOf(payment, noLevels).map(({ txHash, amount, ignored }) => ({
      ...{ txHash: publicTxHash(txHash), amount, ignored },
    })),
  ),
)

/** The levels of a policy decide neither which transfers there are nor whether they count. */
const noLevels: Policy = { version: 'none', chains: {} }

/** The list of transfers as one text, whatever their order. */
export const listed = (
  transfers: readonly {
    readonly txHash: string | null
    readonly amount: bigint | string
    readonly ignored?: string | null | undefined
  }[],
): string =>
  transfers
    .map(({ txHash, amount, ignored }) => `${txHash} ${amount} ${ignored ?? 'counts'}`)
    .sort()
    .join(', ')

const restOf = (asked: bigint, seen: bigint): bigint => (asked > seen ? asked - seen : 0n)

/** The connection as readable text. */
export const howOf = ({ state, transport, provenAt }: Connection, now: Instant): string =>
  `${state} by ${transport}, proven ${provenAt === null ? 'never' : `${now - provenAt} ms ago`}`

/** A printed amount, in units. */
export const unitsOf = (printed: string, { terms }: Payment): string =>
  String(parseAmount(printed, terms.decimals))
