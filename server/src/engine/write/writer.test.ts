import { Failure, failedWith } from '@settlewire/core/errors'
import { makeId } from '@settlewire/core/id'
import { decide, open } from '@settlewire/core/payment/decide'
import type { Decision } from '@settlewire/core/payment/event'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld, merchant } from '../../../../test/support/engine-world.ts'
import { contextAt, inMempool, termsOf } from '../../../../test/support/payments.ts'
import { silentLog } from '../../log.ts'
import { silentMetrics } from '../../metrics.ts'
import type { EventStore, IdempotentResult } from '../../ports/history.ts'
import type { SubjectCommand } from './kind-writer.ts'
import { type PaymentWriter, Writer, type WriterOptions } from './writer.ts'

let world: EngineWorld
let writer: PaymentWriter
/** For each batch that the store got, how many payments it changed. */
let batches: number[]
let beforeAppend: () => Promise<void>
let afterAppend: () => Promise<void>

beforeAll(async () => {
  world = await EngineWorld.start()
})
afterAll(() => world.close())

beforeEach(() => {
  run++
  batches = []
  beforeAppend = async () => undefined
  afterAppend = async () => undefined
  writer = build()
})
afterEach(() => close(writer))

const store: Pick<EventStore, 'append' | 'load'> = {
  load: (kind, ids) => world.store.load(kind, ids),
  append: async (batch) => {
    batches.push(batch.appends.length)
    await beforeAppend()
    const events = await world.store.append(batch)
    await afterAppend()
    return events
  },
}

function build(limits: WriterOptions['limits'] = {}): PaymentWriter {
  const parts = { store, clock: world.clock, log: silentLog, metrics: silentMetrics }
  const whole = new Writer({ ...parts, limits })
  const payments = whole.of(paymentKind)
  wholes.set(payments, whole)
  return payments
}

const wholes = new Map<PaymentWriter, Writer>()
const close = (payments: PaymentWriter) => wholes.get(payments)?.close()

let run = 0
let addresses = 0
const mint = () => (at: number) => makeId('evt', at, world.clock.random(10))
const context = () => ({ ...contextAt(world.clock.now()), mint: mint() })

type Wish = SubjectCommand<Payment, Decision, Payment>

function opening(idempotency?: IdempotentResult): Wish {
  const id = makeId('pi', world.clock.now(), world.clock.random(10))
  const terms = termsOf()
  const address = `0x${(++addresses).toString(16).padStart(40, '0')}`
  const accept = terms.accept.map((each) => ({ ...each, address }))
  const transactionId = '00000000-0000-4000-8000-000000000000'
  const fact = { kind: 'opened', ...merchant, transactionId, terms: { ...terms, accept } } as const
  return {
    ids: [],
    decide: () => {
      const decision = open(id, fact, context())
      const { payment } = decision
      const answered = idempotency && {
        idempotency: { ...idempotency, paymentId: id, sequence: payment.sequence },
      }
      return { decisions: [decision], depositIndex: addresses, ...answered, answer: payment }
    },
  }
}

/** Records a pending transaction of one unit. */
const sighting = (id: string, txHash: string): Wish => ({
  ids: [id],
  decide: (payments) => {
    const payment = payments.get(id)
    if (payment === null) throw new Failure('not_found')
    const decision = decide(payment, [inMempool(txHash, 1n)], context())
    return { decisions: [decision], answer: decision.payment }
  },
})

const taken = (key: string): IdempotentResult => ({
  ...{
    ...merchant,
    key: `${run}-${key}`,
    requestHash: 'h',
    status: 201,
    body: null,
    paymentId: '',
    sequence: 1,
  },
  at: world.clock.now(),
})

const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'committed',
    (error: unknown) => (error instanceof Failure ? error.code : String(error)),
  )

const sequences = async (id: string) =>
  (await world.store.read(id, 0, 1_000)).map(({ sequence }) => sequence)

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

/** Holds the next append until `letGo` is called. */
function hold(): { reached: Promise<void>; letGo: () => void } {
  let letGo = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const reached = new Promise<void>((resolve) => {
    beforeAppend = () => {
      resolve()
      return gate
    }
  })
  return { reached, letGo }
}

