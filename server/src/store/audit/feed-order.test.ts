import { feedSeal, noSeal } from '@settlewire/core/history/seal'
import { expect, it } from 'vitest'
import { digest } from '../history/digest.ts'
import { FeedOrder } from './feed-order.ts'

const seals = Array.from({ length: 3_000 }, (_, i) => digest.sha256(`${i}`))
const chained = seals.reduce((last, seal) => feedSeal(last, seal, digest), noSeal)

it.each([
  ['in order', seals.map((_, i) => i + 1)],
  ['backwards', seals.map((_, i) => seals.length - i)],
  ['odd ones first', seals.map((_, i) => (i < 1_500 ? i * 2 + 1 : (i - 1_499) * 2))],
])('chains the seals of a feed by position when they are added %s', (_, positions) => {
  const order = new FeedOrder()
  for (const position of positions) order.add(position, seals[position - 1] ?? '')
  expect(order.end(seals.length)).toBe(chained)
})

it('gives an empty feed the initial seal', () => {
  expect(new FeedOrder().end(0)).toBe(noSeal)
})
