import { describe, expect, it } from 'vitest'
import {
  blockAt,
  bornAt,
  clockAt,
  headAt,
  included,
  inMempool,
  observeAll,
  opened,
  payer,
  policy,
  termsOf,
  transfer,
} from '../../../test/support/payments.ts'
import type { BlockRef, Included, Observation, SeenTransfer } from '../payment/observation.ts'
import type { Terms } from '../payment/payment.ts'
import { transfersOf } from '../payment/transfer.ts'

const full = 150_000_000n
const [accept] = termsOf().accept
const expiresAt = bornAt + 1_800_000
const { monitorUntil } = termsOf()

const bridged = `0x${'cb'.repeat(20)}`
const arrived = (transfers: readonly SeenTransfer[], block: BlockRef, view = 1): Included => ({
  ...included(transfers[0]?.txHash ?? '0x1', 0n, block, view),
  transfers,
})
const elsewhere = (txHash: string): Observation => ({
  ...included(txHash, full, blockAt(10), 1),
  chain: 'otherchain',
})
/** Included in a block of that time, and seen by us one second later. */
const paidAt = (txHash: string, amount: bigint, at: number): Observation => ({
  ...included(txHash, amount, { ...blockAt(900_000), minedAt: at }, 50),
  at: at + 1_000,
})
const over = clockAt(expiresAt + 1)
const deep = headAt(900_100, 60)
const withdrawn: Observation = {
  ...{ kind: 'withdrawn', source: 'merchant', at: bornAt + 5, reason: 'out of stock' },
}
const dusty: Partial<Terms> = {
  accept: accept === undefined ? [] : [{ ...accept, dust: 10_000n }],
}

interface Case {
  readonly says: string
  readonly terms?: Partial<Terms>
  readonly seen: readonly Observation[]
  readonly status: string
  readonly flags: readonly string[]
  readonly received: bigint
  readonly ignored?: readonly (string | null)[]
  readonly reason?: string
}

