import { failedWith } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import { overdue as timedOutTransactions } from '@settlewire/core/payment/deadline'
import type { Dropped, MovedNothing } from '@settlewire/core/payment/observation'
import type { Payment } from '@settlewire/core/payment/payment'
import { reached } from '@settlewire/core/payment/policy'
import type { LookUp } from '../../ports/chain.ts'
import type { EventStore } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { LookUpOn } from '../payment/claim-search.ts'
import { type Judge, observe } from '../payment/observe.ts'
import { pendingTtlOf } from '../watch/open-transactions.ts'
import type { Watcher } from '../watch/watcher.ts'
import type { SomeWriter } from '../write/fenced-writer.ts'
import { Turns } from './turns.ts'

export interface TimeOutsOptions extends Judge {
  readonly store: Pick<EventStore, 'position'>
  readonly writer: SomeWriter
  readonly watcher: Pick<Watcher, 'headOf' | 'mayMiss' | 'see'>
  readonly lookUp: LookUpOn
  readonly log: Log
}

/** How many payments are looked up at once, and how many may queue; the rest is retried. */
const atOnceMax = 8
const waitingMax = 1_000
/** For how many payments the last look-up is remembered. */
const rememberedMax = 50_000
/** How many transactions of one payment are looked up in one turn. */
const perTurnMax = 16
/** How soon to look up again after an unsure answer. */
const unsureRetryMs = 5_000
/** A look-up is repeated after this part of the time-out, and not before the minimum. */
const repeatPart = 8
const repeatMinMs = 30_000

/**
 * Asks every provider of a chain about transactions that were pending for too long. A transaction
 * that no provider knows is dropped. While the chain is blind or gets no new blocks, no provider
 * is asked and nothing changes.
 */
export class TimeOuts {
  readonly #options: TimeOutsOptions
  /** The running look-up of each payment. */
  readonly #running = new Map<string, Promise<Instant>>()
  /** The last look-up of each payment, and when to repeat it. */
  readonly #last = new Map<string, { readonly names: string; readonly repeatAt: Instant }>()
  readonly #turns = new Turns({ atOnceMax, waitingMax })

  constructor(options: TimeOutsOptions) {
    this.#options = options
  }

