import { beforeEach, expect, it } from 'vitest'
import { HeldHistory } from '../../../test/support/history.ts'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { MemoryBackplane } from '../backplane/memory.ts'
import { silentLog } from '../log.ts'
import type { Moved, Stop } from '../ports.ts'
import { type Frame, Hub, type Subscriber } from './hub.ts'
import { pageMax } from './hub-topic.ts'

const pay = 'pi_one'

class Reader implements Subscriber {
  position = 0
  readonly seen: number[] = []
  readonly frames: Frame[] = []
  isLost = false
  /** The sequence after which it has had enough. */
  until = Number.POSITIVE_INFINITY

  push(frame: Frame): boolean {
    this.seen.push(frame.sequence)
    this.frames.push(frame)
    return frame.sequence < this.until
  }

  lost(): void {
    this.isLost = true
  }
}

let clock: ManualClock
let history: HeldHistory
let backplane: MemoryBackplane
let lags: number[]
let hub: Hub

beforeEach(() => {
  clock = new ManualClock()
  history = new HeldHistory()
  backplane = new MemoryBackplane(silentLog)
  lags = []
  const metrics = { eventLag: (ms: number) => lags.push(ms) }
  hub = new Hub({ store: history, backplane, clock, log: silentLog, metrics })
})

const settled = (): Promise<void> => clock.advance(0)
const commit = (count = 1) => Array.from({ length: count }, () => history.append(pay))
const announce = (moved: Partial<Moved> = {}): void =>
  backplane.announce({ paymentId: pay, sequence: history.head(pay), ...moved })

function follow(after: number, reader = new Reader()): { reader: Reader; stop: Stop } {
  return { reader, stop: hub.attach(reader, { paymentId: pay, after }) }
}

it('gives what the history holds after the position, then what comes, once and in order', async () => {
  commit(5)
  const { reader } = follow(2)
  await settled()
  expect(reader.seen).toEqual([3, 4, 5])
  commit()
  announce()
  await settled()
  expect(reader.seen).toEqual([3, 4, 5, 6])
  expect(reader.position).toBe(6)
})

it('loses nothing that is committed and announced while the history is being read', async () => {
  commit(2)
  history.hold()
  const { reader } = follow(0)
  expect(history.held).toBe(1)
  announce({ events: commit(2) })
  await settled()
  expect(reader.seen).toEqual([])
  history.releaseAll()
  await settled()
  expect(reader.seen).toEqual([1, 2, 3, 4])
})

it('loses nothing that is committed during the read and announced without the events', async () => {
  commit(2)
  history.hold()
  const { reader } = follow(2)
  commit()
  announce()
  history.release()
  await settled()
  history.releaseAll()
  await settled()
  expect(reader.seen).toEqual([3])
})

it('lets those who are current have a new event at once while another is still replaying', async () => {
  commit(3)
  const current = follow(3)
  await settled()
  history.hold()
  const replaying = follow(0)
  announce({ events: commit() })
  await settled()
  expect(current.reader.seen).toEqual([4])
  expect(replaying.reader.seen).toEqual([])
  history.releaseAll()
  await settled()
  expect(replaying.reader.seen).toEqual([1, 2, 3, 4])
})

it('encodes an event once, though it is announced to some and read for others', async () => {
  commit(3)
  const live = follow(3)
  await settled()
  announce({ events: commit() })
  await settled()
  const replayed = follow(0)
  await settled()
  expect(replayed.reader.seen).toEqual([1, 2, 3, 4])
  expect(replayed.reader.frames[3]?.sse).toBe(live.reader.frames[0]?.sse)
})

it('does not push what an announcement carries beyond a gap before the gap is filled', async () => {
  commit(1)
  const { reader } = follow(1)
  await settled()
  const [two, three] = commit(2)
  history.hold()
  announce({ sequence: 3, events: three ? [three] : [] })
  await settled()
  expect(reader.seen).toEqual([])
  announce({ sequence: 2, events: two ? [two] : [] })
  await settled()
  expect(reader.seen).toEqual([2, 3])
  history.releaseAll()
  await settled()
  expect(reader.seen).toEqual([2, 3])
})

it('is not confused by announcements that are doubled, old, or empty', async () => {
  commit(3)
  const { reader } = follow(0)
  await settled()
  const events = commit()
  for (let i = 0; i < 3; i++) announce({ events })
  announce({ sequence: 1 })
  announce({ sequence: 0, events: [] })
  await settled()
  expect(reader.seen).toEqual([1, 2, 3, 4])
})