const cases: readonly Case[] = [
  {
    says: 'a part',
    seen: [included('0x1', 50_000_000n, blockAt(10), 1), headAt(12, 2)],
    ...{ status: 'awaiting', flags: ['underpaid'], received: 50_000_000n },
  },
  {
    says: 'a part, when time is over',
    seen: [included('0x1', 50_000_000n, blockAt(10), 1), headAt(12, 2), over],
    ...{ status: 'expired', flags: ['underpaid'], received: 50_000_000n },
  },
  {
    says: 'exactly the amount',
    seen: [included('0x1', full, blockAt(10), 1), headAt(12, 2)],
    ...{ status: 'succeeded', flags: [], received: full },
  },
  {
    says: 'more than the amount',
    seen: [included('0x1', full + 1n, blockAt(10), 1), headAt(12, 2)],
    ...{ status: 'succeeded', flags: ['overpaid'], received: full + 1n },
  },
  {
    says: 'less, within the tolerance',
    terms: { tolerance: 1n },
    seen: [included('0x1', full - 1n, blockAt(10), 1), headAt(12, 2)],
    ...{ status: 'succeeded', flags: [], received: full - 1n },
  },
  {
    says: '0.999999 of the amount, one unit below the tolerance',
    terms: { tolerance: 149n },
    seen: [included('0x1', full - 150n, blockAt(10), 1), headAt(12, 2)],
    ...{ status: 'awaiting', flags: ['underpaid'], received: full - 150n },
  },
  {
    says: 'the amount a second late',
    seen: [over, paidAt('0x1', full, expiresAt + 1_000), deep],
    ...{ status: 'succeeded', flags: ['late'], received: full },
  },
  {
    says: 'the amount an hour late',
    seen: [over, paidAt('0x1', full, expiresAt + 3_600_000), deep],
    ...{ status: 'succeeded', flags: ['late'], received: full },
  },
  {
    says: 'the amount after the end of the watch',
    seen: [over, paidAt('0x1', full, monitorUntil + 1_000), deep],
    ...{ status: 'investigation_required', flags: ['late'], received: full },
    reason: 'paid_after_watch',
  },
  {
    says: 'the amount within the watch, read only after it because of an outage',
    seen: [over, { ...paidAt('0x1', full, monitorUntil - 1), at: monitorUntil + 60_000 }, deep],
    ...{ status: 'succeeded', flags: ['late'], received: full },
  },
  {
    says: 'a part in time, and the rest after the end of the watch',
    seen: [
      included('0x1', 100_000_000n, blockAt(10), 1),
      over,
      paidAt('0x2', 50_000_000n, monitorUntil + 1_000),
      deep,
    ],
    ...{ status: 'investigation_required', received: full, reason: 'paid_after_watch' },
    flags: ['late', 'multiple_transfers'],
  },
  {
    says: 'the amount again, after success',
    seen: [
      included('0x1', full, blockAt(10), 1),
      headAt(12, 2),
      included('0x2', full, blockAt(13), 3),
    ],
    ...{ status: 'succeeded', received: 2n * full },
    flags: ['overpaid', 'multiple_transfers', 'duplicate_payment'],
  },
  {
    says: 'the amount again, after success and after the end of the watch',
    seen: [
      included('0x1', full, blockAt(10), 1),
      headAt(12, 2),
      paidAt('0x2', full, monitorUntil + 1_000),
    ],
    ...{ status: 'succeeded', received: 2n * full },
    flags: ['overpaid', 'late', 'multiple_transfers', 'duplicate_payment'],
  },
  {
    says: 'several transfers in one transaction',
    seen: [
      arrived(
        [0, 1, 2].map((n) => transfer('0x1', 50_000_000n, n)),
        blockAt(10),
      ),
      headAt(12, 2),
    ],
    ...{ status: 'succeeded', flags: ['multiple_transfers'], received: full },
    ignored: [null, null, null],
  },
  {
    says: 'money after it was withdrawn',
    seen: [withdrawn, included('0x1', full, blockAt(10), 1), headAt(12, 2)],
    ...{ status: 'investigation_required', flags: [], received: full, reason: 'paid_after_cancel' },
  },
  {
    says: 'a token that was not asked for',
    seen: [arrived([{ ...transfer('0x1', full), token: `0x${'dd'.repeat(20)}` }], blockAt(10))],
    ...{ status: 'awaiting', flags: ['wrong_token'], received: 0n, ignored: ['wrong_token'] },
  },
  {
    says: 'a bridged copy of the token, with the same symbol',
    seen: [
      arrived([{ ...transfer('0x1', full), token: bridged }], blockAt(10)),
      headAt(12, 2),
      over,
    ],
    ...{ status: 'expired', flags: ['wrong_token'], received: 0n, ignored: ['wrong_token'] },
  },
  {
    says: 'native coin where only the token is accepted',
    seen: [arrived([{ ...transfer('0x1', full, 'top'), token: null }], blockAt(10))],
    ...{ status: 'awaiting', flags: ['wrong_token'], received: 0n, ignored: ['wrong_token'] },
  },
  {
    says: 'the right token on a chain that is not accepted',
    seen: [elsewhere('0x1')],
    ...{ status: 'awaiting', flags: ['wrong_chain'], received: 0n, ignored: ['wrong_chain'] },
  },
  {
    says: 'dust, one unit below the limit',
    terms: dusty,
    seen: [included('0x1', 9_999n, blockAt(10), 1)],
    ...{ status: 'awaiting', flags: ['dust'], received: 0n, ignored: ['dust'] },
  },
  {
    says: 'the smallest amount that is no dust',
    terms: dusty,
    seen: [included('0x1', 10_000n, blockAt(10), 1)],
    ...{ status: 'awaiting', flags: ['underpaid'], received: 10_000n, ignored: [null] },
  },
  {
    says: 'dust on top of a success',
    terms: dusty,
    seen: [
      included('0x1', full, blockAt(10), 1),
      headAt(12, 2),
      included('0x2', 1n, blockAt(12), 3),
    ],
    ...{ status: 'succeeded', flags: ['dust'], received: full, ignored: [null, 'dust'] },
  },
  {
    says: 'a transfer of zero, as address poisoning sends',
    seen: [included('0x1', 0n, blockAt(10), 1)],
    ...{ status: 'awaiting', flags: [], received: 0n, ignored: ['zero'] },
  },
  {
    says: 'less than the calldata asked for, because the token kept a fee',
    seen: [inMempool('0x1', full), included('0x1', 149_000_000n, blockAt(10), 1), headAt(12, 2)],
    ...{ status: 'awaiting', received: 149_000_000n },
    flags: ['underpaid', 'fee_on_transfer'],
  },
  {
    says: 'a token fee within the tolerance, with calldata read from the block',
    terms: { tolerance: 2_000_000n },
    seen: [
      {
        ...included('0x1', 149_000_000n, blockAt(10), 1),
        hint: transfer('0x1', full, 'hint'),
      },
      headAt(12, 2),
    ],
    ...{ status: 'succeeded', flags: ['fee_on_transfer'], received: 149_000_000n },
  },
  {
    says: 'two transfers where the calldata asked for one',
    seen: [
      inMempool('0x1', full),
      arrived([transfer('0x1', 100_000_000n, 0), transfer('0x1', 50_000_000n, 1)], blockAt(10)),
    ],
    ...{ status: 'confirming', flags: ['multiple_transfers'], received: full },
  },
]

