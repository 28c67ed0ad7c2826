import type { Connection } from '@settlewire/client/watch'
import type { Instant } from '@settlewire/core/instant'
import { parseAmount } from '@settlewire/core/money/amount'
import type { Payment } from '@settlewire/core/payment/payment'
import { statusWords } from '@settlewire/core/words/words'

/** What a reader shows at a moment, each as it is printed. A kind that it does not show is null. */
export interface Said {
  /** Whether it says that what it shows is the newest. */
  readonly isCurrent: boolean
  /** Whether it follows no longer, and says so. */
  readonly isOver: boolean
  /** Whether news come by question and answer. */
  readonly isAsking: boolean
  /** How it is connected, for whoever reads a failing seed. */
  readonly how: string
  readonly statements: Readonly<Record<Statement, string | null>>
  /** By chain, whether it says that it cannot be seen; null where it says nothing of chains. */
  readonly blind: ReadonlyMap<string, boolean> | null
}

export const statementKinds = ['status', 'received', 'seen', 'to send', 'final'] as const
export type Statement = (typeof statementKinds)[number]

/** What each statement must say, by what was committed. Computed from the state, not from the wire. */
export const mustSay: Readonly<Record<Statement, (payment: Payment) => string>> = {
  status: ({ status }) => statusWords[status].label,
  received: ({ received }) => String(received),
  seen: ({ received, pending }) => String(received + pending),
  'to send': ({ terms, received, pending }) => String(restOf(terms.amount, received + pending)),
  final: ({ status, finality }) => String(status === 'succeeded' && finality === 'final'),
}

const restOf = (asked: bigint, seen: bigint): bigint => (asked > seen ? asked - seen : 0n)

/** For people. */
export const howOf = ({ state, transport, provenAt }: Connection, now: Instant): string =>
  `${state} by ${transport}, proven ${provenAt === null ? 'never' : `${now - provenAt} ms ago`}`

/** An amount as it was printed, in units. */
export const unitsOf = (printed: string, { terms }: Payment): string =>
  String(parseAmount(printed, terms.decimals))
