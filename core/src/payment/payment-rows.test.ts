import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { observations } from '../../../test/support/any-observation.ts'
import {
  blockAt,
  deposit,
  headAt,
  included,
  inMempool,
  observeAll,
  opened,
  payer,
  reorged,
  usdc,
} from '../../../test/support/payments.ts'
import type { Projection, TransactionRow } from '../history/subject-kind.ts'
import { textsOf } from './event-text.ts'
import { paymentToJson } from './payment-json.ts'
import { paymentKind } from './payment-kind.ts'

const full = 150_000_000n

/** The texts as a database returns them. */
const storedAs = ({ payment, events }: ReturnType<typeof opened>, projection: Projection) => ({
  id: payment.id,
  createdAt: payment.createdAt,
  opening: events.map(textsOf)[0]?.evidenceJson ?? '',
  standing: projection.standing,
  parts: `[${projection.transactions.map(({ part }) => part).join()}]`,
})

const rowIn = (projection: Projection): TransactionRow => {
  const [row] = projection.transactions
  if (row === undefined) throw new Error('there is no transaction')
  return row
}

describe('the stored rows of a payment', () => {
  it('restore the whole payment together with its first event', () => {
    fc.assert(
      fc.property(observations({ withPeople: true }), (seen) => {
        const after = observeAll(opened({ reference: 'a "b"', metadata: { $big: '7' } }), seen)
        const projection = paymentKind.project(after.payment)
        expect(paymentKind.revive(storedAs(after, projection))).toEqual(after.payment)
        expect(JSON.parse(JSON.stringify(paymentToJson(after.payment)))).toMatchObject(
          JSON.parse(projection.standing),
        )
      }),
      { numRuns: 100 },
    )
  })

  it('say of each transfer in which block it is, and whether it counts', () => {
    const seen = observeAll(opened(), [inMempool('0x1', full)])
    expect(rowIn(paymentKind.project(seen.payment))).toMatchObject({
      ...{ chain: 'local', txHash: '0x1', number: null, paid: false, final: false, inclusions: [] },
      transfers: [
        {
          ...{ place: 'hint', token: usdc, from: payer, to: deposit, amount: full },
          ...{ blockNumber: null, stage: 'mempool', counts: false },
        },
      ],
    })
    const paid = observeAll(seen, [included('0x1', full, blockAt(9), 1)])
    const { hash } = blockAt(9)
    expect(rowIn(paymentKind.project(paid.payment))).toMatchObject({
      ...{ number: 9, paid: true, final: false },
      inclusions: [{ blockHash: hash, blockNumber: 9, canonical: true, outcome: 'paid' }],
      transfers: [{ blockNumber: 9, stage: 'included', counts: true, amount: full }],
    })
    const undone = observeAll(paid, [reorged('0x1', blockAt(9), { view: 2 })])
    expect(rowIn(paymentKind.project(undone.payment))).toMatchObject({
      ...{ number: null, paid: false },
      inclusions: [{ blockHash: hash, canonical: false }],
      transfers: [{ blockNumber: null, stage: 'reorged', counts: false }],
    })
  })

  it('keep the same transaction rows while only the head moves', () => {
    const paid = observeAll(opened(), [included('0x1', full, blockAt(9), 1)])
    const later = observeAll(paid, [headAt(10, 2)])
    expect(later.payment).not.toBe(paid.payment)
    const [before, after] = [paid, later].map(({ payment }) => rowIn(paymentKind.project(payment)))
    expect(after?.part).toBe(before?.part)
    expect(after?.inclusions).toBe(before?.inclusions)
    expect(after?.transfers).toBe(before?.transfers)
  })
})
