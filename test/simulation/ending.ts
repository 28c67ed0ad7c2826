import { canonicalJson } from '@settlewire/core/history/canonical-json'
import { plain } from '@settlewire/core/history/plain-json'
import { fold } from '@settlewire/core/payment/fold'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { EventStore } from '../../server/src/ports/history.ts'
import { brokenSeals, FeedChecker } from '../support/feed-checker.ts'
import { pastOf } from '../support/past.ts'
import { slotOf } from './model-block.ts'
import { type Paid, paidOn, type Verdict, verdictOf } from './oracle.ts'
import { weathers } from './store-wire.ts'
import type { World } from './world.ts'

const dayMs = 86_400_000
/** All that is allowed between the last fault and the truth. */
const patienceMs = 240_000

/**
 * The faults are over and everything that can be mined is mined. Whatever happened before, what is
 * stored must become what the chain says, within bounded time.
 */
export class Ending {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  async tell(): Promise<void> {
    this.#calm()
    await this.#pass(2_000)
    await this.#until('everything is mined', () => this.#unmined())
    for (const { model } of this.#world.chains) {
      for (let i = 0; i < model.rules.finalDepth + 3; i++) model.mine([], this.#world.timeline.now)
    }
    await this.#until('everything that was paid is final', () => this.#disagreements(false))
    const { timeline, ledger } = this.#world
    const last = Math.max(0, ...[...ledger.payments.values()].map(({ terms }) => terms.expiresAt))
    const leftMs = last - (timeline.now + Math.min(0, this.#world.skewMs))
    this.#world.timeline.leap(Math.max(0, leftMs) + 20_000)
    await this.#until('what was not paid is over', () => this.#disagreements(true))
    await this.#until('everybody sees again', () => this.#unseen())
    await this.#until('every reader shows it', () => this.#world.readers.behind())
    if (this.#world.seed % 3 === 1) return
    this.#world.timeline.leap(dayMs + 60_000)
    await this.#until('every watch has ended', () => this.#watched())
    for (const difference of this.#disagreements(true)) this.#world.ledger.note(difference)
  }

  /** What the database holds, read anew, is what was seen to be committed. */
  async check(store: EventStore): Promise<void> {
    const { ledger, rules } = this.#world
    const checker = new FeedChecker()
    for (;;) {
      const page = await store.feed(rules.merchantId, false, checker.position, 1_000)
      for (const stored of page) checker.see(stored)
      if (page.length < 1_000) break
    }
    for (const problem of checker.problems) ledger.note(`in the end: ${problem}`)
    if (checker.seen.size !== ledger.feed.seen.size) {
      ledger.note(`${ledger.feed.seen.size} events were told, ${checker.seen.size} are stored`)
    }
    for (const problem of await brokenSeals(store, checker.subjects)) ledger.note(problem)
    for (const payment of await store.load(paymentKind, [...ledger.payments.keys()])) {
      const folded = fold(await pastOf(store, payment.id), () => rules.policy)
      if (textOf(folded) !== textOf(payment)) ledger.note(`${payment.id} is not its history`)
      if (textOf(ledger.payments.get(payment.id) ?? payment) !== textOf(payment)) {
        ledger.note(`${payment.id} is stored as something else than was told`)
      }
    }
  }

  #calm(): void {
    const world = this.#world
    world.say('calm')
    world.weather = weathers.fair
    world.readers.calm()
    // A forger may insist, also beyond the end of every watch; who hides what is true for ever would be believed by nobody.
    for (const liar of world.liars.values()) liar.recant(world.seed % 3 === 0 ? 'all' : 'hidden')
    for (const { model, providers } of world.chains) {
      model.isStalled = false
      for (const provider of providers) {
        provider.stray(null)
        provider.become('healthy')
      }
      // What nobody knows any more is sent again: whether it lands then is decided by its slot.
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
      .map(({ model }) => `${model.rules.name}: ${model.minable().length} are not mined`)
  }

  /** What is not read yet. */
  #behind(): readonly string[] {
    return this.#world.chains.flatMap(({ model }) => {
      const { name } = model.rules
      const cursor = this.#world.ledger.cursors.get(name)
      const behind = model.head.number - (cursor?.number ?? 0)
      return behind <= 1 && behind >= 0 ? [] : [`${name}: the cursor is ${behind} blocks behind`]
    })
  }

  /** Where what is stored differs from what must be; before everything is over, of the paid ones only. */
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

  /** Where a process says that it does not see what it can see, or is not where the chain is. */
  #unseen(): readonly string[] {
    return this.#world.ready.flatMap(({ name, sights }) =>
      sights.flatMap(({ chain, visibility, reason, head }) => {
        const behind = (this.#world.models.get(chain)?.head.number ?? 0) - (head ?? 0)
        if (visibility !== 'blind' && behind <= 2) return []
        return [`${name} says ${visibility}, ${reason} of ${chain}, ${behind} blocks behind`]
      }),
    )
  }

  #watched(): readonly string[] {
    const { ledger } = this.#world
    return [...ledger.payments.values()].flatMap((payment) => {
      const { id, status } = payment
      if (status === 'confirming') return [`${id} is confirming after its watch`]
      // What a lie holds up is watched until somebody upholds or decides it.
      const isHeld = ledger.slackOf(payment).more > 0n
      return isHeld || ledger.over.has(id) ? [] : [`${id} is still watched`]
    })
  }
}

function differences(payment: Payment, verdict: Verdict): readonly string[] {
  const { id, status, received, pending, flags, finality } = payment
  const found: string[] = []
  const differ = (what: string, is: unknown, must: unknown): void => {
    if (is !== must) found.push(`${id} has ${what} ${String(is)}, the chain says ${String(must)}`)
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

/** A lie that nobody upholds any more stands in the way of no truth, and is no money. */
function liedTo(payment: Payment, verdict: Verdict, more: bigint): readonly string[] {
  const { id, status, received } = payment
  const found: string[] = []
  if (received < verdict.received || received > verdict.received + more)
    found.push(`${id} has received ${received}, the chain says ${verdict.received}`)
  if (verdict.status === 'succeeded' && status !== 'succeeded')
    found.push(`${id} is ${status} for a lie, the chain says ${verdict.status}`)
  return found
}

const textOf = (payment: Payment): string => canonicalJson(plain(payment))
