import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { observations } from '../../../test/support/any-observation.ts'
import {
  bornAt,
  clockAt,
  contextAt,
  headAt,
  observeAll,
  observeInSteps,
  opened,
  policy,
  termsOf,
} from '../../../test/support/payments.ts'
import { decide } from './decide.ts'
import { merge, noFacts } from './facts.ts'
import { apply, applyAll, fold } from './fold.ts'
import type { Observation } from './observation.ts'
import type { Payment } from './payment.ts'
import { paymentFromJson, paymentToJson } from './payment-json.ts'
import type { Policy } from './policy.ts'
import { isLostSuccess } from './resolution.ts'
import { isEdge } from './status-model.ts'
import { isContradicted, isIncluded, transfersOf } from './transfer.ts'

const world = observations()
const peopled = observations({ withPeople: true })

/** What a live follower does next in any case: read the head and the clock again. */
const reread = [headAt(60, 99, 55), clockAt(bornAt + 4_000_000)]

/** What must not depend on the order: everything but the times of the events. */
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

/** The same list, cut into steps of one to a dozen. */
const cut = <Item>(items: readonly Item[]): fc.Arbitrary<Item[][]> =>
  fc.infiniteStream(fc.integer({ min: 1, max: 12 })).map((sizes) => {
    const steps: Item[][] = []
    for (let at = 0; at < items.length; ) {
      const size = sizes.next().value ?? 1
      steps.push(items.slice(at, at + size))
      at += size
    }
    return steps
  })

/** Whether it succeeded although a denial holds now. */
const toldDespite = (payment: Payment): boolean =>
  payment.status === 'succeeded' &&
  transfersOf(payment, policy).some((transfer) => isContradicted(transfer, 1))

/** The fields that must be equal in both runs. */
function pickOf(...runs: readonly { payment: Payment }[]) {
  // An emitted success that was lost is history, not a fact, so it may differ between the runs.
  const lost = runs.some(({ payment }) => isLostSuccess(payment))
  // A success that was emitted before its money was denied may differ too: no denial revokes it.
  const denied = runs.some(({ payment }) => toldDespite(payment))
  return (run: { payment: Payment }) => {
    const { status, flags, finality, transfers, ...rest } = standing(run)
    const unsettled = transfers.map((transfer) => transfer.slice(0, -1))
    if (denied) return { ...rest, transfers: unsettled }
    const whole = { flags, finality, transfers, ...rest }
    return lost ? whole : { status, ...whole }
  }
}

describe('a payment after any observations in any order', () => {
  it('has the same facts after any order and any duplication of the same observations', () => {
    const shuffled = peopled.chain((seen) =>
      fc.tuple(
        fc.constant(seen),
        fc.shuffledSubarray([...seen, ...seen], { minLength: seen.length * 2 }),
      ),
    )
    const merged = (seen: readonly Observation[]) =>
      seen.reduce((facts, one) => merge(facts, one, termsOf()), noFacts)
    fc.assert(
      fc.property(shuffled, ([straight, mixed]) => {
        expect(merged(mixed)).toEqual(merged(straight))
      }),
      { numRuns: 1_000 },
    )
  })

  it('ends in the same state when the observations come in steps of any size and order', () => {
    const stepped = world.chain((observations) =>
      fc.record({
        straight: fc.constant(observations),
        steps: fc
          .shuffledSubarray([...observations, ...observations], {
            minLength: observations.length * 2,
          })
          .chain(cut),
      }),
    )
    fc.assert(
      fc.property(stepped, ({ straight, steps }) => {
        const a = observeAll(opened(), [...straight, ...reread])
        const b = observeInSteps(opened(), [...steps, reread])
        const pick = pickOf(a, b)
        expect(pick(b)).toEqual(pick(a))
      }),
      { numRuns: 1_000 },
    )
  })

  it('takes only edges of the table in steps too, and is the fold of its events', () => {
    fc.assert(
      fc.property(peopled.chain(cut), (steps) => {
        const { payment, events } = observeInSteps(opened(), [...steps, reread])
        events.forEach(({ type, data }, i) => {
          expect(data.sequence).toBe(i + 1)
          const from = events[i - 1]?.data.status
          if (from === undefined) return
          expect(data.previousStatus).toBe(from)
          expect(isEdge(from, type, data.status), `${from} -${type}-> ${data.status}`).toBe(true)
        })
        expect(fold(events, () => policy)).toEqual(payment)
      }),
      { numRuns: 1_000 },
    )
  })

  it('folds to the same state in runs of any length and event by event', () => {
    const events = peopled.chain((observations) => {
      const told = observeAll(opened(), [...observations, ...reread]).events
      return cut(told)
    })
    fc.assert(
      fc.property(events, (runs) => {
        let inRuns: Payment | null = null
        let oneByOne: Payment | null = null
        for (const run of runs) {
          inRuns = applyAll(inRuns, run, () => policy)
          for (const event of run) oneByOne = apply(oneByOne, event, () => policy)
          expect(inRuns).toEqual(oneByOne)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('ends in the same state after any order and any duplication of observations', () => {
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
        const pick = pickOf(a, b)
        expect(pick(b)).toEqual(pick(a))
      }),
      { numRuns: 1_000 },
    )
  })

  it('takes no edge outside the table and numbers its events without a gap', () => {
    fc.assert(
      fc.property(peopled, (observations) => {
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
      fc.property(peopled, (observations) => {
        const { payment } = observeAll(opened(), observations)
        const counted = transfersOf(payment, policy).filter(({ stage }) => isIncluded(stage))
        const keys = counted.map(({ txHash, part }) => `${txHash}/${part}`)
        expect(new Set(keys).size).toBe(keys.length)
        expect(payment.received).toBe(counted.reduce((sum, { amount }) => sum + amount, 0n))
      }),
      { numRuns: 1_000 },
    )
  })

  it('is the fold of its events, to the last field, and survives JSON', () => {
    fc.assert(
      fc.property(peopled, (observations) => {
        const { payment, events } = observeAll(opened(), [...observations, ...reread])
        expect(fold(events, () => policy)).toEqual(payment)
        expect(paymentFromJson(JSON.parse(JSON.stringify(paymentToJson(payment))))).toEqual(payment)
      }),
      { numRuns: 500 },
    )
  })

  it('is the fold of its events under a policy with a quorum of two and tiers', () => {
    const strict: Policy = {
      version: 'strict-1',
      chains: {
        local: {
          ...{ settled: 'safe', final: 'finalized', quorum: 2 },
          tiers: { USDC: [{ upTo: '150', settled: 2 }] },
        },
      },
    }
    fc.assert(
      fc.property(peopled, (observations) => {
        let { payment, events } = opened()
        for (const observation of [...observations, ...reread]) {
          const context = { ...contextAt(observation.at), policy: strict }
          const decision = decide(payment, [observation], context)
          payment = decision.payment
          events = [...events, ...decision.events]
        }
        expect(fold(events, () => strict)).toEqual(payment)
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