it('asks again for a little while when an announcement is ahead of the history', async () => {
  commit(1)
  const { reader } = follow(1)
  await settled()
  announce({ sequence: 2 })
  await clock.advance(10)
  expect(reader.seen).toEqual([])
  commit()
  await clock.advance(200)
  expect(reader.seen).toEqual([2])
})

it('asks again for the furthest of several announcements that are ahead', async () => {
  commit(1)
  const { reader } = follow(1)
  await settled()
  history.hold()
  announce({ sequence: 2 })
  await settled()
  announce({ sequence: 3 })
  await settled()
  history.releaseAll()
  await settled()
  commit()
  await clock.advance(10)
  expect(reader.seen).toEqual([2])
  commit()
  await clock.advance(100)
  expect(reader.seen).toEqual([2, 3])
})

it('forgets an announcement that never comes true, and reads no more for it', async () => {
  commit(1)
  const { reader } = follow(1)
  await settled()
  announce({ sequence: 1_000_000 })
  await clock.advance(10_000)
  expect(history.reads.length).toBeLessThan(8)
  announce({ events: commit() })
  await settled()
  expect(reader.seen).toEqual([2])
  const reads = history.reads.length
  await clock.advance(60_000)
  expect(history.reads.length).toBe(reads)
})

it('makes good what the backplane lost as soon as anybody knows the head', async () => {
  commit(1)
  const { reader } = follow(1)
  await settled()
  commit(3)
  await settled()
  expect(reader.seen).toEqual([])
  await hub.look(pay, 4)
  expect(reader.seen).toEqual([2, 3, 4])
})

it('heals the others when one newcomer brings a head they were never told of', async () => {
  commit(1)
  const old = follow(1)
  await settled()
  const head = commit(2).at(-1)
  const reader = new Reader()
  hub.attach(reader, { paymentId: pay, after: 2, ...(head && { head }) })
  expect(reader.seen).toEqual([3])
  await settled()
  expect(old.reader.seen).toEqual([2, 3])
})

it('heals the others when one comes back with more than they were told of', async () => {
  commit(1)
  const old = follow(1)
  await settled()
  commit(2)
  follow(3)
  await settled()
  expect(old.reader.seen).toEqual([2, 3])
})

it('reads for a newcomer who is older than what is at hand', async () => {
  commit(80)
  follow(0)
  await settled()
  const { reader } = follow(10)
  await settled()
  expect(reader.seen).toEqual(Array.from({ length: 70 }, (_, index) => index + 11))
})

it('replays to the end whatever old announcement comes in between', async () => {
  commit(pageMax * 3)
  follow(pageMax * 3)
  await settled()
  history.hold()
  const { reader } = follow(0)
  announce({ sequence: 1 })
  await settled()
  history.releaseAll()
  await settled()
  expect(reader.position).toBe(pageMax * 3)
})

it('never believes what comes behind a gap in an answer of the history', async () => {
  commit(4)
  const whole = await history.read(pay, 0, pageMax)
  const holed = whole.filter(({ event }) => event.data.sequence !== 3)
  history.read = async (_, after) => holed.slice(Math.min(after, 2))
  const { reader } = follow(0)
  await clock.advance(60_000)
  expect(reader.seen).toEqual([1, 2])
})

it('reads a long history page by page, each bounded', async () => {
  commit(pageMax * 2 + 5)
  const { reader } = follow(0)
  await settled()
  expect(reader.seen).toEqual(Array.from({ length: pageMax * 2 + 5 }, (_, index) => index + 1))
  expect(history.reads).toEqual([0, 1, 2].map((page) => [page * pageMax, pageMax]))
})

it('finds a history that ends exactly at a page', async () => {
  commit(pageMax)
  const { reader } = follow(0)
  await settled()
  expect(reader.position).toBe(pageMax)
})

it('reads once for many who want the same, and encodes once', async () => {
  commit(10)
  const readers = Array.from({ length: 1_000 }, () => follow(4).reader)
  await settled()
  const late = follow(4).reader
  await settled()
  expect(history.reads.length).toBe(1)
  for (const { seen } of [...readers, late]) expect(seen).toEqual([5, 6, 7, 8, 9, 10])
  const bytes = new Set([...readers, late].map(({ frames }) => frames[0]?.sse))
  expect(bytes.size).toBe(1)
})