describe('a payment that receives', () => {
  it.each(cases)('$says', ({ terms, seen, status, flags, received, ignored, reason }) => {
    const { payment } = observeAll(opened(terms), seen)
    expect(payment.status).toBe(status)
    expect(payment.flags).toEqual(flags)
    expect(payment.received).toBe(received)
    if (ignored !== undefined) {
      expect(transfersOf(payment, policy).map((one) => one.ignored)).toEqual(ignored)
    }
    if (reason !== undefined) expect(payment.reason).toBe(reason)
  })

  it('less of a wrong token than its calldata asked for: no fee_on_transfer flag', () => {
    const hint = { ...transfer('0x1', full, 'hint'), token: bridged }
    const came = { ...transfer('0x1', full - 1n), token: bridged }
    const { payment } = observeAll(opened(), [{ ...arrived([came], blockAt(10)), hint }])
    expect(payment.flags).toEqual(['wrong_token'])
  })

  it('a wrong token: its ignored transfer shows the payer, the token and the units', () => {
    const came = { ...transfer('0x1', 7n), token: bridged }
    const { payment } = observeAll(opened(), [arrived([came], blockAt(10))])
    expect(transfersOf(payment, policy)[0]).toMatchObject({
      ...{ stage: 'ignored', ignored: 'wrong_token', token: bridged, units: 7n, amount: 0n },
      ...{ from: payer, accept: null, confirmations: 0, settled: false },
    })
  })

  it('the same hash on two chains: two separate transactions', () => {
    const { payment } = observeAll(opened(), [
      elsewhere('0x1'),
      included('0x1', full, blockAt(10), 1),
    ])
    expect(payment.received).toBe(full)
    expect(payment.flags).toEqual(['wrong_chain'])
  })

  it('native coin where it is accepted: the amount in 18 decimal places', () => {
    const native = { asset: 'ETH', token: null, decimals: 18 }
    const way = accept === undefined ? [] : [{ ...accept, ...native }]
    const start = opened({ accept: way, decimals: 18, amount: 10n ** 18n, currency: 'ETH' })
    const parts = [
      { ...transfer('0x1', 4n * 10n ** 17n, 'top'), token: null },
      { ...transfer('0x1', 6n * 10n ** 17n, 'trace:0.1'), token: null },
    ] as const
    const { payment } = observeAll(start, [arrived(parts, blockAt(10)), headAt(12, 2)])
    expect(payment.status).toBe('succeeded')
    expect(payment.received).toBe(10n ** 18n)
  })
})
