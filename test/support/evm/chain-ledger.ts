/**
 * The counterpart of a follower, in memory: sink, store and watch set. It checks every step against
 * the port's guarantees before it stores it; it refuses and records a step that violates them.
 */

import { Failure } from '@settlewire/core/errors'
import type { BlockRef, SeenTransfer } from '@settlewire/core/payment/observation'
import { inclusionsOf } from '../../../server/src/chain/evm/ballot/beside.ts'
import type {
  AppliedBlock,
  ChainHealth,
  ChainSink,
  ChainStep,
  Corroborated,
  OpenContest,
  Sighting,
  WatchSet,
} from '../../../server/src/ports/chain.ts'
import type { ChainPosition } from '../../../server/src/ports/history.ts'

export class TestWatch implements WatchSet {
  readonly addresses = new Set<string>()
  readonly tracked = new Set<string>()
  wantsNative = false
  has = (address: string): boolean => this.addresses.has(address)
  mayHold = (text: string): boolean =>
    [...this.addresses].some((address) => text.toLowerCase().endsWith(address.slice(-6)))
  // Tests mostly add entries, and never replace a removed entry within one block.
  get joined(): number {
    return this.addresses.size + this.tracked.size
  }
  tracks = (txHash: string): boolean => this.tracked.has(txHash)
  /** Empty unless a test sets a record. */
  inclusions: WatchSet['inclusions'] = () => []
  /** Tracked transactions that are not in a block, by hash. */
  readonly contests = new Map<string, OpenContest>()
  hasRival = (wanted: string): boolean =>
    [...this.contests.values()].some(({ key }) => key === wanted)
  openContests = (): Iterable<OpenContest> => this.contests.values()
  /** Empty unless a test sets a record. */
  expected: WatchSet['expected'] = () => []
  expects: WatchSet['expects'] = () => false
  nativeAddresses = (): Iterable<string> => (this.wantsNative ? this.addresses : [])
  /** Empty unless a test sets a record. */
  nativeOnRecord: WatchSet['nativeOnRecord'] = () => 0n
}

const windowBlocks = 256

export class ChainLedger implements ChainSink {
  readonly watch = new TestWatch()
  readonly steps: ChainStep[] = []
  readonly seen: SeenTransfer[] = []
  /** Every pending transaction that was delivered, with its provider. */
  readonly sightings: (Sighting & { readonly source: string })[] = []
  readonly corroborations: (Corroborated & { readonly source: string })[] = []
  readonly denials: (Corroborated & { readonly source: string })[] = []
  readonly told: ChainHealth[] = []
  /** Violations of the port by the follower. It must be empty at the end of a test. */
  readonly violations: string[] = []
  /** Refuses this number of the next steps. */
  refuseNext = 0
  /** This number of steps are stored, but the follower gets an error. */
  loseNext = 0
  /** Awaited before a step is stored. */
  hold: Promise<void> = Promise.resolve()
  stored: ChainPosition | null = null
  positionsRead = 0

  #chain: AppliedBlock[] = []
  #storing = false
  readonly #waiters = new Set<() => void>()

  constructor() {
    this.watch.inclusions = () =>
      this.#chain.flatMap(inclusionsOf).filter(({ txHash }) => this.watch.tracks(txHash))
    this.watch.nativeOnRecord = (address, throughBlock) =>
      this.#chain
        .filter(({ block }) => block.number <= throughBlock)
        .flatMap(({ transfers }) => transfers)
        .filter(({ to, token }) => to === address && token === null)
        .reduce((sum, { amount }) => sum + amount, 0n)
  }

  /** All transactions on the canonical chain now, oldest first. */
  get applied(): readonly AppliedBlock[] {
    return this.#chain
  }

  get transfers(): readonly SeenTransfer[] {
    return this.#chain.flatMap((block) => block.transfers)
  }

  get movedNothing(): AppliedBlock['movedNothing'] {
    return this.#chain.flatMap((block) => block.movedNothing)
  }

  get lastHealth(): ChainHealth | undefined {
    return this.told.at(-1)
  }

  position(): Promise<ChainPosition | null> {
    this.positionsRead++
    return Promise.resolve(this.stored)
  }

