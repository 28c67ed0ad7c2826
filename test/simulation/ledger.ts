import { isDeepStrictEqual } from 'node:util'
import type { Evidence } from '@settlewire/core/payment/event'
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
  /** Called with the state of a payment after each of its events. */
  readonly told: (payment: Payment) => void
  /** Called with the facts of each event. */
  readonly recorded: (paymentId: string, facts: Evidence['facts']) => void
}

/** More events than any confirmation level needs, and than the nodes here can cause by flapping. */
const tornEventsMax = 24

/**
 * Checks every commit at once against the rules that always hold. It knows the true chain, which no
 * code under test does.
 */
export class Ledger implements Witness {
  readonly violations: string[] = []
  readonly payments = new Map<string, Payment>()
  /** Payments whose addresses are no longer watched. */
  readonly over = new Set<string>()
  /** Per chain: the block of the stored cursor. */
  readonly cursors = new Map<string, ModelBlock>()
  /** Per chain: the blocks of unfinished steps, which payments may or may not know of yet. */
  readonly #unfinished = new Map<string, readonly ModelBlock[]>()
  readonly feed = new FeedChecker()
  readonly #chains: ReadonlyMap<string, ModelChain>
  readonly #policyOf: PolicyOf
  readonly #say: (what: string) => void
  readonly #parts: LedgerParts
  readonly #trust: Trust
  /** Per transfer: the only payment that it counts for. */
  readonly #counted = new Map<string, string>()
  /** Payments that expired once by a complete scan: a reorg may return them to that. */
  readonly #expired = new Set<string>()
  /** Per payment: the events of one stretch of being confirming while sources disagree. */
  readonly #torn = new Map<string, number>()

  constructor(chains: ReadonlyMap<string, ModelChain>, parts: LedgerParts) {
    this.#chains = chains
    this.#policyOf = parts.policyOf
    this.#say = parts.say
    this.#parts = parts
    this.#trust = new Trust(parts)
  }

  note(what: string): void {
    // Only the first violations matter; a broken world keeps breaking rules.
    if (this.violations.length < 20) this.violations.push(what)
  }

  broke(what: string, error: unknown): void {
    this.note(`${what} failed by a bug: ${error instanceof Error ? error.stack : String(error)}`)
  }

  committed(batch: Batch, stored: readonly StoredEvent[]): void {
    // The feed checker needs the events in the order of their positions.
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

  /** Applies the events along the status edges and compares the result with the stored state. */
  #append({ subject, events, projection, expectedSequence }: Append): void {
    const { id } = subject
    const before = this.payments.get(id) ?? null
    let payment = before
    if ((payment?.sequence ?? 0) !== expectedSequence)
      this.note(`${id} was appended to at another sequence than its own`)
    for (const texts of events) {
      const event = eventOf(texts)
      const from = payment?.status
      const { status, previousStatus } = event.data
      if (from !== undefined && !isEdge(from, event.type, status)) {
        this.note(`${id}: no edge ${from} -${event.type}-> ${status}`)
      }
      if ((from ?? null) !== previousStatus)
        this.note(`${id}: previousStatus is ${previousStatus}, but it was ${from}`)
      payment = apply(payment, event, this.#policyOf)
      this.#parts.told(payment)
      this.#trust.heard(event.evidence.facts)
      this.#parts.recorded(id, event.evidence.facts)
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

  /** Providers that contradict each other must not cause an event per block without end. */
  #countTorn({ id, status, flags }: Payment, events: number): void {
    const isTorn = status === 'confirming' && flags.includes('sources_disagree')
    const told = isTorn ? (this.#torn.get(id) ?? 0) + events : 0
    this.#torn.set(id, told)
    if (told > tornEventsMax) this.note(`${id} has ${told} events while providers disagreed`)
  }

  #countOnce({ id, facts }: Payment): void {
    for (const transaction of facts.transactions) {
      const inclusion = canonicalInclusion(transaction)
      for (const { part, to } of inclusion?.outcome === 'paid' ? inclusion.transfers : []) {
        // Native coins seen only in a balance have no transaction: one such place per block and
        // address.
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

  /** Checks that the cursor moves along true branches: each block is linked to the one before. */
  #follow({ chain, applied, reverted }: CursorMove): string | null {
    const model = this.#chains.get(chain)
    let at = this.cursors.get(chain) ?? model?.byHash(applied[0]?.parentHash ?? '') ?? null
    const beside = new Set((this.#unfinished.get(chain) ?? []).map(({ hash }) => hash))
    for (const hash of reverted) {
      // Blocks of an unfinished step were never passed by the cursor.
      if (beside.has(hash)) continue
      if (at?.hash !== hash) return `reverted ${hash}, which is not the block of the cursor`
      at = at.parent
    }
    for (const ref of applied) {
      const block = model?.byHash(ref.hash) ?? null
      if (block === null) return 'applied a block that does not exist'
      if (block.parent !== at) return `applied ${block.number} on a block that is not its parent`
      at = block
    }
    if (at !== null) this.cursors.set(chain, at)
    return null
  }

  /**
   * At every moment the received amount must equal what the read blocks pay: the blocks up to the
   * cursor, or up to a block of a step that is being stored or was never finished.
   */
  #checkMoney(payment: Payment): void {
    if (this.over.has(payment.id)) return
    const views = this.#views(payment)
    if (views.some((tipOf) => this.#isPaid(payment, tipOf))) return
    const { received } = payment
    const { units } = paidOn(payment, this.#tipOf)
    const at = [...this.cursors].map(([chain, { number }]) => `${chain} ${number}`).join()
    this.note(`${payment.id} received ${received}, by the chain it must be ${units} at ${at}`)
  }

  #isPaid(payment: Payment, tipOf: TipOf): boolean {
    const { received } = payment
    const { units } = paidOn(payment, tipOf)
    if (units === received) return true
    const { more, less } = this.slackOf(payment, tipOf)
    return received >= units - less && received <= units + more
  }

  readonly #tipOf: TipOf = (chain) => this.cursors.get(chain) ?? null

  /** Every combination of one block per chain that may judge a payment. The cursors come first. */
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

  /** How far the received amount may be off because of lies about the blocks that were read. */
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

  /** A payment may expire only after every chain it accepts was read past its deadline. */
  #checkExpiry({ id, terms }: Payment): void {
    for (const { chain } of terms.accept) {
      const readTo = (this.cursors.get(chain)?.timestamp ?? 0) * 1_000
      if (readTo <= terms.expiresAt) {
        this.note(`${id} expired blind: ${chain} was read ${terms.expiresAt - readTo} ms too few`)
      }
    }
  }
}
