import type { Observation, ResolutionAction } from '@settlewire/core/payment/observation'
import { resolutionActions } from '@settlewire/core/payment/observation'
import fc from 'fast-check'
import {
  claimed,
  contestAt,
  decided,
  denied,
  dropped,
  includedIn,
  movedNothing,
  pendingIn,
  rival,
} from './observations.ts'
import { blockAt, bornAt, clockAt, headAt, included, reorged, reverted } from './payments.ts'

const full = 150_000_000n
const amounts = [full, 75_000_000n, 50_000_000n, full + 1n]

/** Properties that a hash determines: the amount, the height, and the contest key. */
const hashes = ['0x1', '0x2', '0x3', '0x4'] as const
const amountOf = (hash: string, seed: number) => amounts[(seed + Number(hash)) % 4] ?? full
const heightOf = (hash: string) => 10 + Number(hash)
/** In one of two worlds the first three share a contest; the fourth never has a contest key. */
const contestOf = (hash: string, seed: number) =>
  contestAt(seed % 2 === 0 ? 7 : Number(hash), BigInt((Number(hash) * 5 + seed) % 4))

const kinds = [
  ...(['mempool', 'mempool', 'included', 'included', 'reorged', 'reverted', 'used_up'] as const),
  ...(['rival', 'claimed', 'dropped', 'denied', 'head', 'clock'] as const),
] as const
const people = ['withdrawn', 'resolved'] as const

interface Drawn {
  readonly kind: (typeof kinds)[number] | (typeof people)[number]
  readonly hash: (typeof hashes)[number]
  readonly fork: string
  readonly view: number
  readonly yes: boolean
  readonly source: string
  readonly action: ResolutionAction
}

const drawn = (withPeople: boolean): fc.Arbitrary<Drawn> =>
  fc.record({
    kind: fc.constantFrom(...kinds, ...(withPeople ? people : [])),
    hash: fc.constantFrom(...hashes),
    fork: fc.constantFrom('a', 'b'),
    view: fc.integer({ min: 1, max: 30 }),
    yes: fc.boolean(),
    source: fc.constantFrom('rpc:one', 'rpc:two'),
    action: fc.constantFrom(...resolutionActions),
  })

/** Observations of all kinds in one world, in any order; those of one hash agree. */
export const observations = ({
  withPeople = false,
}: {
  withPeople?: boolean
} = {}): fc.Arbitrary<Observation[]> =>
  fc.integer({ min: 0, max: 7 }).chain((seed) =>
    fc.array(
      drawn(withPeople).map((one) => observationOf(one, seed)),
      { maxLength: 40 },
    ),
  )

function observationOf(one: Drawn, seed: number): Observation {
  const { kind, hash, view, yes, source } = one
  const contest = contestOf(hash, seed)
  const saysContest = hash !== '0x4'
  const seen = observationFor(one, { seed, contest, saysContest })
  const isByNode = !['clock', 'withdrawn', 'resolved', 'claimed'].includes(kind)
  // Two heads of one view and number may differ in their provider counts.
  const counted =
    kind === 'head' && yes ? { witnesses: (view % 3) + 1, disagree: view % 5 === 0 } : {}
  return { ...seen, ...(isByNode && { source }), ...counted } as Observation // a union, spread
}

function observationFor(
  { kind, hash, fork, view, yes, action }: Drawn,
  {
    seed,
    contest,
    saysContest,
  }: { seed: number; contest: ReturnType<typeof contestAt>; saysContest: boolean },
): Observation {
  const amount = amountOf(hash, seed)
  // A block always gives one hash the same outcome: each outcome has forks of its own.
  const block = blockAt(heightOf(hash), fork)
  switch (kind) {
    case 'mempool':
      return pendingIn(hash, amount, {
        ...(saysContest && yes && { contest }),
        view,
        preconfirmed: view > 28,
      })
    case 'rival':
      // The fifth hash pays none of our addresses and contends with the first.
      return rival('0x5', contestAt(seed % 2 === 0 ? 7 : 1, BigInt(seed % 5)), view)
    case 'claimed':
      return claimed(yes ? hash : '0x6', view)
    case 'dropped':
      return dropped(yes ? hash : '0x5', view)
    case 'included':
      return saysContest && yes
        ? includedIn(hash, amount, { block, view: view * 2, contest })
        : included(hash, amount, block, view * 2)
    case 'reverted':
      return reverted(hash, blockAt(heightOf(hash), 'c'), view * 2)
    case 'used_up':
      return movedNothing(hash, 'replaced', { block: blockAt(20, 'd'), view: view * 2 })
    case 'denied':
      return denied(hash, block, view * 2)
    case 'reorged':
      return reorged(hash, yes ? block : blockAt(20, 'd'), { view: view * 2 + 1, inMempool: yes })
    case 'head':
      return headAt(10 + view, view, view > 15 ? view - 5 : null)
    case 'clock':
      return clockAt(bornAt + view * 100_000)
    case 'withdrawn':
      return { kind, source: 'merchant', at: bornAt + view, reason: fork }
    case 'resolved':
      return decided(action, bornAt + view * 50_000, fork)
  }
}