describe('Writer, one batch after the other', () => {
  it('gathers the next batch while one commits', async () => {
    const { reached, letGo } = hold()
    const first = writer.submit(opening())
    await reached
    const others = upTo(50).map(() => writer.submit(opening()))
    letGo()
    await Promise.all([first, ...others])
    expect(batches).toEqual([1, 50])
  })

  it('answers after the commit, and notifies the listeners before it answers', async () => {
    const told: string[] = []
    writer.onCommit(({ events }) => told.push(...events.map((stored) => stored.id)))
    const payment = await writer.submit(opening())
    expect(told).toEqual([payment.head.eventId])
    expect(await world.store.load(paymentKind, [payment.id])).toEqual([payment])
  })

  it('applies several commands on one payment in order, in one append', async () => {
    const { id } = await writer.submit(opening())
    const answers = await Promise.all(upTo(5).map((n) => writer.submit(sighting(id, `0x${n}`))))
    expect(answers.map((payment) => payment.sequence)).toEqual([2, 3, 4, 5, 6])
    expect(batches).toEqual([1, 1])
    expect(await sequences(id)).toEqual(upTo(6))
  })

  it('shows a command the payment that an earlier command of the same batch opens', async () => {
    const first = opening()
    const payment = first.decide({ get: () => null }).answer
    const [, seen] = await Promise.all([
      writer.submit(first),
      writer.submit(sighting(payment.id, '0x1')),
    ])
    expect(seen.sequence).toBe(2)
    expect(batches).toEqual([1])
  })

  it('writes nothing when a command changes nothing', async () => {
    const { id } = await writer.submit(opening())
    await writer.submit(sighting(id, '0x1'))
    const again = await writer.submit(sighting(id, '0x1'))
    expect(again.sequence).toBe(2)
    expect(batches).toEqual([1, 1])
  })

  it('splits batches that are too large for one transaction', async () => {
    writer = build({ commandsMax: 10 })
    await Promise.all(upTo(25).map(() => writer.submit(opening())))
    expect(batches).toEqual([10, 10, 5])
  })
})

describe('Writer, when another process committed first', () => {
  it('reloads and decides again', async () => {
    const other = build()
    const { id } = await writer.submit(opening())
    await other.submit(sighting(id, '0x1'))
    const payment = await writer.submit(sighting(id, '0x2'))
    expect(payment.sequence).toBe(3)
    expect(payment.facts.transactions.map(({ txHash }) => txHash)).toEqual(['0x1', '0x2'])
    expect(await sequences(id)).toEqual([1, 2, 3])
  })

  it('keeps every sequence gapless with four writers on the same payments', async () => {
    const writers = [writer, build(), build(), build()]
    const ids = await Promise.all(upTo(5).map(async () => (await writer.submit(opening())).id))
    const work = writers.flatMap((each, w) =>
      upTo(20).flatMap((n) => ids.map((id) => outcome(each.submit(sighting(id, `0x${w}${n}`))))),
    )
    const outcomes = await Promise.all(work)
    for (const id of ids) {
      const told = await world.store.read(id, 0, 1_000)
      expect(told.map(({ sequence }) => sequence)).toEqual(upTo(told.length))
    }
    const committed = outcomes.filter((each) => each === 'committed').length
    const stored = (await Promise.all(ids.map(sequences))).flat().length
    expect(stored).toBe(ids.length + committed)
    const others = outcomes.filter((each) => each !== 'committed' && each !== 'sequence_conflict')
    expect(others).toEqual([])
    await Promise.all(writers.map((each) => close(each)))
  })

  it('gives up after some tries, and other commands of the batch succeed', async () => {
    const other = build()
    const { id } = await writer.submit(opening())
    let moves = 0
    // Before each commit of the writer, the other process changes the payment.
    const chase = async (): Promise<void> => {
      beforeAppend = async () => undefined
      await other.submit(sighting(id, `0xc${++moves}`))
      beforeAppend = chase
    }
    beforeAppend = chase
    const lost = outcome(writer.submit(sighting(id, '0x1')))
    const neighbours = upTo(4).map(() => outcome(writer.submit(opening())))
    expect(await lost).toBe('sequence_conflict')
    expect(await Promise.all(neighbours)).toEqual(Array(4).fill('committed'))
    const { length } = await sequences(id)
    expect(await sequences(id)).toEqual(upTo(length))
    await close(other)
  })
})

