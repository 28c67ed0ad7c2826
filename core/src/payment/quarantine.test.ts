import { expect, it } from 'vitest'
import {
  blockAt,
  bornAt,
  contextAt,
  headAt,
  included,
  inMempool,
  observeAll,
  opened,
  policy,
} from '../../../test/support/payments.ts'
import { nextDeadline } from './deadline.ts'
import { decide } from './decide.ts'
import { fold } from './fold.ts'
import type { Payment } from './payment.ts'
import { heldMax, heldOf, quarantine } from './quarantine.ts'
import { statuses } from './status-model.ts'

const paid = included('0x1', 150_000_000n, blockAt(10), 1)
const why = 'must hold: something'
const later = contextAt(bornAt + 30_000)

it('quarantining holds the observations and leads to investigation_required', () => {
  const start = opened()
  const { payment, events } = quarantine(
    start.payment,
    { observations: [paid, headAt(10, 1)], why },
    later,
  )
  expect(events.map(({ type, data }) => [type, data.status, data.reason])).toEqual([
    ['investigation_required', 'investigation_required', 'internal_contradiction'],
  ])
  expect(payment.facts.transactions).toEqual([])
  expect(heldOf(payment, later.at).slice(1)).toEqual([paid])
  expect(nextDeadline(payment)).toBeLessThanOrEqual(later.at)
  expect(fold([...start.events, ...events], () => policy)).toEqual(payment)
})

it('continues with the normal status once the held observations can be judged', () => {
  const start = opened()
  const held = quarantine(start.payment, { observations: [paid], why }, later)
  const again = decide(
    held.payment,
    [...heldOf(held.payment, later.at), headAt(12, 3)],
    contextAt(bornAt + 40_000),
  )
  expect(again.payment).toMatchObject({ status: 'succeeded', reason: null, received: 150_000_000n })
  expect(heldOf(again.payment, later.at)).toEqual([])
  const events = [...start.events, ...held.events, ...again.events]
  expect(fold(events, () => policy)).toEqual(again.payment)
})

it('can quarantine a payment in every status', () => {
  for (const status of statuses) {
    const payment: Payment = { ...opened().payment, status }
    const { events } = quarantine(payment, { observations: [paid], why }, later)
    expect(events.map(({ data }) => data.status)).toEqual(['investigation_required'])
  }
})

it('emits nothing for a mere head, and holds at most heldMax entries', () => {
  let { payment } = observeAll(opened(), [])
  for (let i = 0; i < heldMax + 5; i++) {
    const one = included(`0x${i}`, 1n, blockAt(10), 1)
    payment = quarantine(payment, { observations: [one], why }, contextAt(bornAt + i)).payment
    expect(quarantine(payment, { observations: [headAt(9, 9)], why }, later).events).toEqual([])
  }
  expect(payment.facts.held).toHaveLength(heldMax)
})

it('keeps room for transfers in blocks, however many pools show', () => {
  let { payment } = observeAll(opened(), [])
  const hold = (
    i: number,
    observations: Parameters<typeof quarantine>[1]['observations'],
  ): void => {
    payment = quarantine(payment, { observations, why }, contextAt(bornAt + i)).payment
  }
  for (let i = 0; i < heldMax * 2; i++) hold(i, [inMempool(`0x${i}`, 1n)])
  hold(heldMax * 2, [paid])
  expect(payment.facts.held?.length).toBeLessThan(heldMax / 2)
  expect(heldOf(payment, later.at).at(-1)).toEqual(paid)
})
