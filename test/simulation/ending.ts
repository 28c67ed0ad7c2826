import { canonicalJson } from '@settlewire/core/history/canonical-json'
import { plain } from '@settlewire/core/history/plain-json'
import { fold } from '@settlewire/core/payment/fold'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { EventStore } from '../../server/src/ports/history.ts'
import { FeedChecker, storedSealProblems } from '../support/feed-checker.ts'
import { pastOf } from '../support/past.ts'
import { slotOf } from './model-block.ts'
import { type Paid, paidOn, type Verdict, verdictOf } from './oracle.ts'
import { weathers } from './store-wire.ts'
import type { World } from './world.ts'

const dayMs = 86_400_000
/** The time allowed from the last fault until everything must be right. */
const patienceMs = 240_000

/**
 * Ends a world: the faults stop, and everything that can be mined is mined. Whatever happened
 * before, the stored state must then match the chain within bounded time.
 */
export class Ending {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  async tell(): Promise<void> {
    await this.#settle()
    const { ledger, denials } = this.#world
    for (const problem of denials.problems()) ledger.note(problem)
  }

  async #settle(): Promise<void> {
    this.#calm()
    await this.#pass(2_000)
    await this.#until('everything is mined', () => this.#unmined())
    for (const { model } of this.#world.chains) {
      for (let i = 0; i < model.rules.finalDepth + 3; i++) model.mine([], this.#world.timeline.now)
    }
    await this.#until('every paid payment is final', () => this.#disagreements(false))
    const { timeline, ledger } = this.#world
    const last = Math.max(0, ...[...ledger.payments.values()].map(({ terms }) => terms.expiresAt))
    const leftMs = last - (timeline.now + Math.min(0, this.#world.skewMs))
    this.#world.timeline.leap(Math.max(0, leftMs) + 20_000)
    await this.#until('every unpaid payment has ended', () => this.#disagreements(true))
    await this.#until('every process sees its chains again', () => this.#unseen())
    await this.#until('every reader is up to date', () => this.#world.readers.behind())
    if (this.#world.seed % 3 === 1) return
    this.#world.timeline.leap(dayMs + 60_000)
    await this.#until('every watch has ended', () => this.#watched())
    for (const difference of this.#disagreements(true)) this.#world.ledger.note(difference)
  }

  /** Reads the database again and compares it with what was seen to be committed. */
  async check(store: EventStore): Promise<void> {
    const { ledger, rules } = this.#world
    const checker = new FeedChecker()
    for (;;) {
      const page = await store.feed(rules.merchantId, false, checker.position, 1_000)
      for (const stored of page) checker.see(stored)
      if (page.length < 1_000) break
    }
    for (const problem of checker.problems) ledger.note(`at the end: ${problem}`)
    if (checker.seen.size !== ledger.feed.seen.size) {
      ledger.note(`${ledger.feed.seen.size} events were committed, ${checker.seen.size} are stored`)
    }
    for (const problem of await storedSealProblems(store, checker.subjects)) ledger.note(problem)
    for (const payment of await store.load(paymentKind, [...ledger.payments.keys()])) {
      const folded = fold(await pastOf(store, payment.id), () => rules.policy)
      if (textOf(folded) !== textOf(payment))
        ledger.note(`${payment.id} differs from the fold of its events`)
      if (textOf(ledger.payments.get(payment.id) ?? payment) !== textOf(payment)) {
        ledger.note(`${payment.id} is stored in another state than was committed`)
      }
    }
  }

  #calm(): void {
    const world = this.#world
    world.say('calm')
    world.weather = weathers.fair
    world.readers.calm()
    // A liar may keep its forgeries, even beyond the end of every watch. It must stop hiding true
    // transactions, because no process could ever learn of them.
    for (const liar of world.liars.values()) liar.recant(world.seed % 3 === 0 ? 'all' : 'hidden')
    for (const { model, providers } of world.chains) {
      model.isStalled = false
      for (const provider of providers) {
        provider.stray(null)
        provider.become('healthy')
      }
      // Transactions that no node knows any more are sent again, unless their slot was used.
      for (const { chain, tx } of world.payers.sent) {
        if (chain === model && !model.isUsed(slotOf(tx))) model.send(tx)
      }
    }
    for (const [place, life] of world.lives.entries()) {
      life.resume()
      if (life.isAlive && !life.isClosing && world.seed % 2 !== 0) {
        life.callsLeft = Number.POSITIVE_INFINITY
        life.onBegun = null
      } else {
        life.die()
        world.begin(place)
      }
    }
  }

  async #until(what: string, wrong: () => readonly string[]): Promise<void> {
    const { ledger, timeline } = this.#world
    if (this.#world.isBroken) return
    let left: readonly string[] = []
    const isRight = (): boolean => {
      left = this.#behind()
      if (left.length === 0) left = wrong()
      return left.length === 0
    }
    for (let spentMs = 0; spentMs < patienceMs && !isRight(); spentMs += 1_000) {
      await this.#pass(1_000)
      if (this.#world.isBroken) return
    }
    if (!isRight())
      for (const difference of left) {
        ledger.note(`not ${what}: ${difference}`)
      }
    else this.#world.say(`${what}, ${timeline.happened} steps`)
  }

  async #pass(ms: number): Promise<void> {
    await this.#world.timeline.run(ms, () => this.#world.isBroken)
  }

  #unmined(): readonly string[] {
    return this.#world.chains
      .filter(({ model }) => model.minable().length > 0)
      .map(
        ({ model }) => `${model.rules.name}: ${model.minable().length} transactions are not mined`,
      )
  }

  /** Chains whose cursor is not at the head yet. */
  #behind(): readonly string[] {
    return this.#world.chains.flatMap(({ model }) => {
      const { name } = model.rules
      const cursor = this.#world.ledger.cursors.get(name)
      const behind = model.head.number - (cursor?.number ?? 0)
      return behind <= 1 && behind >= 0 ? [] : [`${name}: the cursor is ${behind} blocks behind`]
    })
  }

  /** Differences between stored and true state. `isOver`: unpaid payments must have expired too. */
  #disagreements(isOver: boolean): readonly string[] {
    const { ledger } = this.#world
    return [...ledger.payments.values()].flatMap((payment) => {
      const paid = paidOn(payment, (chain) => this.#world.models.get(chain)?.head ?? null)
      const verdict = this.#verdictOf(payment, paid)
      if (!isOver && verdict.status === 'expired') return []
      const { more } = ledger.slackOf(payment)
      return more > 0n ? liedTo(payment, verdict, more) : differences(payment, verdict)
    })
  }

  #verdictOf(payment: Payment, paid: Paid): Verdict {
    return verdictOf(payment, paid, {
      isWithdrawn: payment.facts.withdrawn !== null,
      toldSuccess: payment.toldSuccess,
      wasReorged: true,
      wasReplaced: true,
    })
  }

  /** Chains that a process reports as blind, or whose head it is behind. */
  #unseen(): readonly string[] {
    return this.#world.ready.flatMap(({ name, sights }) =>
      sights.flatMap(({ chain, visibility, reason, head }) => {
        const behind = (this.#world.models.get(chain)?.head.number ?? 0) - (head ?? 0)
        if (visibility !== 'blind' && behind <= 2) return []
        return [`${name} reports ${visibility}, ${reason} for ${chain}, ${behind} blocks behind`]
      }),
    )
  }

  #watched(): readonly string[] {
    const { ledger } = this.#world
    return [...ledger.payments.values()].flatMap((payment) => {
      const { id, status } = payment
      if (status === 'confirming') return [`${id} is confirming after its watch`]
      // A payment held up by an upheld lie stays watched until a source or a person settles it.
      const isHeld = ledger.slackOf(payment).more > 0n
      return isHeld || ledger.over.has(id) ? [] : [`${id} is still watched`]
    })
  }
}

