/**
 * What every `ChainFollower` must do, whatever its chain: the words of the port as tests. An
 * adapter is done when this passes on its lab.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ChainLedger } from '../../../test/support/evm/chain-ledger.ts'
import type { ChainFollower } from '../ports/chain.ts'
import type { ChainKind } from './kind.ts'

/** A chain that can be told what to do. */
export interface ChainLab {
  /** A follower of this chain, delivering to this ledger. */
  follower(ledger: ChainLedger): ChainFollower
  /** An address that was never paid. */
  newAddress(): string
  /**
   * Hands in a payment and answers its transaction id, in the form that the kind stores: once the node
   * holds it as pending where there is a mempool, else once it is certain of the next block.
   */
  pay(to: string, amount: bigint): Promise<string>
  /** Mines what was handed in, and then as many blocks in all. */
  mine(blocks: number): Promise<void>
  /** Replaces the last blocks by as many and one more; what they held is not pending again. Where blocks can leave. */
  reorg?(depth: number): Promise<void>
  /** The number of the newest block. */
  height(): Promise<number>
  /** Ends every connection; new ones are welcome. */
  cut(): void
  close(): Promise<void>
}

/** A test that is only there for kinds of chain that can do it. */
const where =
  (isAble: boolean) =>
  (name: string, test: () => Promise<void>): void => {
    if (isAble) it(name, test)
  }

/**
 * Runs the suite on labs of one kind, a fresh one for each test. It asks for what the kind declares:
 * where there is no mempool nothing may be told as pending, and where blocks cannot leave none does.
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
        `block ${height} is stored and the chain is seen`,
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

    it('is blind until it has seen the head, and then it is not', async () => {
      const follower = lab.follower(ledger)
      followers.push(follower)
      expect(follower.health()).toMatchObject({ visibility: 'blind', reason: 'starting' })
      follower.start()
      await lab.mine(2)
      await atHead()
      const [head] = ledger.stored?.recent ?? []
      const { number, minedAt } = head ?? {}
      // What was stored is known here a moment before the follower hears of it.
      await ledger.until('its health names the head', () => follower.health().head === number)
      expect(follower.health()).toMatchObject({ visibility: 'ok', reason: null, headAt: minedAt })
    })

    it('tells every block once, in the order of the chain, with views that count one by one', async () => {
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
      'tells a payment when it is pending, and again when a block holds it',
      async () => {
        const to = watched()
        follow()
        await atHead()
        const txHash = await lab.pay(to, 1_000_000_000_000_000_001n)
        await ledger.until('the payment is seen pending', () => ledger.seen.length > 0)
        expect(ledger.seen[0]).toMatchObject({ txHash, to, amount: 1_000_000_000_000_000_001n })
        expect(ledger.transfers).toEqual([])
        await lab.mine(1)
        await atHead()
        expect(ledger.transfers).toMatchObject([{ txHash, to, amount: 1_000_000_000_000_000_001n }])
      },
    )

    it('tells a payment to an address that joins only when its block is there', async () => {
      follow()
      await atHead()
      const to = lab.newAddress()
      ledger.openedElsewhere = [to]
      const txHash = await lab.pay(to, 9n)
      await lab.mine(1)
      await atHead()
      expect(ledger.transfers).toMatchObject([{ txHash, to, amount: 9n }])
    })

    it('says nothing of a payment to an address nobody watches', async () => {
      follow()
      await atHead()
      await lab.pay(lab.newAddress(), 5n)
      const known = watched()
      await lab.pay(known, 6n)
      await lab.mine(1)
      await atHead()
      expect(ledger.transfers.map((transfer) => transfer.to)).toEqual([known])
      // Each provider may tell of it while it is pending.
      const seen = [...new Set(ledger.seen.map((transfer) => transfer.to))]
      expect(seen).toEqual(can.mempool ? [known] : [])
    })

    it('reads what was mined while it was away, from the stored cursor, exactly once', async () => {
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
      'undoes the old branch, newest first, before it applies the new one',
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

    where(can.reorg)('undoes a branch that was replaced while it was away', async () => {
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

    it('reads its position again when a step is refused, tells it again, and loses nothing', async () => {
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

    it('waits for a slow store, and then goes on with all that came meanwhile', async () => {
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
      // One step was held; the heads behind it came together.
      expect(ledger.steps.length - before).toBeLessThanOrEqual(4)
    })

    it('comes back when its connection is lost, and says so while it is', async () => {
      const to = watched()
      follow()
      await atHead()
      const before = ledger.told.length
      lab.cut()
      await lab.pay(to, 11n)
      await lab.mine(2)
      await atHead()
      await ledger.until('sight is back', () => ledger.lastHealth?.visibility === 'ok')
      expect(ledger.transfers).toHaveLength(1)
      expect(ledger.told.slice(before).map((health) => health.reason)).toContain('socket_down')
    })

    it('tells nothing after it was closed', async () => {
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
