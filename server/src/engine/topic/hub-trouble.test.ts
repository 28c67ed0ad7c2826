import { beforeEach, expect, it } from 'vitest'
import { HubWorld, pay, Reader } from '../../../../test/support/hub-world.ts'
import { pageMax } from './hub-topic.ts'

let world: HubWorld

beforeEach(() => {
  world = new HubWorld()
})

it('retries for a short time when a hint is ahead of the history', async () => {
  world.commit(1)
  const { reader } = world.follow(1)
  await world.settled()
  world.announce({ position: 2 })
  await world.clock.advance(10)
  expect(reader.seen).toEqual([])
  world.commit()
  await world.clock.advance(200)
  expect(reader.seen).toEqual([2])
})

it('retries for the furthest of several hints that are ahead', async () => {
  world.commit(1)
  const { reader } = world.follow(1)
  await world.settled()
  world.history.hold()
  world.announce({ position: 2 })
  await world.settled()
  world.announce({ position: 3 })
  await world.settled()
  world.history.releaseAll()
  await world.settled()
  world.commit()
  await world.clock.advance(10)
  expect(reader.seen).toEqual([2])
  world.commit()
  await world.clock.advance(100)
  expect(reader.seen).toEqual([2, 3])
})

it('forgets a hint that never comes true, and stops reading for it', async () => {
  world.commit(1)
  const { reader } = world.follow(1)
  await world.settled()
  world.announce({ position: 1_000_000 })
  await world.clock.advance(10_000)
  expect(world.history.reads.length).toBeLessThan(8)
  world.announce({ events: world.commit() })
  await world.settled()
  expect(reader.seen).toEqual([2])
  const reads = world.history.reads.length
  await world.clock.advance(60_000)
  expect(world.history.reads.length).toBe(reads)
})

it('a hub delivers events whose hint was lost as soon as it is given the current position', async () => {
  world.commit(1)
  const { reader } = world.follow(1)
  await world.settled()
  world.commit(3)
  await world.settled()
  expect(reader.seen).toEqual([])
  await world.hub.look(world.topic.key, 4)
  expect(reader.seen).toEqual([2, 3, 4])
})

it('delivers missed events to other subscribers when a new one attaches with a later head', async () => {
  world.commit(1)
  const old = world.follow(1)
  await world.settled()
  const head = world.commit(2).at(-1)
  const reader = new Reader()
  world.hub.attach(reader, { topic: world.topic, after: 2, ...(head && { head }) })
  expect(reader.seen).toEqual([3])
  await world.settled()
  expect(old.reader.seen).toEqual([2, 3])
})

it('delivers missed events to other subscribers when one reconnects at a later position', async () => {
  world.commit(1)
  const old = world.follow(1)
  await world.settled()
  world.commit(2)
  world.follow(3)
  await world.settled()
  expect(old.reader.seen).toEqual([2, 3])
})

it('never delivers events behind a gap in an answer of the history', async () => {
  world.commit(4)
  const whole = await world.history.read(pay, 0, pageMax)
  const holed = whole.filter(({ sequence }) => sequence !== 3)
  world.history.read = async (_, after) => holed.slice(Math.min(after, 2))
  const { reader } = world.follow(0)
  await world.clock.advance(60_000)
  expect(reader.seen).toEqual([1, 2])
})

it('subscribes to the backplane only while a subscriber follows the payment', async () => {
  world.commit(1)
  expect(world.hub.size).toBe(0)
  const [one, two] = [world.follow(1), world.follow(1)]
  await world.settled()
  one.stop()
  one.stop()
  expect(world.hub.size).toBe(1)
  two.stop()
  expect(world.hub.size).toBe(0)
  expect(world.clock.waiting).toBe(0)
  world.announce({ events: world.commit() })
  await world.settled()
  expect([one.reader.seen, two.reader.seen]).toEqual([[], []])
})

it('pushes nothing more to a subscriber that returned false', async () => {
  world.commit(5)
  const reader = new Reader()
  reader.until = 3
  world.follow(0, reader)
  await world.settled()
  expect(reader.seen).toEqual([1, 2, 3])
  expect(world.hub.size).toBe(0)
})

it('delivers to the other subscribers when one throws, and drops that one', async () => {
  world.commit(1)
  const broken = new Reader()
  broken.push = () => {
    throw new Error('a bug in a transport')
  }
  world.follow(1, broken)
  const { reader } = world.follow(1)
  await world.settled()
  world.announce({ events: world.commit() })
  await world.settled()
  expect(reader.seen).toEqual([2])
  expect(broken.isLost).toBe(true)
})

it('continues without help when the history comes back', async () => {
  world.commit(3)
  world.history.down = true
  const { reader } = world.follow(1)
  await world.clock.advance(1_000)
  expect(reader.seen).toEqual([])
  world.history.down = false
  await world.clock.advance(2_000)
  expect(reader.seen).toEqual([2, 3])
  expect(reader.isLost).toBe(false)
})

it('drops only the subscribers that are behind when the history stays unavailable', async () => {
  world.commit(3)
  const current = world.follow(3)
  await world.settled()
  world.history.down = true
  const behind = world.follow(1)
  await world.clock.advance(30_000)
  expect(behind.reader.seen).toEqual([])
  expect(behind.reader.isLost).toBe(true)
  expect(current.reader.isLost).toBe(false)
  world.announce({ events: [world.history.append(pay)] })
  await world.settled()
  expect(current.reader.seen).toEqual([4])
})

it('leaves no timer when the last subscriber leaves during a wait', async () => {
  world.commit(1)
  const waitsForCommit = world.follow(1)
  await world.settled()
  world.announce({ position: 3 })
  await world.settled()
  expect(world.clock.waiting).toBe(2)
  waitsForCommit.stop()
  expect(world.clock.waiting).toBe(0)

  world.history.down = true
  const waitsForHistory = world.follow(0)
  await world.settled()
  expect(world.clock.waiting).toBe(2)
  waitsForHistory.stop()
  await world.settled()
  expect(world.clock.waiting).toBe(0)
  expect(waitsForHistory.reader.isLost).toBe(false)
})

it('treats a read without an answer in time as failed', async () => {
  world.commit(3)
  world.history.hold()
  const { reader } = world.follow(0)
  await world.clock.advance(9_999)
  world.history.releaseAll()
  await world.settled()
  expect(reader.seen).toEqual([1, 2, 3])

  world.history.hold()
  world.commit()
  world.announce()
  await world.clock.advance(10_200)
  expect(world.history.held).toBe(2)
  world.history.releaseAll()
  await world.settled()
  expect(reader.seen).toEqual([1, 2, 3, 4])
})

it('keeps recent frames for half an hour, and no longer', async () => {
  world.commit(3)
  world.follow(3)
  world.follow(0)
  await world.settled()
  const reads = world.history.reads.length
  await world.clock.advance(29 * 60_000)
  expect(world.follow(0).reader.seen).toEqual([1, 2, 3])
  expect(world.history.reads.length).toBe(reads)
  await world.clock.advance(10 * 60_000)
  expect([world.follow(0).reader.seen, world.follow(2).reader.seen]).toEqual([[], []])
  await world.settled()
  expect(world.history.reads.length).toBe(reads + 1)
})

it('drops every subscriber when it closes', async () => {
  world.commit(1)
  const readers = [world.follow(0).reader, world.follow(1).reader]
  await world.settled()
  world.hub.close()
  expect(readers.map(({ isLost }) => isLost)).toEqual([true, true])
  expect(world.hub.size).toBe(0)
  expect(world.clock.waiting).toBe(0)
})