  begin(_chain: string, genesisHash: string, at: BlockRef): Promise<ChainPosition> {
    if (this.stored !== null && this.stored.genesisHash !== genesisHash) {
      return Promise.reject(new Failure('chain_mismatch'))
    }
    this.stored ??= {
      genesisHash,
      head: { view: 0, head: at.number, safe: null, finalized: null },
      recent: [at],
    }
    return Promise.resolve(this.stored)
  }

  /** Addresses that other processes gave to payers before: they join the watch set now. */
  openedElsewhere: readonly string[] = []

  async prepare(): Promise<void> {
    for (const address of this.openedElsewhere) this.watch.addresses.add(address)
  }

  async step(_chain: string, step: ChainStep): Promise<void> {
    if (this.#storing) this.violations.push('a step was delivered while another was being stored')
    this.#storing = true
    await this.hold
    this.#storing = false
    if (this.refuseNext > 0) {
      this.refuseNext--
      throw new Failure('store_unavailable')
    }
    const broken = this.#check(step)
    if (broken !== null) {
      this.violations.push(broken)
      throw new Failure('cursor_conflict', broken)
    }
    this.#store(step)
    this.#wake()
    if (this.loseNext > 0) {
      this.loseNext--
      throw new Failure('store_unavailable')
    }
  }

  pending(_chain: string, source: string, sightings: readonly Sighting[]): void {
    for (const sighting of sightings) {
      this.sightings.push({ ...sighting, source })
      if (sighting.transfer !== null) this.seen.push(sighting.transfer)
    }
    this.#wake()
  }

  corroborated(_chain: string, source: string, inclusions: readonly Corroborated[]): void {
    for (const inclusion of inclusions) this.corroborations.push({ ...inclusion, source })
    this.#wake()
  }

  denied(_chain: string, source: string, inclusions: readonly Corroborated[]): void {
    for (const inclusion of inclusions) this.denials.push({ ...inclusion, source })
    this.#wake()
  }

  health(health: ChainHealth): void {
    this.told.push(health)
    this.#wake()
  }

  /** Resolves when the condition holds; rejects with the last state when time is up. */
  async until(what: string, holds: () => boolean, withinMs = 10_000): Promise<void> {
    if (holds()) return
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!holds()) return
        clearTimeout(late)
        clearInterval(sometimes)
        this.#waiters.delete(look)
        resolve()
      }
      // Some conditions change without a delivery, so they are polled too.
      const sometimes = setInterval(look, 10)
      const late = setTimeout(() => {
        clearInterval(sometimes)
        this.#waiters.delete(look)
        const state = JSON.stringify({ health: this.lastHealth, head: this.stored?.head })
        reject(new Error(`not in time: ${what}; ${state}`))
      }, withinMs)
      this.#waiters.add(look)
    })
  }

  /** The first guarantee of the port that a step violates, or null. */
  #check(step: ChainStep): string | null {
    const position = this.stored
    if (position === null) return 'a step was delivered before the chain was begun'
    if (step.head.view !== position.head.view + 1) return 'the view did not increase by one'
    const beside = new Set(position.unfinished?.blocks.map(({ hash }) => hash))
    const reverted = step.reverted.filter(({ hash }) => !beside.has(hash))
    if (reverted.some((block, at) => block.hash !== position.recent[at]?.hash)) {
      return 'the reverted blocks are not the end of the chain, newest first'
    }
    let parent = position.recent[reverted.length]
    for (const { block } of step.applied) {
      if (block.parentHash !== parent?.hash) return 'a block was not applied on its parent'
      parent = block
    }
    if (step.applied.length === 0) return 'a step applied nothing'
    if (step.head.head !== parent?.number) return 'the head is not the last applied block'
    return null
  }

  #store(step: ChainStep): void {
    const { genesisHash = '', recent = [] } = this.stored ?? {}
    const applied = step.applied.map(({ block }) => block)
    this.steps.push(step)
    this.#chain = [
      ...this.#chain.filter(({ block }) => step.reverted.every(({ hash }) => hash !== block.hash)),
      ...step.applied,
    ]
    this.stored = {
      genesisHash,
      head: step.head,
      recent: [...applied.toReversed(), ...recent.slice(step.reverted.length)].slice(
        0,
        windowBlocks,
      ),
    }
  }

  #wake(): void {
    for (const look of this.#waiters) look()
  }
}
