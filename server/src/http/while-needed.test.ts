import { expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { silentLog } from '../log.ts'
import { WhileNeeded } from './while-needed.ts'

function open() {
  const clock = new ManualClock(0)
  const world = { clock, times: 0, isNeeded: false, fails: false }
  const work = async (): Promise<void> => {
    world.times += 1
    if (world.fails) throw new Error('not now')
  }
  const options = { clock, log: silentLog, everyMs: 100, what: 'the work failed' }
  return { world, repeated: new WhileNeeded(options, () => world.isNeeded, work) }
}

it('repeats its work only while it is needed', async () => {
  const { world, repeated } = open()
  await world.clock.advance(1_000)
  expect(world.times).toBe(0)
  world.isNeeded = true
  repeated.need()
  repeated.need()
  await world.clock.advance(350)
  expect(world.times).toBe(3)
  world.isNeeded = false
  await world.clock.advance(1_000)
  expect(world.times).toBe(4)
  repeated.need()
  await world.clock.advance(1_000)
  expect(world.times).toBe(5)
})

it('keeps repeating its work after a failure, until it is closed', async () => {
  const { world, repeated } = open()
  Object.assign(world, { isNeeded: true, fails: true })
  repeated.need()
  await world.clock.advance(250)
  expect(world.times).toBe(2)
  await repeated.close()
  repeated.need()
  await world.clock.advance(1_000)
  expect(world.times).toBe(2)
})
