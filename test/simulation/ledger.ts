import { isDeepStrictEqual } from 'node:util'
import { eventOf, shortType } from '@settlewire/core/payment/event-text'
import { apply, type PolicyOf } from '@settlewire/core/payment/fold'
import type { Payment } from '@settlewire/core/payment/payment'
import { projectionOf } from '@settlewire/core/payment/payment-rows'
import { isEdge } from '@settlewire/core/payment/status-model'
import { canonicalInclusion } from '@settlewire/core/payment/transfer'
import type { Append, Batch, CursorMove, StoredEvent } from '../../server/src/ports/history.ts'
import { FeedChecker } from '../support/feed-checker.ts'
import type { ModelBlock } from './model-block.ts'
import type { ModelChain } from './model-chain.ts'
import { paidOn, type Slack, slackOf, type TipOf } from './oracle.ts'
import type { Witness } from './store-wire.ts'
import { Trust, type TrustParts } from './trust.ts'

export interface LedgerParts extends TrustParts {
  readonly policyOf: PolicyOf
  readonly say: (what: string) => void
  /** Told of a payment as each of its events leaves it. */
  readonly told: (payment: Payment) => void
}

/** More than any level asks for, and than any node here takes back and says again. */
const tornEventsMax = 24

/**
 * What is committed, as it is committed, held against the rules that hold at every moment. It knows
 * the true chain, which nobody under test does.
 */
export class Ledger implements Witness {
  readonly violations: string[] = []
  readonly payments = new Map<string, Payment>()
  /** Nobody watches their addresses any more. */
  readonly over = new Set<string>()
  /** Per chain the block that the stored cursor is at. */
  readonly cursors = new Map<string, ModelBlock>()
  /** Per chain the blocks of unfinished steps: payments may know of them, or not. */
  readonly #unfinished = new Map<string, readonly ModelBlock[]>()
  readonly feed = new FeedChecker()
  readonly #chains: ReadonlyMap<string, ModelChain>
  readonly #policyOf: PolicyOf
  readonly #say: (what: string) => void
  readonly #parts: LedgerParts
  readonly #trust: Trust
  /** Of each movement of money the one payment that it counts for. */
  readonly #counted = new Map<string, string>()
  /** Were over once, by a scan that was complete: a reorg may take them back to that. */
  readonly #expired = new Set<string>()
  /** By payment: events that it told in one stretch of being confirming and contested. */
  readonly #torn = new Map<string, number>()

  constructor(chains: ReadonlyMap<string, ModelChain>, parts: LedgerParts) {
    this.#chains = chains
    this.#policyOf = parts.policyOf
    this.#say = parts.say
    this.#parts = parts
    this.#trust = new Trust(parts)
  }

  note(what: string): void {
    // The first is what matters; a broken world breaks on and on.
    if (this.violations.length < 20) this.violations.push(what)
  }

  broke(what: string, error: unknown): void {
    this.note(`${what} failed by a bug: ${error instanceof Error ? error.stack : String(error)}`)
  }

  committed(batch: Batch, stored: readonly StoredEvent[]): void {
    // The feed counts in the order in which the database has placed them.
    for (const each of [...stored].sort((a, b) => a.position - b.position)) this.feed.see(each)
    for (const problem of this.feed.problems.splice(0)) this.note(problem)
    for (const append of batch.appends) this.#append(append)
    for (const cursor of batch.cursors ?? []) this.#move(cursor)
    const moved = (batch.cursors ?? []).length > 0
    const touched = batch.appends.flatMap(({ subject }) => this.payments.get(subject.id) ?? [])
    for (const payment of moved ? this.payments.values() : touched) this.#checkMoney(payment)
    for (const append of batch.appends) this.#checkTold(append)
  }

  released(ids: readonly string[]): void {
    for (const id of ids) this.over.add(id)
  }

  /** One event after the other, along edges of the table, to the state that was stored. */
  #append({ subject, events, projection, expectedSequence }: Append): void {
    const { id } = subject
    const before = this.payments.get(id) ?? null
    let payment = before
    if ((payment?.sequence ?? 0) !== expectedSequence) this.note(`${id} did not go on where it was`)
    for (const texts of events) {
      const event = eventOf(texts)
      const from = payment?.status
      const { status, previousStatus } = event.data
      if (from !== undefined && !isEdge(from, event.type, status)) {
        this.note(`${id}: no edge ${from} -${event.type}-> ${status}`)
      }
      if ((from ?? null) !== previousStatus)
        this.note(`${id}: it was ${from}, not ${previousStatus}`)
      payment = apply(payment, event, this.#policyOf)
      this.#parts.told(payment)
      this.#trust.heard(event.evidence.facts)
      const kinds = event.evidence.facts.map(({ kind }) => kind).join()
      this.#say(`  ${id.slice(-4)} ${event.type}, ${status}, ${payment.received} by ${kinds}`)
    }
    if (payment === null) {
      this.note(`${id} has no event`)
      return
    }
    if (!isDeepStrictEqual(projectionOf(payment), projection)) {
      this.note(`${id} is not the fold of its events at ${payment.sequence}`)
    }
    const problem = this.#trust.problem(before, payment)
    if (problem !== null) this.note(`${id} is ${problem}`)
    this.payments.set(id, payment)
    this.#countOnce(payment)
    this.#countTorn(payment, events.length)
  }