  /** Resolves with the time for the next check, after drops were recorded. Never rejects. */
  ask(payment: Payment): Promise<Instant> {
    const { id } = payment
    const now = this.#options.clock.now()
    const names = timedOutTransactions(payment, now)
      .map(({ chain, txHash }) => `${chain} ${txHash}`)
      .join()
    const last = this.#last.get(id)
    // The payment may have changed for another reason: do not repeat the same look-up too soon.
    if (last?.names === names && last.repeatAt > now) return Promise.resolve(last.repeatAt)
    const running = this.#running.get(id) ?? this.#inTurn(payment)
    this.#running.set(id, running)
    return running.then((repeatAt) => {
      this.#running.delete(id)
      if (this.#last.size >= rememberedMax) this.#last.clear()
      this.#last.set(id, { names, repeatAt })
      return repeatAt
    })
  }

  /** Resolves when no look-up is running. */
  async close(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  /** Retries soon when too many payments queue, or when the look-up failed. */
  async #inTurn(payment: Payment): Promise<Instant> {
    const { clock, log } = this.#options
    try {
      return await this.#turns.take(() => this.#ask(payment))
    } catch (error) {
      if (!failedWith(error, 'overloaded')) {
        log.warn(
          { paymentId: payment.id, error },
          'a pending time-out could not be judged; trying again',
        )
      }
      return clock.now() + unsureRetryMs
    }
  }

  async #ask(payment: Payment): Promise<Instant> {
    const { clock } = this.#options
    const late = timedOutTransactions(payment, clock.now()).slice(0, perTurnMax)
    const answers = await Promise.all(
      late.map(async (one) => ({ ...one, found: await this.#lookUp(one.chain, one.txHash) })),
    )
    await this.#drop(
      payment.id,
      answers.filter(({ found }) => found.kind === 'not_found'),
    )
    for (const { chain, txHash, found } of answers) {
      if (found.kind === 'mined') await this.#readBefore(payment.id, { chain, txHash }, found)
    }
    const isUnsure = answers.some(({ found }) => found.kind === 'unsure')
    const repeatAfterMs = Math.max(repeatMinMs, pendingTtlOf(payment.terms) / repeatPart)
    return clock.now() + (isUnsure ? unsureRetryMs : repeatAfterMs)
  }

  async #lookUp(chain: string, txHash: string): Promise<LookUp> {
    const { watcher, lookUp } = this.#options
    if (watcher.mayMiss(chain)) return { kind: 'unsure' }
    const found = await lookUp(chain, txHash)
    // The sighting may be new to us: the transaction was claimed, or came back.
    if (found.kind === 'pending' && found.sighting !== null) {
      await watcher.see(chain, found.source, [found.sighting])
    }
    return found
  }

  async #drop(
    paymentId: string,
    gone: readonly { readonly chain: string; readonly txHash: string }[],
  ): Promise<void> {
    const { writer, clock } = this.#options
    if (gone.length === 0) return
    await writer.submit({
      ids: [paymentId],
      decide: (payments) => {
        const payment = payments.get(paymentId)
        if (payment === null) return { decisions: [], answer: null }
        const at = clock.now()
        const late = timedOutTransactions(payment, at).filter(({ chain, txHash }) =>
          gone.some((one) => one.chain === chain && one.txHash === txHash),
        )
        const dropped = late.flatMap((one) => this.#droppedOf(payment, { ...one, at }))
        return { decisions: [observe(payment, dropped, this.#options)], answer: null }
      },
    })
  }

  /**
   * Settles a transaction in a block that was read before this process knew of it: a lagging node
   * showed it as pending after it had failed. If its receipt pays us, the follower reports it.
   * Otherwise only a final block counts: if a reorg removed the block, nothing would take the fact
   * back.
   */
  async #readBefore(
    paymentId: string,
    { chain, txHash }: { readonly chain: string; readonly txHash: string },
    { source, blockHash, succeeded, pays }: Extract<LookUp, { kind: 'mined' }>,
  ): Promise<void> {
    const { store, writer, clock, policy } = this.#options
    if (pays === true) return
    const position = blockHash === undefined ? null : await store.position(chain)
    const block = position?.recent.find(({ hash }) => hash === blockHash)
    const final = policy.chains[chain]?.final
    if (position === null || block === undefined || final === undefined) return
    if (!reached(final, block.number, position.head)) return
    const reason = succeeded === false ? 'reverted' : 'paid_elsewhere'
    const seen = { source, at: clock.now(), chain, view: position.head.view }
    const fact: MovedNothing = { ...seen, kind: 'moved_nothing', txHash, block, reason }
    await writer.submit({
      ids: [paymentId],
      decide: (payments) => {
        const payment = payments.get(paymentId)
        const isWaiting =
          payment !== null &&
          timedOutTransactions(payment, clock.now()).some(
            (one) => one.chain === chain && one.txHash === txHash,
          )
        if (!isWaiting) return { decisions: [], answer: null }
        return { decisions: [observe(payment, [fact], this.#options)], answer: null }
      },
    })
  }

  #droppedOf(
    { facts }: Payment,
    {
      chain,
      txHash,
      at,
    }: { readonly chain: string; readonly txHash: string; readonly at: Instant },
  ): readonly Dropped[] {
    const { watcher } = this.#options
    // A chain that went blind meanwhile may hide a block that has the transaction.
    if (watcher.mayMiss(chain)) return []
    const known = facts.transactions.find((it) => it.chain === chain && it.txHash === txHash)
    // A drop needs a later view than the last sighting, even if no block came in between.
    const view = Math.max(watcher.headOf(chain)?.view ?? 0, (known?.mempool?.view ?? -1) + 1)
    return [{ kind: 'dropped', source: 'clock', at, chain, view, txHash }]
  }
}
