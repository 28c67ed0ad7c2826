import fc from 'fast-check'
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
  policy,
  reorged,
  reverted,
} from '../../test/support/payments.ts'
import { fold } from './fold.ts'
import type { Observation } from './observation.ts'
import type { Payment } from './payment.ts'
import { paymentFromJson, paymentToJson } from './payment-json.ts'
import { isEdge } from './status-model.ts'
import { isIncluded, transfersOf } from './transfer.ts'

const full = 150_000_000n
const hashes = ['0x1', '0x2', '0x3']
const amounts = [full, 75_000_000n, 50_000_000n, full + 1n]

/** Each hash moves one amount and is mined at one height, as on a chain: only forks and fates vary. */
const amountOf = (hash: string, seed: number) => amounts[(seed + Number(hash)) % 4] ?? full
const heightOf = (hash: string) => 10 + Number(hash)

const observation = (seed: number): fc.Arbitrary<Observation> =>
  fc
    .record({
      kind: fc.constantFrom(
        'mempool',
        'included',
        'included',
        'reorged',
        'reverted',
        'head',
        'clock',
      ),
      hash: fc.constantFrom(...hashes),
      fork: fc.constantFrom('a', 'b'),
      view: fc.integer({ min: 1, max: 30 }),
      inMempool: fc.boolean(),
    })
    .map(({ kind, hash, fork, view, inMempool: known }): Observation => {
      const amount = amountOf(hash, seed)
      // A hash is reverted in one fork only, and a block hash always says the same of it.
      const block = blockAt(heightOf(hash), kind === 'reverted' ? 'c' : fork)
      switch (kind) {
        case 'mempool':
          return inMempool(hash, amount, view)
        case 'included':
          return included(hash, amount, block, view * 2)
        case 'reverted':
          return reverted(hash, block, view * 2)
        case 'reorged':
          return reorged(hash, block, { view: view * 2 + 1, inMempool: known })
        case 'head':
          return headAt(10 + view, view, view > 15 ? view - 5 : null)
        default:
          return clockAt(bornAt + view * 100_000)
      }
    })

const world = fc
  .integer({ min: 0, max: 3 })
  .chain((seed) => fc.array(observation(seed), { maxLength: 40 }))

/** What a live follower always does next: read the head and the clock again. */
const reread = [headAt(60, 99, 55), clockAt(bornAt + 4_000_000)]

/** What must not depend on the order: everything but when things were told. */
const standing = ({ payment }: { payment: Payment }) => ({
  transfers: transfersOf(payment, policy)
    .map(({ txHash, amount, stage, block, settled }) => [
      ...[txHash, amount, isIncluded(stage) ? 'included' : stage, block?.hash, settled],
    ])
    .sort(),
  received: payment.received,
  pending: payment.pending,
  status: payment.status,
  flags: payment.flags,
  finality: payment.finality,
  detectedAt: payment.detectedAt,
})

describe('whatever happens in whatever order', () => {
  it('folds any order and any duplication of the same observations to the same final state', () => {
    const shuffled = world.chain((observations) =>
      fc.record({
        straight: fc.constant(observations),
        mixed: fc.shuffledSubarray(
          [...observations, ...observations, ...observations.slice(0, 5)],
          {
            minLength: observations.length * 2 + Math.min(5, observations.length),
          },
        ),
      }),
    )
    fc.assert(
      fc.property(shuffled, ({ straight, mixed }) => {
        const a = observeAll(opened(), [...straight, ...reread])
        const b = observeAll(opened(), [...mixed, ...reread])
        // A success that was told and then lost is history, not a fact: it differs by right.
        const lost = [a, b].some(({ payment }) => payment.reason === 'reorged_after_success')
        const pick = (run: { payment: Payment }) => {
          const { status, ...rest } = standing(run)
          return lost ? rest : { status, ...rest }
        }
        expect(pick(b)).toEqual(pick(a))
      }),
      { numRuns: 1_000 },
    )
  })

  it('takes no edge outside the table and numbers its events without a gap', () => {
    fc.assert(
      fc.property(world, (observations) => {
        const { events } = observeAll(opened(), [...observations, ...reread])
        events.forEach(({ type, data }, i) => {
          expect(data.sequence).toBe(i + 1)
          const from = events[i - 1]?.data.status
          if (from === undefined) return
          expect(data.previousStatus).toBe(from)
          expect(isEdge(from, type, data.status), `${from} -${type}-> ${data.status}`).toBe(true)
        })
      }),
      { numRuns: 1_000 },
    )
  })

  it('counts no transfer twice', () => {
    fc.assert(
      fc.property(world, (observations) => {
        const { payment } = observeAll(opened(), observations)
        const counted = transfersOf(payment, policy).filter(({ stage }) => isIncluded(stage))
        const keys = counted.map(({ txHash, ordinal }) => `${txHash}/${ordinal}`)
        expect(new Set(keys).size).toBe(keys.length)
        expect(payment.received).toBe(counted.reduce((sum, { amount }) => sum + amount, 0n))
      }),
      { numRuns: 1_000 },
    )
  })

  it('is the fold of its events, to the last field, also through JSON', () => {
    fc.assert(
      fc.property(world, (observations) => {
        const { payment, events } = observeAll(opened(), [...observations, ...reread])
        expect(fold(events, () => policy)).toEqual(payment)
        expect(paymentFromJson(JSON.parse(JSON.stringify(paymentToJson(payment))))).toEqual(payment)
      }),
      { numRuns: 500 },
    )
  })

  it('never expires a payment before every accepted chain was read past its deadline', () => {
    const times = fc.tuple(
      fc.integer({ min: 0, max: 4_000_000 }),
      fc.integer({ min: 0, max: 4_000_000 }),
    )
    fc.assert(
      fc.property(fc.array(times, { minLength: 1, maxLength: 10 }), (reads) => {
        const { payment } = observeAll(
          opened(),
          reads.map(([at, through]) => clockAt(bornAt + at, bornAt + Math.min(at, through))),
        )
        const readPast = reads.some(([at, through]) => Math.min(at, through) > 1_800_000)
        if (payment.status === 'expired') expect(readPast).toBe(true)
        if (readPast) expect(payment.status).toBe('expired')
      }),
    )
  })
})