function differences(payment: Payment, verdict: Verdict): readonly string[] {
  const { id, status, received, pending, flags, finality } = payment
  const found: string[] = []
  const differ = (what: string, is: unknown, must: unknown): void => {
    if (is !== must)
      found.push(`${id} has ${what} ${String(is)}, by the chain it must be ${String(must)}`)
  }
  differ('status', status, verdict.status)
  differ('received', received, verdict.received)
  differ('pending', pending, 0n)
  if (status === 'succeeded') differ('finality', finality, 'final')
  const names = flags as readonly string[]
  for (const flag of verdict.must) if (!names.includes(flag)) found.push(`${id} lacks ${flag}`)
  for (const flag of verdict.mustNot) if (names.includes(flag)) found.push(`${id} has ${flag}`)
  return found
}

/** A lie that no source upholds any more must not prevent the true result, and is not money. */
function liedTo(payment: Payment, verdict: Verdict, more: bigint): readonly string[] {
  const { id, status, received } = payment
  const found: string[] = []
  if (received < verdict.received || received > verdict.received + more)
    found.push(`${id} has received ${received}, by the chain it must be ${verdict.received}`)
  if (verdict.status === 'succeeded' && status !== 'succeeded')
    found.push(`${id} is ${status} because of a lie, by the chain it must be ${verdict.status}`)
  return found
}

const textOf = (payment: Payment): string => canonicalJson(plain(payment))
