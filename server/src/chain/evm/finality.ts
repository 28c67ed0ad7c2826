import type { Instant } from '@settlewire/core/instant'
import type { ChainHead } from '@settlewire/core/policy'
import type { Limits } from './limits.ts'

interface Tag {
  readonly number: number
  readonly movedAt: Instant
  /** The head when it moved. */
  readonly head: number
  /** The usual time between moves; 0 until it was seen. */
  readonly paceMs: number
}

const weight = 0.3

/** Watches whether what the chain calls safe and finalized goes on moving with its head. */
export class FinalityWatch {
  readonly #limits: Pick<Limits, 'finalityStallMsMin' | 'finalityStallTimes'>
  readonly #tags = new Map<'safe' | 'finalized', Tag>()
  #head = 0

  constructor(limits: Pick<Limits, 'finalityStallMsMin' | 'finalityStallTimes'>) {
    this.#limits = limits
  }

  /** A step was stored. A tag that is not told any more stands still. */
  moved(head: Pick<ChainHead, 'head' | 'safe' | 'finalized'>, now: Instant): void {
    this.#head = head.head
    for (const name of ['safe', 'finalized'] as const) {
      const number = head[name]
      const before = this.#tags.get(name)
      if (number === null || number === before?.number) continue
      const gapMs = before === undefined ? 0 : now - before.movedAt
      const paceMs = before?.paceMs ? before.paceMs + weight * (gapMs - before.paceMs) : gapMs
      this.#tags.set(name, { number, movedAt: now, head: head.head, paceMs })
    }
  }

  /** Only while the head moves: a chain that stands still as a whole is another trouble. */
  isStalled(now: Instant): boolean {
    const { finalityStallMsMin, finalityStallTimes } = this.#limits
    return [...this.#tags.values()].some(
      ({ movedAt, paceMs, head }) =>
        this.#head > head &&
        now - movedAt >= Math.max(finalityStallMsMin, finalityStallTimes * paceMs),
    )
  }
}
