/**
 * Tests of what the port requires of every `ChainFollower`, whatever its chain. An adapter is
 * complete when this suite passes on its lab.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ChainLedger } from '../../../test/support/evm/chain-ledger.ts'
import type { ChainFollower } from '../ports/chain.ts'
import type { ChainKind } from './kind.ts'

/** A chain that a test controls. */
export interface ChainLab {
  /** Creates a follower of this chain that delivers to this ledger. */
  follower(ledger: ChainLedger): ChainFollower
  /** A new address that was never paid. */
  newAddress(): string
  /**
   * Sends a payment and resolves with its transaction id, in the form that the kind stores: once
   * the node holds it as pending where there is a mempool, else once the next block is certain to
   * include it.
   */
  pay(to: string, amount: bigint): Promise<string>
  /** Mines this many blocks; the first holds all payments sent before. */
  mine(blocks: number): Promise<void>
  /**
   * Replaces the last `depth` blocks by one more than that; their transactions do not become
   * pending again. Only for kinds whose blocks can leave the chain.
   */
  reorg?(depth: number): Promise<void>
  /** The number of the newest block. */
  height(): Promise<number>
  /** Ends every connection; the node accepts new ones. */
  cut(): void
  close(): Promise<void>
}

/** Defines a test only if the kind of chain has the capability. */
const where =
  (isAble: boolean) =>
  (name: string, test: () => Promise<void>): void => {
    if (isAble) it(name, test)
  }

/**
 * Runs the suite on labs of one kind, a fresh one for each test. It tests what the kind declares:
 * where there is no mempool the follower must not report pending transactions, and where blocks
 * cannot leave the chain it must not revert any.
 */
