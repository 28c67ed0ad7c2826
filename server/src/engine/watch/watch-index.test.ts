import type { StoredState } from '@settlewire/core/history/subject-kind'
import { textsOf } from '@settlewire/core/payment/event-text'
import { projectionOf } from '@settlewire/core/payment/payment-rows'
import { expect, it } from 'vitest'
import {
  blockAt,
  included,
  inMempool,
  observeAll,
  opened,
  policy,
} from '../../../../test/support/payments.ts'
import { WatchIndex } from './watch-index.ts'

const full = 150_000_000n
const head = { view: 11, head: 11, safe: null, finalized: null }

it('keeps the newer state of a payment when an older one is recorded after it', () => {
  const pending = observeAll(opened(), [inMempool('0x1', full)]).payment
  const confirming = observeAll(opened(), [
    inMempool('0x1', full),
    included('0x1', full, blockAt(10), 1),
  ]).payment
  const { id, livemode, terms } = confirming
  const index = new WatchIndex([{ name: 'local', livemode }], policy)
  index.watch(id, { livemode, accept: terms.accept })
  index.record(confirming)
  index.record(pending)
  index.chain('local')?.advance({ ...head, head: 10 })
  expect(index.chain('local')?.movedBy(head)).toEqual([id])
})

it('tracks the money of a payment that was opened while the others were loaded', async () => {
  const { events, payment } = opened()
  const confirming = observeAll({ events, payment }, [
    included('0x1', full, blockAt(10), 1),
  ]).payment
  const { standing, transactions } = projectionOf(confirming)
  const stored: StoredState = {
    ...{ id: confirming.id, createdAt: confirming.createdAt, standing },
    opening: events.map(textsOf)[0]?.evidenceJson ?? '',
    parts: `[${transactions.map(({ part }) => part).join()}]`,
  }
  const index = new WatchIndex([{ name: 'local', livemode: confirming.livemode }], policy)
  await index.load({
    watched: async () => undefined,
    unsettled: async () => [confirming.id],
    paid: async () => [],
    load: async (kind) => [kind.revive(stored)],
  })
  expect(index.chain('local')?.unsettled()).toEqual([confirming.id])
})

it('records a payment again when its watch begins again', () => {
  const { payment } = observeAll(opened(), [inMempool('0x1', full)])
  const { id, livemode, terms } = payment
  const index = new WatchIndex([{ name: 'local', livemode }], policy)
  index.watch(id, { livemode, accept: terms.accept })
  index.record({ ...payment, sequence: 9 })
  index.release(id)
  index.watch(id, { livemode, accept: terms.accept })
  index.record(payment)
  expect(index.chain('local')?.tracks('0x1')).toBe(true)
})
