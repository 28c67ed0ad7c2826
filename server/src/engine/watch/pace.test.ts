import { describe, expect, it } from 'vitest'
import { PaceMeter } from './pace.ts'

const second = 1_000
const headAt = (head: number, safe: number | null, finalized: number | null) => ({
  ...{ view: head, head, safe, finalized },
})

/** A chain with a block every two seconds whose finality advances by `epoch` blocks at a time. */
function run(
  meter: PaceMeter,
  blocks: { from: number; to: number; epoch: number; stands?: boolean },
): void {
  const { from, to, epoch, stands } = blocks
  for (let head = from; head <= to; head++) {
    const epochsOf = (block: number) => Math.floor(block / epoch) * epoch
    const finalized = Math.max(1, epochsOf(stands ? from : head) - epoch)
    meter.add(headAt(head, finalized, finalized), head * 2 * second)
  }
}

describe('PaceMeter', () => {
  it('gives no pace before two blocks were seen', () => {
    const meter = new PaceMeter()
    const unknown = { blockMs: null, safeLagMs: null, finalizedLagMs: null, stalled: false }
    expect(meter.pace).toEqual(unknown)
    meter.add(headAt(1, null, null), 1)
    expect(meter.pace).toEqual(unknown)
  })

  it('measures the block time by headers, right after a start by stored blocks', () => {
    const meter = new PaceMeter()
    const block = (number: number) => ({ number, minedAt: number * 250 })
    meter.seed([block(30), block(20), block(10)])
    expect(meter.pace.blockMs).toBe(250)
  })

  it('measures how far the tags lag behind the head', () => {
    const meter = new PaceMeter()
    run(meter, { from: 100, to: 600, epoch: 32 })
    const { blockMs, finalizedLagMs, safeLagMs, stalled } = meter.pace
    expect([blockMs, stalled, safeLagMs === finalizedLagMs]).toEqual([2_000, false, true])
    // Between one epoch and two.
    expect(finalizedLagMs).toBeGreaterThan(64 * second)
    expect(finalizedLagMs).toBeLessThan(128 * second)
  })

  it('reports that finality stalls, and that it advances again', () => {
    const meter = new PaceMeter()
    run(meter, { from: 100, to: 600, epoch: 10 })
    // Usually every 20 s; Polygon stood for ten minutes.
    run(meter, { from: 601, to: 901, epoch: 10, stands: true })
    expect(meter.pace.stalled).toBe(true)
    run(meter, { from: 902, to: 910, epoch: 10 })
    expect(meter.pace.stalled).toBe(false)
  })

  it('reports a stall when only one of two tags stalls', () => {
    const meter = new PaceMeter()
    for (let head = 100; head < 900; head++)
      meter.add(headAt(head, 95, head - 8), head * 2 * second)
    expect(meter.pace.stalled).toBe(true)
  })

  it('waits longer for a tag that usually takes long: Ethereum finalizes every 6.4 minutes', () => {
    const meter = new PaceMeter()
    for (let slot = 64; slot < 384; slot++) {
      const finalized = Math.floor(slot / 32) * 32 - 64
      meter.add(headAt(slot, finalized, finalized), slot * 12 * second)
    }
    const standsFor = (slots: number): boolean => {
      for (let slot = 384; slot < 384 + slots; slot++) {
        meter.add(headAt(slot, 288, 288), slot * 12 * second)
      }
      return meter.pace.stalled
    }
    expect(standsFor(64)).toBe(false)
    expect(standsFor(160)).toBe(true)
  })

  it('reports no stall for a young chain or one without finality', () => {
    const meter = new PaceMeter()
    for (let head = 1; head < 2_000; head++) meter.add(headAt(head, null, 0), head * 2 * second)
    expect(meter.pace).toMatchObject({ stalled: false, safeLagMs: null })
  })

  it('drops measurements of blocks that a reorg removed', () => {
    const meter = new PaceMeter()
    meter.add(headAt(1, null, null), 2_000)
    meter.add(headAt(2, null, null), 90_000)
    meter.add(headAt(2, null, null), 4_000)
    expect(meter.pace.blockMs).toBe(2_000)
  })
})
