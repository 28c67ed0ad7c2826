import type { Projection } from '@settlewire/core/history/subject-kind'
import { describe, expect, it } from 'vitest'
import { checkRows, type Expected, type OwnRows } from './row-check.ts'

const projection: Projection = {
  ...{ standing: '{}', createdAt: 0, reference: null, status: 'awaiting', flags: [], dueAt: null },
  addresses: ['0xa', '0xb', '0xc'],
  transactions: [],
}
const expected: Expected = {
  identity: { id: 'pi_1', merchantId: 'mer_1', livemode: false, sequence: 1 },
  ...{ projection, name: 'payment_intent pi_1', kind: 'payment_intent', sequence: 1, seal: 'ab' },
  hasNoDeadline: true,
}

const rowsWith = (...addresses: readonly string[]): OwnRows => ({
  subject: [
    {
      ...{ kind: 'payment_intent', merchant_id: 'mer_1', livemode: 'f', reference: null },
      ...{ status: 'awaiting', flags: '{}', created_at: '1970-01-01 00:00:00+00', due_at: null },
    },
  ],
  subject_state: [{ sequence: '1', head_seal: '\\xab', standing: '{}' }],
  subject_address: addresses.map((address) => ({ address, merchant_id: 'mer_1' })),
  ...{ transaction: [], inclusion: [], transfer: [] },
})

const findings = (rows: OwnRows): readonly string[] =>
  checkRows(rows, expected).map(({ where, what }) => `${where}: ${what}`)

describe('checkRows', () => {
  const where = 'row of subject_address of payment_intent pi_1'

  it('finds nothing in rows that match the events, in any order', () => {
    expect(findings(rowsWith('0xa', '0xb', '0xc'))).toEqual([])
    expect(findings(rowsWith('0xc', '0xa', '0xb'))).toEqual([])
  })

  it('reports only the missing row, and no difference in the rows after it', () => {
    expect(findings(rowsWith('0xb', '0xc'))).toEqual([
      `${where}: a row is missing: {"address":"0xa","merchant_id":"mer_1"}`,
    ])
  })

  it('reports only the unexpected row, and no difference in the rows after it', () => {
    expect(findings(rowsWith('0x0', '0xa', '0xb', '0xc'))).toEqual([
      `${where}: unexpected row: {"address":"0x0","merchant_id":"mer_1"}`,
    ])
  })

  it('reports a second row with the same key', () => {
    expect(findings(rowsWith('0xa', '0xa', '0xb', '0xc'))).toEqual([
      `${where}: unexpected row: {"address":"0xa","merchant_id":"mer_1"}`,
    ])
  })

  it('reports a changed key as one difference', () => {
    expect(findings(rowsWith('0xa', '0xmine', '0xc'))).toEqual([
      `${where}: address is "0xmine", its events say "0xb"`,
    ])
  })
})
