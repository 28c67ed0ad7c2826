import { expect, it } from 'vitest'
import { type QueueEntry, SoonestFirst } from './soonest-first.ts'

/** Pseudo-random numbers, the same in every run. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    yield state
  }
}

it('the queue returns the item with the earliest instant first, and never a removed one', () => {
  const random = numbers(7)
  const next = (below: number): number => Number(random.next().value) % below
  const queue = new SoonestFirst<number>()
  const held = new Map<number, QueueEntry<number>>()
  for (let step = 0, item = 0; step < 20_000; step++) {
    const what = next(10)
    if (what < 5) {
      held.set(item, queue.add(next(1_000), item))
      item += 1
    } else if (what < 8) {
      const [some] = [...held.keys()].slice(next(Math.max(1, held.size)))
      const entry = some === undefined ? undefined : held.get(some)
      if (some === undefined || entry === undefined) continue
      queue.remove(entry)
      queue.remove(entry)
      held.delete(some)
    } else {
      const soonest = Math.min(...[...held.values()].map(({ at }) => at))
      expect(queue.soonest).toBe(soonest)
      const instant = next(1_000)
      const taken = queue.takeBefore(instant)
      expect(taken !== null).toBe(soonest < instant)
      if (taken === null) continue
      expect(held.get(taken)?.at).toBe(soonest)
      held.delete(taken)
    }
    expect(queue.size).toBe(held.size)
  }
})
