import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Backplane, Hint } from '../ports/topic.ts'

/** Two ends of one backplane; for a single process both are the same object. */
export interface Ends {
  readonly near: Backplane
  readonly far: Backplane
  close(): Promise<void>
}

/** What every backplane must do while nothing is broken. The hub recovers from lost hints. */
export function backplaneContract(name: string, open: () => Promise<Ends>): void {
  describe(`the ${name} backplane`, () => {
    const opened: Ends[] = []
    const start = async (): Promise<Ends> => {
      const ends = await open()
      opened.push(ends)
      return ends
    }
    afterEach(async () => {
      for (const ends of opened.splice(0)) await ends.close()
    })

    const at = (topic: string, position: number): Hint => ({ topic, position })
    const listen = (backplane: Backplane, topic: string) => {
      const received: number[] = []
      const stop = backplane.subscribe(topic, ({ position }) => received.push(position))
      return { received, stop }
    }
    /** Resolves when all earlier hints have arrived, because a later one has. */
    const arrived = async (near: Backplane, far: Backplane): Promise<void> => {
      const last = listen(far, 'subject:payment_intent:pi_last')
      await vi.waitFor(() => {
        near.announce(at('subject:payment_intent:pi_last', 1))
        expect(last.received).not.toEqual([])
      })
      last.stop()
    }

    it('delivers a hint to all subscribers of its topic, and to no others', async () => {
      const { near, far } = await start()
      const [one, two, other] = [
        listen(far, 'subject:payment_intent:pi_1'),
        listen(far, 'subject:payment_intent:pi_1'),
        listen(far, 'subject:payment_intent:pi_2'),
      ]
      await arrived(near, far)
      near.announce(at('subject:payment_intent:pi_1', 7))
      await vi.waitFor(() => expect([one.received, two.received]).toEqual([[7], [7]]))
      await arrived(near, far)
      expect(other.received).toEqual([])
    })

    it('calls back only after announce has returned, so that no writer waits', async () => {
      const { near } = await start()
      const { received } = listen(near, 'subject:payment_intent:pi_1')
      await arrived(near, near)
      near.announce(at('subject:payment_intent:pi_1', 1))
      expect(received).toEqual([])
      await vi.waitFor(() => expect(received).toEqual([1]))
    })

    it('ends one subscription at once, also when stopped twice, and no other', async () => {
      const { near, far } = await start()
      const listener = vi.fn()
      const stopFirst = far.subscribe('subject:payment_intent:pi_1', listener)
      const stopSecond = far.subscribe('subject:payment_intent:pi_1', listener)
      await arrived(near, far)
      near.announce(at('subject:payment_intent:pi_1', 1))
      stopFirst()
      stopFirst()
      await vi.waitFor(() => expect(listener).toHaveBeenCalledTimes(1))
      await arrived(near, far)
      expect(listener).toHaveBeenCalledTimes(1)
      stopSecond()
      near.announce(at('subject:payment_intent:pi_1', 2))
      await arrived(near, far)
      expect(listener).toHaveBeenCalledTimes(1)
    })

    it('delivers to a new subscriber after the last one unsubscribed', async () => {
      const { near, far } = await start()
      const left = listen(far, 'subject:payment_intent:pi_1')
      left.stop()
      const came = listen(far, 'subject:payment_intent:pi_1')
      left.stop()
      await arrived(near, far)
      near.announce(at('subject:payment_intent:pi_1', 3))
      await vi.waitFor(() => expect(came.received).toEqual([3]))
      expect(left.received).toEqual([])
    })

    it('delivers to other listeners when one throws', async () => {
      const { near, far } = await start()
      far.subscribe('subject:payment_intent:pi_1', () => {
        throw new Error('a bug in a listener')
      })
      const { received } = listen(far, 'subject:payment_intent:pi_1')
      await arrived(near, far)
      near.announce(at('subject:payment_intent:pi_1', 1))
      await vi.waitFor(() => expect(received).toEqual([1]))
    })

    it('proves that it works by a message to itself, several at a time', async () => {
      const { near } = await start()
      const soon = AbortSignal.timeout(5_000)
      await expect(Promise.all([near.prove(soon), near.prove(soon)])).resolves.toBeDefined()
    })

    it('rejects a proof when the signal aborts or the backplane is closed', async () => {
      const { near } = await start()
      await expect(near.prove(AbortSignal.abort())).rejects.toThrow()
      await near.close()
      await expect(near.prove(AbortSignal.timeout(50))).rejects.toThrow()
    })

    it('delivers nothing once closed', async () => {
      const { near, far } = await start()
      const { received } = listen(far, 'subject:payment_intent:pi_1')
      await arrived(near, far)
      await far.close()
      near.announce(at('subject:payment_intent:pi_1', 1))
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(received).toEqual([])
    })
  })
}