describe('Writer, when one command of a batch fails', () => {
  it('fails only the command whose Idempotency-Key is taken', async () => {
    await writer.submit(opening(taken('a')))
    const work = upTo(9).map((n) =>
      outcome(writer.submit(opening(n === 4 ? taken('a') : taken(`k${n}`)))),
    )
    const outcomes = await Promise.all(work)
    expect(outcomes[3]).toBe('idempotency_key_reused')
    expect(outcomes.filter((each) => each === 'committed')).toHaveLength(8)
  })

  it('gives an Idempotency-Key to only one of two commands that use it', async () => {
    const outcomes = await Promise.all([
      outcome(writer.submit(opening(taken('a')))),
      outcome(writer.submit(opening(taken('a')))),
      outcome(writer.submit(opening())),
    ])
    expect(outcomes).toEqual(['committed', 'idempotency_key_reused', 'committed'])
  })

  it('fails only the command whose cursor has moved', async () => {
    const head = { view: 9, head: 9, safe: null, finalized: null }
    const cursor = { chain: 'local', fromView: 8, head, reverted: [], applied: [] }
    const step = { ids: [], decide: () => ({ decisions: [], cursor, answer: null }) }
    const outcomes = await Promise.all([
      outcome(writer.submit(opening())),
      outcome(writer.submit(step)),
      outcome(writer.submit(opening())),
    ])
    expect(outcomes).toEqual(['committed', 'cursor_conflict', 'committed'])
  })

  it('fails only the command that throws', async () => {
    const { id } = await writer.submit(opening())
    const unknown = `pi_${'0'.repeat(26)}`
    const outcomes = await Promise.all([
      outcome(writer.submit(sighting(id, '0x1'))),
      outcome(writer.submit(sighting(unknown, '0x1'))),
      outcome(writer.submit(sighting(id, '0x2'))),
    ])
    expect(outcomes).toEqual(['committed', 'not_found', 'committed'])
    expect(await sequences(id)).toEqual([1, 2, 3])
  })

  it('finds the one command that the database refuses for an unforeseen reason', async () => {
    const twin = opening()
    const outcomes = await Promise.all([
      outcome(writer.submit(opening())),
      outcome(writer.submit(twin)),
      outcome(writer.submit(opening())),
      // Opens the same payment again, which exists already.
      outcome(writer.submit({ ...twin, decide: () => twin.decide({ get: () => null }) })),
    ])
    expect(outcomes.slice(0, 3)).toEqual(['committed', 'committed', 'committed'])
    expect(outcomes[3]).not.toBe('committed')
  })
})

describe('Writer, when the store is unavailable', () => {
  it('rejects the command, keeps nothing of it, and continues afterwards', async () => {
    const { id } = await writer.submit(opening())
    beforeAppend = () => Promise.reject(new Failure('store_unavailable'))
    const doubts: string[] = []
    writer.onDoubt((ids) => doubts.push(...ids))
    expect(await outcome(writer.submit(sighting(id, '0x1')))).toBe('store_unavailable')
    expect(doubts).toEqual([id])
    beforeAppend = async () => undefined
    const payment = await writer.submit(sighting(id, '0x2'))
    expect(payment.facts.transactions.map(({ txHash }) => txHash)).toEqual(['0x2'])
    expect(await sequences(id)).toEqual([1, 2])
  })

  it('detects a commit whose answer was lost', async () => {
    const { id } = await writer.submit(opening())
    afterAppend = () => Promise.reject(new Failure('store_unavailable'))
    expect(await outcome(writer.submit(sighting(id, '0x1')))).toBe('store_unavailable')
    afterAppend = async () => undefined
    const again = await writer.submit(sighting(id, '0x1'))
    expect(again.sequence).toBe(2)
    expect(await sequences(id)).toEqual([1, 2])
  })
})

describe('Writer, limits', () => {
  it('refuses more commands than may wait, and answers those it took', async () => {
    writer = build({ queuedMax: 3 })
    const { reached, letGo } = hold()
    const first = writer.submit(opening())
    await reached
    const waiting = upTo(3).map(() => writer.submit(opening()))
    const refused = await writer.submit(opening()).catch((error: unknown) => error)
    expect(failedWith(refused, 'overloaded') && refused.retryAfterSeconds).toBe(1)
    letGo()
    expect(await Promise.all([first, ...waiting])).toHaveLength(4)
  })

  it('finishes queued commands when it closes, and takes no more', async () => {
    const { reached, letGo } = hold()
    const first = writer.submit(opening())
    await reached
    const second = writer.submit(opening())
    const closed = close(writer)
    expect(await outcome(writer.submit(opening()))).toBe('shutting_down')
    letGo()
    await closed
    const ids = (await Promise.all([first, second])).map((payment) => payment.id)
    expect(await world.store.load(paymentKind, ids)).toHaveLength(2)
  })

  it('continues when a listener throws', async () => {
    writer.onCommit(() => {
      throw new Error('deaf')
    })
    let told = 0
    writer.onCommit(() => told++)
    await writer.submit(opening())
    expect(told).toBe(1)
  })
})
