import { assert } from '@settlewire/core/assert'
import type { Observation, Source } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import type { ChainHead } from '@settlewire/core/payment/policy'
import { canonicalInclusion, isPending } from '@settlewire/core/payment/transaction'
import type { Sighting } from '../../ports/chain.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import { type Judge, observe } from '../payment/observe.ts'
import { readable } from '../write/draft.ts'
import type { PaymentWriter } from '../write/writer.ts'
import { knownMax } from './noise.ts'
import type { WatchIndex } from './watch-index.ts'
import type { WatchedChain } from './watched-chain.ts'

export interface SightingsOptions extends Judge {
  readonly clock: Pick<Clock, 'now' | 'random'>
  readonly writer: PaymentWriter
  readonly index: WatchIndex
  readonly log: Log
  /** The head of a chain as of the last stored step. */
  readonly headOf: (chain: string) => ChainHead | null
  /**
   * How many sightings may wait for the writer. Beyond that they are dropped: their block counts.
   */
  readonly pendingMax?: number
}

const pendingMaxDefault = 10_000

/** Records pending transactions in the payments they concern. */
export class Sightings {
  readonly #options: SightingsOptions
  #pendingCount = 0
  #isShedding = false

  constructor(options: SightingsOptions) {
    this.#options = options
  }

  /**
   * For the socket: never awaited. Drops sightings when too many wait, because their block counts.
   */
  take(chain: string, source: Source, sightings: readonly Sighting[]): void {
    const { log, pendingMax = pendingMaxDefault } = this.#options
    if (this.#pendingCount + sightings.length > pendingMax) {
      if (!this.#isShedding)
        log.warn(
          { chain },
          'too many pending transfers are waiting; dropping new ones until their block comes',
        )
      this.#isShedding = true
      return
    }
    this.#isShedding = false
    this.#pendingCount += sightings.length
    this.see(chain, source, sightings)
      .catch((error: unknown) => {
        log.warn(
          { chain, error },
          'pending transfers were not recorded; their block will record them',
        )
      })
      .finally(() => {
        this.#pendingCount -= sightings.length
      })
  }

  /** Resolves when everything new in these sightings is recorded. */
  async see(chain: string, source: Source, sightings: readonly Sighting[]): Promise<void> {
    const { index, writer, headOf, clock } = this.#options
    const watched = index.chain(chain)
    if (watched === null) return
    const view = headOf(chain)?.view ?? 0
    const origin = { source, at: clock.now(), chain, view }
    const byPayment = groupByPayment(watched, sightings)
    if (byPayment.size === 0) return
    // Before the commit, because the block with the transaction may be delivered while this
    // commits.
    each(byPayment, (id, { txHash }) => watched.expect(id, txHash))
    try {
      const payments = await writer.submit({
        ids: [...byPayment.keys()],
        decide: (payments) => {
          const decisions = [...byPayment].flatMap(([id, ofThisPayment]) => {
            const payment = readable(payments, id)
            if (payment === null) return []
            const news = ofThisPayment.filter((sighting) => isNews(payment, chain, sighting))
            const observations = news.map((sighting) => observationOf(payment, sighting, origin))
            return [observe(payment, observations, this.#options)]
          })
          return { decisions, answer: decisions.map((decision) => decision.payment) }
        },
      })
      // A sighting without news made no commit, so the index is updated here.
      for (const payment of payments) index.record(payment)
    } finally {
      each(byPayment, (id, { txHash }) => watched.unexpect(id, txHash))
    }
  }
}

/**
 * Sightings by payment: the payments that each pays, and those it contends with and does not pay.
 */
function groupByPayment(
  watched: WatchedChain,
  sightings: readonly Sighting[],
): ReadonlyMap<string, readonly Sighting[]> {
  const byPayment = new Map<string, Sighting[]>()
  const add = (paymentId: string, sighting: Sighting): void => {
    const known = byPayment.get(paymentId)
    if (known === undefined) byPayment.set(paymentId, [sighting])
    else known.push(sighting)
  }
  const paidIds = sightings.map(({ transfer }) =>
    transfer === null || transfer.amount === 0n ? null : watched.payee(transfer.to),
  )
  const pays = new Set(sightings.map(({ txHash }, i) => `${txHash} ${paidIds[i]}`))
  for (const [i, sighting] of sightings.entries()) {
    const { txHash, contest } = sighting
    const paidId = paidIds[i] ?? null
    if (paidId !== null) add(paidId, sighting)
    if (contest === null) continue
    for (const paymentId of watched.contenders(contest, txHash)) {
      // A batch that pays several payments is no rival of those that it pays.
      if (!pays.has(`${txHash} ${paymentId}`)) add(paymentId, { ...sighting, transfer: null })
    }
  }
  return byPayment
}

function each(
  byPayment: ReadonlyMap<string, readonly Sighting[]>,
  call: (paymentId: string, sighting: Sighting) => void,
): void {
  for (const [paymentId, sightings] of byPayment) {
    for (const sighting of sightings) call(paymentId, sighting)
  }
}

interface SightingOrigin {
  readonly source: Source
  readonly at: number
  readonly chain: string
  readonly view: number
}

function observationOf(payment: Payment, sighting: Sighting, origin: SightingOrigin): Observation {
  const { txHash, transfer, contest, preconfirmed } = sighting
  const common = { ...origin, view: viewOf(payment, txHash, origin) }
  const withContest = contest === null ? {} : { contest }
  if (transfer !== null) {
    const withPromise = preconfirmed ? { preconfirmed } : {}
    return { ...common, kind: 'mempool', transfer, ...withContest, ...withPromise }
  }
  assert(contest !== null, 'a rival is known by its contest')
  return { ...common, kind: 'rival', txHash, contest }
}

/**
 * A transaction seen after it was dropped gets at least the view of the drop, which it takes back.
 */
function viewOf({ facts }: Payment, txHash: string, { chain, view }: SightingOrigin): number {
  const known = facts.transactions.find((it) => it.chain === chain && it.txHash === txHash)
  return Math.max(view, known?.droppedView ?? 0)
}

/** Whether a sighting adds anything: sockets deliver repeatedly and late. */
function isNews(payment: Payment, chain: string, sighting: Sighting): boolean {
  const { txHash, transfer, contest, preconfirmed } = sighting
  const { transactions } = payment.facts
  const known = transactions.find((it) => it.chain === chain && it.txHash === txHash)
  // Pool transactions cost their sender nothing, so beyond this number only blocks add
  // transactions.
  if (known === undefined) return transactions.length < knownMax
  if (canonicalInclusion(known) !== null) return false
  if (!isPending(known)) return true
  if (transfer === null) return false
  return (
    known.hint === null ||
    (contest !== null && (known.contest ?? null) === null) ||
    (preconfirmed && known.preconfirmed !== true)
  )
}
