import { beforeEach, expect, it } from 'vitest'
import { HubWorld, pay } from '../../../../test/support/hub-world.ts'
import { pageMax } from './hub-topic.ts'

let world: HubWorld

beforeEach(() => {
  world = new HubWorld()
})

it('delivers the events after the position, then new ones, once and in order', async () => {
  world.commit(5)
  const { reader } = world.follow(2)
  await world.settled()
  expect(reader.seen).toEqual([3, 4, 5])
  world.commit()
  world.announce()
  await world.settled()
  expect(reader.seen).toEqual([3, 4, 5, 6])
  expect(reader.position).toBe(6)
})

it('loses no event that is committed and announced while the history is being read', async () => {
  world.commit(2)
  world.history.hold()
  const { reader } = world.follow(0)
  expect(world.history.held).toBe(1)
  world.announce({ events: world.commit(2) })
  await world.settled()
  expect(reader.seen).toEqual([])
  world.history.releaseAll()
  await world.settled()
  expect(reader.seen).toEqual([1, 2, 3, 4])
})

it('loses no event that is committed during the read and announced without its data', async () => {
  world.commit(2)
  world.history.hold()
  const { reader } = world.follow(2)
  world.commit()
  world.announce()
  world.history.release()
  await world.settled()
  world.history.releaseAll()
  await world.settled()
  expect(reader.seen).toEqual([3])
})

it('delivers a new event at once to current subscribers while another is still replaying', async () => {
  world.commit(3)
  const current = world.follow(3)
  await world.settled()
  world.history.hold()
  const replaying = world.follow(0)
  world.announce({ events: world.commit() })
  await world.settled()
  expect(current.reader.seen).toEqual([4])
  expect(replaying.reader.seen).toEqual([])
  world.history.releaseAll()
  await world.settled()
  expect(replaying.reader.seen).toEqual([1, 2, 3, 4])
})

it('encodes an event once, even if some subscribers get it live and others by replay', async () => {
  world.commit(3)
  const live = world.follow(3)
  await world.settled()
  world.announce({ events: world.commit() })
  await world.settled()
  const replayed = world.follow(0)
  await world.settled()
  expect(replayed.reader.seen).toEqual([1, 2, 3, 4])
  expect(replayed.reader.frames[3]?.sse).toBe(live.reader.frames[0]?.sse)
})

it('does not push an announced event behind a gap before the gap is filled', async () => {
  world.commit(1)
  const { reader } = world.follow(1)
  await world.settled()
  const [two, three] = world.commit(2)
  world.history.hold()
  world.announce({ position: 3, events: three ? [three] : [] })
  await world.settled()
  expect(reader.seen).toEqual([])
  world.announce({ position: 2, events: two ? [two] : [] })
  await world.settled()
  expect(reader.seen).toEqual([2, 3])
  world.history.releaseAll()
  await world.settled()
  expect(reader.seen).toEqual([2, 3])
})

it('ignores repeated, old and empty hints', async () => {
  world.commit(3)
  const { reader } = world.follow(0)
  await world.settled()
  const events = world.commit()
  for (let i = 0; i < 3; i++) world.announce({ events })
  world.announce({ position: 1 })
  world.announce({ position: 0, events: [] })
  await world.settled()
  expect(reader.seen).toEqual([1, 2, 3, 4])
})

it('reads the history for a newcomer whose position is before the cached events', async () => {
  world.commit(80)
  world.follow(0)
  await world.settled()
  const { reader } = world.follow(10)
  await world.settled()
  expect(reader.seen).toEqual(Array.from({ length: 70 }, (_, index) => index + 11))
})

it('replays the whole history even if an old hint arrives during the replay', async () => {
  world.commit(pageMax * 3)
  world.follow(pageMax * 3)
  await world.settled()
  world.history.hold()
  const { reader } = world.follow(0)
  world.announce({ position: 1 })
  await world.settled()
  world.history.releaseAll()
  await world.settled()
  expect(reader.position).toBe(pageMax * 3)
})

it('reads a long history page by page, each of bounded size', async () => {
  world.commit(pageMax * 2 + 5)
  const { reader } = world.follow(0)
  await world.settled()
  expect(reader.seen).toEqual(Array.from({ length: pageMax * 2 + 5 }, (_, index) => index + 1))
  expect(world.history.reads).toEqual([0, 1, 2].map((page) => [page * pageMax, pageMax]))
})

it('replays a history that ends exactly at a page boundary', async () => {
  world.commit(pageMax)
  const { reader } = world.follow(0)
  await world.settled()
  expect(reader.position).toBe(pageMax)
})

it('reads and encodes once for many subscribers at the same position', async () => {
  world.commit(10)
  const readers = Array.from({ length: 1_000 }, () => world.follow(4).reader)
  await world.settled()
  const late = world.follow(4).reader
  await world.settled()
  expect(world.history.reads.length).toBe(1)
  for (const { seen } of [...readers, late]) expect(seen).toEqual([5, 6, 7, 8, 9, 10])
  const bytes = new Set([...readers, late].map(({ frames }) => frames[0]?.sse))
  expect(bytes.size).toBe(1)
})

it('measures the lag from the commit to the delivery, once for each event', async () => {
  world.commit(1)
  world.follow(1)
  world.follow(1)
  await world.settled()
  const stored = world.history.append(pay, { committedAt: world.clock.now() })
  await world.clock.advance(7)
  world.announce({ events: [stored] })
  world.announce({ events: [stored] })
  await world.settled()
  expect(world.lags).toEqual([7])
})