it('listens to the backplane only while somebody follows the payment', async () => {
  commit(1)
  expect(hub.size).toBe(0)
  const [one, two] = [follow(1), follow(1)]
  await settled()
  one.stop()
  one.stop()
  expect(hub.size).toBe(1)
  two.stop()
  expect(hub.size).toBe(0)
  expect(clock.waiting).toBe(0)
  announce({ events: commit() })
  await settled()
  expect([one.reader.seen, two.reader.seen]).toEqual([[], []])
})

it('pushes nothing more to one who has had enough', async () => {
  commit(5)
  const reader = new Reader()
  reader.until = 3
  follow(0, reader)
  await settled()
  expect(reader.seen).toEqual([1, 2, 3])
  expect(hub.size).toBe(0)
})

it('does not let one that throws keep an event from the others', async () => {
  commit(1)
  const broken = new Reader()
  broken.push = () => {
    throw new Error('a bug in a transport')
  }
  follow(1, broken)
  const { reader } = follow(1)
  await settled()
  announce({ events: commit() })
  await settled()
  expect(reader.seen).toEqual([2])
  expect(broken.isLost).toBe(true)
})

it('goes on by itself when the history comes back', async () => {
  commit(3)
  history.down = true
  const { reader } = follow(1)
  await clock.advance(1_000)
  expect(reader.seen).toEqual([])
  history.down = false
  await clock.advance(2_000)
  expect(reader.seen).toEqual([2, 3])
  expect(reader.isLost).toBe(false)
})

it('lets go of those who are behind when the history stays away, and of nobody else', async () => {
  commit(3)
  const current = follow(3)
  await settled()
  history.down = true
  const behind = follow(1)
  await clock.advance(30_000)
  expect(behind.reader.seen).toEqual([])
  expect(behind.reader.isLost).toBe(true)
  expect(current.reader.isLost).toBe(false)
  announce({ events: [history.append(pay)] })
  await settled()
  expect(current.reader.seen).toEqual([4])
})

it('leaves nothing behind when the last one goes while a wait is on', async () => {
  commit(1)
  const waitsForCommit = follow(1)
  await settled()
  announce({ sequence: 3 })
  await settled()
  expect(clock.waiting).toBe(2)
  waitsForCommit.stop()
  expect(clock.waiting).toBe(0)

  history.down = true
  const waitsForHistory = follow(0)
  await settled()
  expect(clock.waiting).toBe(2)
  waitsForHistory.stop()
  await settled()
  expect(clock.waiting).toBe(0)
  expect(waitsForHistory.reader.isLost).toBe(false)
})

it('takes a read without an answer for a failed one', async () => {
  commit(3)
  history.hold()
  const { reader } = follow(0)
  await clock.advance(9_999)
  history.releaseAll()
  await settled()
  expect(reader.seen).toEqual([1, 2, 3])

  history.hold()
  commit()
  announce()
  await clock.advance(10_200)
  expect(history.held).toBe(2)
  history.releaseAll()
  await settled()
  expect(reader.seen).toEqual([1, 2, 3, 4])
})

it('measures from the commit to the hand-over, once for each event', async () => {
  commit(1)
  follow(1)
  follow(1)
  await settled()
  const stored = history.append(pay, { committedAt: clock.now() })
  await clock.advance(7)
  announce({ events: [stored] })
  announce({ events: [stored] })
  await settled()
  expect(lags).toEqual([7])
})

it('keeps recent frames at hand for half an hour, no longer', async () => {
  commit(3)
  follow(3)
  follow(0)
  await settled()
  const reads = history.reads.length
  await clock.advance(29 * 60_000)
  expect(follow(0).reader.seen).toEqual([1, 2, 3])
  expect(history.reads.length).toBe(reads)
  await clock.advance(10 * 60_000)
  expect([follow(0).reader.seen, follow(2).reader.seen]).toEqual([[], []])
  await settled()
  expect(history.reads.length).toBe(reads + 1)
})

it('lets everybody go when it closes', async () => {
  commit(1)
  const readers = [follow(0).reader, follow(1).reader]
  await settled()
  hub.close()
  expect(readers.map(({ isLost }) => isLost)).toEqual([true, true])
  expect(hub.size).toBe(0)
  expect(clock.waiting).toBe(0)
})
