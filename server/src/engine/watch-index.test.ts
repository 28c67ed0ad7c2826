import { expect, it } from 'vitest'
import {
  blockAt,
  included,
  inMempool,
  observeAll,
  opened,
  policy,
} from '../../../test/support/payments.ts'
import { WatchIndex } from './watch-index.ts'

const full = 150_000_000n
const head = { view: 11, head: 11, safe: null, finalized: null }

it('keeps what it knows of a payment when an older state of it is recorded after a newer one', () => {
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

it('takes up a payment anew when its watch begins again', () => {
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
