import type { Evidence } from '@settlewire/core/payment/event'
import type { Payment } from '@settlewire/core/payment/payment'
import { findTransaction, wordsOn } from '@settlewire/core/payment/transaction'
import { sourceOf } from '../../server/src/chain/evm/evm-chain.ts'
import type { Statement } from './hearing.ts'
import type { Testimony } from './testimony.ts'
import type { Timeline } from './timeline.ts'

/** The process that a statement arrived at. */
export interface Listener {
  /** Since when it has run without a pause, by the timeline. */
  readonly awakeSince: number
  follows(chain: string): boolean
}

export interface DenialsParts {
  readonly timeline: Pick<Timeline, 'elapsed' | 'after'>
  readonly testimony: Pick<Testimony, 'showers'>
  readonly payments: ReadonlyMap<string, Payment>
  /** Payments that are no longer watched. */
  readonly over: ReadonlySet<string>
}

interface Heard extends Statement {
  readonly at: number
}

/** A denial that must be in the history of a payment. */
interface Owed {
  readonly paymentId: string
  readonly listener: Listener
  readonly heard: Heard
}

/** A fact of a history, by when it was committed. */
interface Recorded {
  readonly at: number
  readonly kind: 'denied' | 'included' | 'reorged'
}

/**
 * A process that dies, pauses or loses the chain within this time may not have stored a denial, and
 * a node may take it back within this time.
 */
const storedWithinMs = 500

/**
 * Checks that every denial that a process heard is in the history of the payment, and that the
 * latest word of a node still stands if it is a denial. Denials are taken from the answers that
 * arrived at processes, not from what the code under test makes of them.
 */
export class Denials {
  readonly #parts: DenialsParts
  /** By node and inclusion: its latest statement, and when it last showed the transaction. */
  readonly #latest = new Map<string, Heard>()
  readonly #shownAt = new Map<string, number>()
  readonly #owed: Owed[] = []
  /** By payment, source and inclusion; reorgs are of no source. */
  readonly #recorded = new Map<string, Recorded[]>()

  constructor(parts: DenialsParts) {
    this.#parts = parts
  }

  /** The number of denials that were checked. */
  get count(): number {
    return this.#owed.length
  }

  /** A statement has arrived at a process. */
  heard(listener: Listener, statement: Statement): void {
    const { timeline, testimony } = this.#parts
    const { blockHash, txHash, denies } = statement
    // Only what some node shows in the block can be denied.
    if (denies && testimony.showers(blockHash, txHash) === 0) return
    const heard = { ...statement, at: timeline.elapsed }
    this.#latest.set(placeOf(heard), heard)
    if (!denies) this.#shownAt.set(placeOf(heard), heard.at)
    else timeline.after(storedWithinMs, () => this.#demand(listener, heard))
  }

  /** These facts were committed to the history of a payment. */
  recorded(paymentId: string, facts: Evidence['facts']): void {
    for (const fact of facts) {
      if (fact.kind === 'denied') this.#add(nameOf(paymentId, fact.source, fact), 'denied')
      if (fact.kind === 'reorged') this.#add(nameOf(paymentId, '', fact), 'reorged')
      if (fact.kind !== 'included') continue
      const inclusion = { blockHash: fact.block.hash, txHash: fact.txHash }
      for (const source of [fact.source, ...(fact.alsoSeenBy ?? [])])
        this.#add(nameOf(paymentId, source, inclusion), 'included')
    }
  }

  /** What is missing at the end, while the last processes still run. */
  problems(): readonly string[] {
    return this.#owed.flatMap((owed) => this.#problem(owed) ?? [])
  }

  /** The process has had time to store the denial: it must, if nothing came in between. */
  #demand(listener: Listener, heard: Heard): void {
    const { payments, over } = this.#parts
    if (!listener.follows(heard.chain) || listener.awakeSince > heard.at) return
    if (this.#isShownSince(heard)) return
    for (const [paymentId, payment] of payments) {
      if (over.has(paymentId) || !isPaidIn(payment, heard)) continue
      this.#owed.push({ paymentId, listener, heard })
    }
  }

  #problem({ paymentId, listener, heard }: Owed): string | null {
    const { chain, provider, blockHash, txHash, at } = heard
    const source = sourceOf(provider)
    const reorgs = this.#recorded.get(nameOf(paymentId, '', heard)) ?? []
    if (reorgs.some((reorg) => reorg.at >= at)) return null
    const said = this.#recorded.get(nameOf(paymentId, source, heard)) ?? []
    const before = said.filter((one) => one.at < at).at(-1)
    const isStored =
      before?.kind === 'denied' || said.some((one) => one.at >= at && one.kind === 'denied')
    const what = `that ${provider} denied ${txHash} in ${blockHash} at ${at} ms`
    // A node may have taken it back before the next process could ask again.
    const isLost = !listener.follows(chain) && this.#isShownSince(heard)
    if (!isStored) return isLost ? null : `${paymentId} has no record ${what}`
    if (this.#latest.get(placeOf(heard)) !== heard) return null
    return this.#stands(paymentId, source, heard) ? null : `${paymentId} has forgotten ${what}`
  }

  #isShownSince(heard: Heard): boolean {
    return (this.#shownAt.get(placeOf(heard)) ?? -1) >= heard.at
  }

  #stands(paymentId: string, source: string, { chain, blockHash, txHash }: Heard): boolean {
    const { transactions = [] } = this.#parts.payments.get(paymentId)?.facts ?? {}
    const transaction = findTransaction(transactions, { chain, txHash })
    return transaction !== null && wordsOn(transaction, blockHash).deniedBy.includes(source)
  }

  #add(name: string, kind: Recorded['kind']): void {
    const known = this.#recorded.get(name) ?? []
    this.#recorded.set(name, known)
    known.push({ at: this.#parts.timeline.elapsed, kind })
  }
}

/** Whether it is on record that the transaction paid in this block, and that the block counts. */
function isPaidIn({ facts }: Payment, { chain, txHash, blockHash }: Heard): boolean {
  const inclusion = findTransaction(facts.transactions, { chain, txHash })?.inclusions[blockHash]
  return inclusion?.canonical === true && inclusion.outcome === 'paid'
}

type InBlock = Pick<Statement, 'blockHash' | 'txHash'>

const placeOf = ({ provider, blockHash, txHash }: Statement): string =>
  `${provider} ${blockHash} ${txHash}`

const nameOf = (paymentId: string, source: string, { blockHash, txHash }: InBlock): string =>
  `${paymentId} ${source} ${blockHash} ${txHash}`
