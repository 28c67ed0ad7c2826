import { describe, expect, it, vi } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { silentLog } from '../log.ts'
import { KeyUses } from './key-uses.ts'

const begun = 1_000_000

function open() {
  const clock = new ManualClock(begun)
  const noteUses = vi.fn(async (_: ReadonlyMap<string, number>) => undefined)
  const uses = new KeyUses({ keys: { noteUses }, clock, log: silentLog })
  return { clock, noteUses, uses }
}

const written = ({ noteUses }: ReturnType<typeof open>) =>
  noteUses.mock.calls.map(([map]) => [...map])

describe('the last uses of keys', () => {
  it('are written by a timer, all keys at once', async () => {
    const world = open()
    world.uses.note('key_1')
    await world.clock.advance(1_000)
    world.uses.note('key_2')
    world.uses.note('key_1')
    expect(written(world)).toEqual([])
    await world.clock.advance(5_000)
    const at = begun + 1_000
    expect(written(world)).toEqual([
      [
        ['key_1', at],
        ['key_2', at],
      ],
    ])
  })

  it('are written at most once a minute per key, however many requests it makes', async () => {
    const world = open()
    for (let second = 0; second < 300; second++) {
      world.uses.note('key_1')
      await world.clock.advance(1_000)
    }
    expect(written(world).length).toBeGreaterThanOrEqual(4)
    expect(written(world).length).toBeLessThanOrEqual(5)
  })

  it('are written again after a failure, and when the server closes', async () => {
    const world = open()
    world.noteUses.mockRejectedValueOnce(new Error('away'))
    world.uses.note('key_1')
    await world.clock.advance(5_000)
    await world.clock.advance(5_000)
    expect(written(world)).toEqual([[['key_1', begun]], [['key_1', begun]]])
    world.uses.note('key_1')
    await world.uses.close()
    expect(written(world)).toHaveLength(3)
  })

  it('cost no write without requests', async () => {
    const world = open()
    await world.clock.advance(600_000)
    await world.uses.close()
    expect(written(world)).toEqual([])
  })
})
