import { expect, it, onTestFinished } from 'vitest'
import { blockAt } from '../../../../test/support/payments.ts'
import { moveTo } from '../../../../test/support/store-batches.ts'
import { storeUnderTest } from '../../../../test/support/store-under-test.ts'
import type { CursorMove } from '../../ports/history.ts'

it('keeps the blocks of a partially stored step and accepts its parts only in order', async () => {
  const store = await storeUnderTest()
  onTestFinished(() => store.close())
  const events = store.node()
  await events.begin('local', '0xgenesis', blockAt(10))
  await events.append({ appends: [], cursors: [moveTo(11, 0)] })
  const branch = [blockAt(11, 'b'), blockAt(12, 'b')]
  const move = (change: Partial<CursorMove>) =>
    events.append({ appends: [], cursors: [{ ...moveTo(10, 2), applied: [], ...change }] })
  const refused = expect.objectContaining({ code: 'cursor_conflict' })
  const head = { view: 2, head: 10, safe: null, finalized: null }
  const unfinished = { isOpen: true, blocks: [blockAt(11), ...branch], final: [] }
  const begin = { fromView: 1, head, reverted: [blockAt(11).hash], unfinished }
  await expect(move({ ...begin, fromOpen: true })).rejects.toThrow(refused)
  await move(begin)
  const begun = { genesisHash: '0xgenesis', head, recent: [blockAt(10)], unfinished }
  expect(await events.position('local')).toEqual(begun)
  await expect(move({ head })).rejects.toThrow(refused)
  await move({ head, fromOpen: true })
  expect(await events.position('local')).toEqual(begun)
  const end = { ...head, head: 12 }
  await move({ head: end, fromOpen: true, applied: branch, unfinished: null })
  const { genesisHash } = begun
  const recent = [blockAt(10), ...branch].reverse()
  expect(await events.position('local')).toEqual({ genesisHash, head: end, recent })
  await expect(move({ head, fromOpen: true })).rejects.toThrow(refused)
})