export function chainFollowerContract(
  kind: string,
  { can, isPart }: Pick<ChainKind, 'can' | 'isPart'>,
  openLab: () => Promise<ChainLab>,
): void {
  describe(`a chain follower (${kind})`, () => {
    let lab: ChainLab
    let ledger: ChainLedger
    const followers: ChainFollower[] = []

    const follow = (): ChainFollower => {
      const follower = lab.follower(ledger)
      followers.push(follower)
      follower.start()
      return follower
    }
    const watched = (): string => {
      const address = lab.newAddress()
      ledger.watch.addresses.add(address)
      return address
    }
    const atHead = async (): Promise<void> => {
      const height = await lab.height()
      await ledger.until(
        `block ${height} is stored and the chain is visible`,
        () => ledger.stored?.head.head === height && ledger.lastHealth?.visibility === 'ok',
      )
    }

    beforeEach(async () => {
      lab = await openLab()
      ledger = new ChainLedger()
    })

    afterEach(async () => {
      for (const follower of followers.splice(0)) await follower.close()
      await lab.close()
      expect(ledger.violations).toEqual([])
      expect(ledger.transfers.filter(({ part }) => !isPart(part))).toEqual([])
    })

    it('is blind until it has seen the head, and then reports `ok`', async () => {
      const follower = lab.follower(ledger)
      followers.push(follower)
      expect(follower.health()).toMatchObject({ visibility: 'blind', reason: 'starting' })
      follower.start()
      await lab.mine(2)
      await atHead()
      const [head] = ledger.stored?.recent ?? []
      const { number, minedAt } = head ?? {}
      // The ledger records a stored step a moment before the follower updates its health.
      await ledger.until('its health names the head', () => follower.health().head === number)
      expect(follower.health()).toMatchObject({ visibility: 'ok', reason: null, headAt: minedAt })
    })

    it('reports each block once, in chain order, and increases the view by one per step', async () => {
      follow()
      await atHead()
      const before = await lab.height()
      for (let block = 0; block < 5; block++) await lab.mine(1)
      await atHead()
      const told = ledger.applied.map(({ block }) => block.number).filter((n) => n > before)
      expect(told).toEqual([1, 2, 3, 4, 5].map((n) => before + n))
      expect(ledger.steps.map((step) => step.head.view)).toEqual(
        ledger.steps.map((_, at) => at + 1),
      )
    })

    where(can.mempool)(
      'reports a payment when it is pending, and again when it is mined',
      async () => {
        const to = watched()
        follow()
        await atHead()
        const txHash = await lab.pay(to, 1_000_000_000_000_000_001n)
        await ledger.until('the payment is reported as pending', () => ledger.seen.length > 0)
        expect(ledger.seen[0]).toMatchObject({ txHash, to, amount: 1_000_000_000_000_000_001n })
        expect(ledger.transfers).toEqual([])
        await lab.mine(1)
        await atHead()
        expect(ledger.transfers).toMatchObject([{ txHash, to, amount: 1_000_000_000_000_000_001n }])
      },
    )

    it('reports a payment to an address that is watched only once its block exists', async () => {
      follow()
      await atHead()
      const to = lab.newAddress()
      ledger.openedElsewhere = [to]
      const txHash = await lab.pay(to, 9n)
      await lab.mine(1)
      await atHead()
      expect(ledger.transfers).toMatchObject([{ txHash, to, amount: 9n }])
    })

    it('does not report a payment to an unwatched address', async () => {
      follow()
      await atHead()
      await lab.pay(lab.newAddress(), 5n)
      const known = watched()
      await lab.pay(known, 6n)
      await lab.mine(1)
      await atHead()
      expect(ledger.transfers.map((transfer) => transfer.to)).toEqual([known])
      // Each provider may report it while it is pending.
      const seen = [...new Set(ledger.seen.map((transfer) => transfer.to))]
      expect(seen).toEqual(can.mempool ? [known] : [])
    })

    it('reads blocks mined while it was stopped, from the stored cursor, exactly once', async () => {
      const to = watched()
      const first = follow()
      await atHead()
      await first.close()
      const txHash = await lab.pay(to, 7n)
      await lab.mine(80)
      follow()
      await atHead()
      expect(ledger.transfers.map((transfer) => transfer.txHash)).toEqual([txHash])
      const numbers = ledger.applied.map(({ block }) => block.number)
      expect(numbers).toEqual(numbers.map((_, at) => (numbers[0] ?? 0) + at))
    })

    where(can.reorg)(
      'reverts the old branch, newest block first, before it applies the new one',
      async () => {
        const to = watched()
        follow()
        await lab.mine(2)
        await atHead()
        await lab.pay(to, 8n)
        await lab.mine(2)
        await atHead()
        expect(ledger.transfers).toHaveLength(1)
        await lab.reorg?.(2)
        await atHead()
        expect(ledger.transfers).toEqual([])
        const undone = ledger.steps.flatMap((step) => step.reverted.map((block) => block.number))
        expect(undone.length).toBeGreaterThanOrEqual(2)
      },
    )

    where(can.reorg)('reverts a branch that was replaced while it was stopped', async () => {
      const to = watched()
      const first = follow()
      await lab.mine(3)
      await lab.pay(to, 9n)
      await lab.mine(2)
      await atHead()
      expect(ledger.transfers).toHaveLength(1)
      await first.close()
      await lab.reorg?.(3)
      await lab.mine(1)
      follow()
      await atHead()
      expect(ledger.transfers).toEqual([])
    })

    it('reads its position again when the sink rejects a step, repeats the step, and loses nothing', async () => {
      const to = watched()
      follow()
      await atHead()
      ledger.refuseNext = 3
      const { positionsRead } = ledger
      await lab.pay(to, 10n)
      await lab.mine(3)
      await atHead()
      expect(ledger.refuseNext).toBe(0)
      expect(ledger.positionsRead).toBe(positionsRead + 3)
      expect(ledger.transfers).toHaveLength(1)
    })

    it('waits for a slow store, then continues with all blocks that came in the meantime', async () => {
      follow()
      await atHead()
      let release: () => void = () => undefined
      ledger.hold = new Promise((resolve) => {
        release = resolve
      })
      const before = ledger.steps.length
      for (let block = 0; block < 6; block++) await lab.mine(1)
      expect(ledger.steps).toHaveLength(before)
      release()
      await atHead()
      // One step was held back; the heads after it were read together.
      expect(ledger.steps.length - before).toBeLessThanOrEqual(4)
    })

    it('reconnects when its connection is lost, and reports `socket_down` until then', async () => {
      const to = watched()
      follow()
      await atHead()
      const before = ledger.told.length
      lab.cut()
      await lab.pay(to, 11n)
      await lab.mine(2)
      await atHead()
      await ledger.until('the chain is visible again', () => ledger.lastHealth?.visibility === 'ok')
      expect(ledger.transfers).toHaveLength(1)
      expect(ledger.told.slice(before).map((health) => health.reason)).toContain('socket_down')
    })

    it('reports nothing after `close`', async () => {
      const to = watched()
      const follower = follow()
      await atHead()
      await follower.close()
      const told = { steps: ledger.steps.length, health: ledger.told.length }
      await lab.pay(to, 12n)
      await lab.mine(2)
      await new Promise((resolve) => setTimeout(resolve, 200))
      expect({ steps: ledger.steps.length, health: ledger.told.length }).toEqual(told)
      expect(ledger.seen).toEqual([])
      expect(follower.health()).toMatchObject({ visibility: 'blind', reason: 'closed' })
    })
  })
}