  /** What providers contradict each other about does not tell an event for each block, for ever. */
  #countTorn({ id, status, flags }: Payment, events: number): void {
    const isTorn = status === 'confirming' && flags.includes('sources_disagree')
    const told = isTorn ? (this.#torn.get(id) ?? 0) + events : 0
    this.#torn.set(id, told)
    if (told > tornEventsMax) this.note(`${id} told ${told} events while providers disagreed`)
  }

  #countOnce({ id, facts }: Payment): void {
    for (const transaction of facts.transactions) {
      const inclusion = canonicalInclusion(transaction)
      for (const { part, to } of inclusion?.outcome === 'paid' ? inclusion.transfers : []) {
        // What a block added to a balance has no transaction of its own, and one such place per address.
        const place = part === 'balance' ? `balance of ${to}` : part
        const identity = `${transaction.chain} ${transaction.txHash} ${place}`
        const owner = this.#counted.get(identity) ?? id
        if (owner !== id) this.note(`${identity} to ${to} counts for ${owner} and for ${id}`)
        this.#counted.set(identity, owner)
      }
    }
  }

  #move(move: CursorMove): void {
    const { chain, reverted } = move
    const wrong = this.#follow(move)
    if (wrong !== null) this.note(`${chain}: ${wrong}`)
    const at = this.cursors.get(chain)
    const { unfinished } = move
    if (unfinished !== undefined) {
      const model = this.#chains.get(chain)
      const blocks = unfinished?.blocks.flatMap(({ hash }) => model?.byHash(hash) ?? [])
      this.#unfinished.set(chain, blocks ?? [])
    }
    const left = this.#unfinished.get(chain)?.length ?? 0
    this.#say(
      `  ${chain} is read to ${at?.number} ${at?.hash.slice(2, 6)}, ${reverted.length} undone, ${left} unfinished`,
    )
  }

  /** The cursor stays on one true branch: what it leaves, and what it joins, hangs together. */
  #follow({ chain, applied, reverted }: CursorMove): string | null {
    const model = this.#chains.get(chain)
    let at = this.cursors.get(chain) ?? model?.byHash(applied[0]?.parentHash ?? '') ?? null
    const beside = new Set((this.#unfinished.get(chain) ?? []).map(({ hash }) => hash))
    for (const hash of reverted) {
      // No part that passes it was ever stored.
      if (beside.has(hash)) continue
      if (at?.hash !== hash) return `reverted ${hash}, which is not its end`
      at = at.parent
    }
    for (const ref of applied) {
      const block = model?.byHash(ref.hash) ?? null
      if (block === null) return 'applied a block that never was'
      if (block.parent !== at) return `applied ${block.number} on a stranger`
      at = block
    }
    if (at !== null) this.cursors.set(chain, at)
    return null
  }

  /**
   * What was received is what the blocks say that were read, no more and no less, at every moment: those
   * up to the cursor, or up to one of the blocks of a step that is being stored or was never finished.
   */
  #checkMoney(payment: Payment): void {
    if (this.over.has(payment.id)) return
    const views = this.#views(payment)
    if (views.some((tipOf) => this.#isPaid(payment, tipOf))) return
    const { received } = payment
    const { units } = paidOn(payment, this.#tipOf)
    const at = [...this.cursors].map(([chain, { number }]) => `${chain} ${number}`).join()
    this.note(`${payment.id} received ${received}, the chain says ${units} at ${at}`)
  }

  #isPaid(payment: Payment, tipOf: TipOf): boolean {
    const { received } = payment
    const { units } = paidOn(payment, tipOf)
    if (units === received) return true
    const { more, less } = this.slackOf(payment, tipOf)
    return received >= units - less && received <= units + more
  }

  readonly #tipOf: TipOf = (chain) => this.cursors.get(chain) ?? null

  /** Every choice of one block per chain that a payment may have been judged by. The cursors come first. */
  #views({ terms }: Payment): readonly TipOf[] {
    let views: readonly TipOf[] = [this.#tipOf]
    for (const chain of new Set(terms.accept.map((accept) => accept.chain))) {
      const others = (this.#unfinished.get(chain) ?? []).map((block) => (tipOf: TipOf): TipOf => {
        return (asked) => (asked === chain ? block : tipOf(asked))
      })
      views = [...views, ...others.flatMap((other) => views.map(other))]
    }
    return views
  }

  /** How far it may be off for what was said of the blocks that were read. */
  slackOf(payment: Payment, tipOf: TipOf = this.#tipOf): Slack {
    const { liars, testimony } = this.#parts
    return slackOf(payment, tipOf, {
      liars,
      doubtful: (txHash) => testimony.isDoubtful(txHash),
      upheld: (blockHash, txHash) => this.#trust.isUpheld(blockHash, txHash),
    })
  }

  #checkTold({ subject, events }: Append): void {
    const payment = this.payments.get(subject.id)
    for (const { type } of events) {
      if (shortType(type) !== 'expired' || this.#expired.has(subject.id)) continue
      this.#expired.add(subject.id)
      if (payment !== undefined) this.#checkExpiry(payment)
    }
  }

  /** Nothing expires before every chain that it accepts was read past its deadline. */
  #checkExpiry({ id, terms }: Payment): void {
    for (const { chain } of terms.accept) {
      const readTo = (this.cursors.get(chain)?.timestamp ?? 0) * 1_000
      if (readTo <= terms.expiresAt) {
        this.note(
          `${id} expired blind: ${chain} was read ${terms.expiresAt - readTo} ms too little`,
        )
      }
    }
  }
}
