import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Backplane, Hint } from '../ports/topic.ts'

/** Two ends of one backplane; a backplane of one process is both. */
export interface Ends {
  readonly near: Backplane
  readonly far: Backplane
  close(): Promise<void>
}

/** What every backplane must do while nothing is broken. What it may lose, the hub makes good. */
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
      const heard: number[] = []
      const stop = backplane.subscribe(topic, ({ position }) => heard.push(position))
      return { heard, stop }
    }
    /** Proof that what was announced before has arrived: a later message has. */
    const arrived = async (near: Backplane, far: Backplane): Promise<void> => {
      const last = listen(far, 'subject:payment_intent:pi_last')
      await vi.waitFor(() => {
        near.announce(at('subject:payment_intent:pi_last', 1))
        expect(last.heard).not.toEqual([])
      })
      last.stop()
    }

    it('tells those who follow a topic, and no others', async () => {
      const { near, far } = await start()
      const [one, two, other] = [
        listen(far, 'subject:payment_intent:pi_1'),
        listen(far, 'subject:payment_intent:pi_1'),
        listen(far, 'subject:payment_intent:pi_2'),
      ]
      await arrived(near, far)
      near.announce(at('subject:payment_intent:pi_1', 7))
      await vi.waitFor(() => expect([one.heard, two.heard]).toEqual([[7], [7]]))
      await arrived(near, far)
      expect(other.heard).toEqual([])
    })

    it('never calls back from within announce, so that a writer does not wait for readers', async () => {
      const { near } = await start()
      const { heard } = listen(near, 'subject:payment_intent:pi_1')
      await arrived(near, near)
      near.announce(at('subject:payment_intent:pi_1', 1))
      expect(heard).toEqual([])
      await vi.waitFor(() => expect(heard).toEqual([1]))
    })

    it('stops for the one who stopped, at once and however often, not for the others', async () => {
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

    it('hears again after the last one left and a new one came', async () => {
      const { near, far } = await start()
      const left = listen(far, 'subject:payment_intent:pi_1')
      left.stop()
      const came = listen(far, 'subject:payment_intent:pi_1')
      left.stop()
      await arrived(near, far)
      near.announce(at('subject:payment_intent:pi_1', 3))
      await vi.waitFor(() => expect(came.heard).toEqual([3]))
      expect(left.heard).toEqual([])
    })

    it('does not let a listener that throws make others deaf', async () => {
      const { near, far } = await start()
      far.subscribe('subject:payment_intent:pi_1', () => {
        throw new Error('a bug in a listener')
      })
      const { heard } = listen(far, 'subject:payment_intent:pi_1')
      await arrived(near, far)
      near.announce(at('subject:payment_intent:pi_1', 1))
      await vi.waitFor(() => expect(heard).toEqual([1]))
    })

    it('proves itself by a message to itself, many at a time', async () => {
      const { near } = await start()
      const soon = AbortSignal.timeout(5_000)
      await expect(Promise.all([near.prove(soon), near.prove(soon)])).resolves.toBeDefined()
    })

    it('proves nothing when time is up or when it is closed', async () => {
      const { near } = await start()
      await expect(near.prove(AbortSignal.abort())).rejects.toThrow()
      await near.close()
      await expect(near.prove(AbortSignal.timeout(50))).rejects.toThrow()
    })

    it('is silent once closed', async () => {
      const { near, far } = await start()
      const { heard } = listen(far, 'subject:payment_intent:pi_1')
      await arrived(near, far)
      await far.close()
      near.announce(at('subject:payment_intent:pi_1', 1))
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(heard).toEqual([])
    })
  })
}
