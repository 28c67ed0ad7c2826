import { assert } from '@settlewire/core/assert'
import type { EventTexts, Kind, TransactionRow } from '@settlewire/core/history/subject-kind'

/** Money that a merchant sends: a minimal kind of subject that exists only in tests. */
export interface Payout {
  readonly id: string
  readonly merchantId: string
  readonly livemode: boolean
  readonly createdAt: number
  readonly to: string
  readonly amount: bigint
  readonly sequence: number
  readonly status: 'asked' | 'sent' | 'given_up'
  readonly txHash: string | null
}

type Step = 'asked' | 'sent' | 'given_up'

/** The result of its rules, in a shape of their own. */
export interface PayoutMove {
  readonly after: Payout
  readonly told: readonly { readonly id: string; readonly step: Step; readonly at: number }[]
}

const dayMs = 86_400_000

/** Requests a payout: its first event. */
export const ask = (payout: Omit<Payout, 'sequence' | 'status' | 'txHash'>): PayoutMove => ({
  after: { ...payout, sequence: 1, status: 'asked', txHash: null },
  told: [{ id: `${payout.id}_1`, step: 'asked', at: payout.createdAt }],
})

/** The payout is in a transaction, or was given up. */
export function move(payout: Payout, step: 'sent' | 'given_up', txHash: string | null): PayoutMove {
  const sequence = payout.sequence + 1
  const after: Payout = { ...payout, sequence, status: step, txHash }
  return {
    after,
    told: [{ id: `${payout.id}_${sequence}`, step, at: payout.createdAt + sequence }],
  }
}

const dataOf = ({ id, sequence, status, amount }: Payout): string =>
  JSON.stringify({ id, sequence, status, amount: String(amount) })

const evidenceOf = (payout: Payout): string =>
  JSON.stringify({ ...payout, amount: String(payout.amount) })

const read = (text: string): Payout => {
  const payout = JSON.parse(text) as Payout // as `evidenceOf` wrote it
  return { ...payout, amount: BigInt(payout.amount) }
}

const rowOf = ({ txHash, to, amount }: Payout): TransactionRow[] =>
  txHash === null
    ? []
    : [
        {
          ...{ chain: 'local', txHash, number: 7, paid: true, final: true },
          part: JSON.stringify({ txHash }),
          inclusions: [{ blockHash: '0x7', blockNumber: 7, canonical: true, outcome: 'paid' }],
          transfers: [
            {
              ...{ place: '0', token: null, from: '0xus', to, amount },
              ...{ blockNumber: 7, stage: 'included', counts: true },
            },
          ],
        },
      ]

/** The table entry of the kind. */
export const payoutKind: Kind<Payout, PayoutMove> = {
  name: 'payout',
  prefix: 'payout.',
  statuses: ['asked', 'sent', 'given_up'],
  identify: (payout) => payout,
  decided: ({ after, told }) => ({
    state: after,
    events: told.map(
      ({ id, step, at }): EventTexts => ({
        ...{ sequence: after.sequence, id, type: `payout.${step}`, at },
        ...{ dataJson: dataOf(after), evidenceJson: evidenceOf(after) },
      }),
    ),
  }),
  project: (payout) => ({
    standing: JSON.stringify({ sequence: payout.sequence, status: payout.status }),
    ...{ createdAt: payout.createdAt, reference: null, status: payout.status, flags: [] },
    ...{ dueAt: payout.createdAt + dayMs, addresses: [], transactions: rowOf(payout) },
  }),
  revive: ({ opening, standing, parts }) => {
    const [part] = JSON.parse(parts) as Pick<Payout, 'txHash'>[] // as `project` wrote it
    const moved = JSON.parse(standing) as Pick<Payout, 'sequence' | 'status'> // as above
    return { ...read(opening), ...moved, txHash: part?.txHash ?? null }
  },
  apply: (before, events) => {
    let payout = before
    for (const { sequence, evidenceJson } of events) {
      assert(sequence === (payout?.sequence ?? 0) + 1, 'sequences have no gap')
      payout = read(evidenceJson)
    }
    assert(payout !== null, 'a payout has a first event')
    return payout
  },
  nextDeadline: ({ createdAt }) => createdAt + dayMs,
}
