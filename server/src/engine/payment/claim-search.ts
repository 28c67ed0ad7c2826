import type { Instant } from '@settlewire/core/instant'
import type { Observation } from '@settlewire/core/payment/observation'
import type { Payment, Transaction } from '@settlewire/core/payment/payment'
import { isOpenClaim } from '@settlewire/core/payment/transaction'
import type { LookUp } from '../../ports/chain.ts'
import type { Clock } from '../../ports/clock.ts'
import type { EventStore } from '../../ports/history.ts'
import type { Log } from '../../ports/log.ts'
import type { Stop } from '../../ports/stop.ts'
import type { WatchIndex } from '../watch/watch-index.ts'
import type { WatchedChain } from '../watch/watched-chain.ts'
import type { Watcher } from '../watch/watcher.ts'
import type { PaymentWriter } from '../write/writer.ts'
import { ClaimTurns, type OpenClaim } from './claim-turns.ts'
import type { KindBook } from './kind-book.ts'
import { type Judge, observe } from './observe.ts'

/** What the providers of a chain know of a transaction. Never rejects. */
export type LookUpOn = (chain: string, txHash: string) => Promise<LookUp>

export interface ClaimSearchOptions extends Judge {
  readonly clock: Judge['clock'] & Pick<Clock, 'after'>
  readonly store: Pick<EventStore, 'position'>
  readonly writer: PaymentWriter
  readonly index: WatchIndex
  readonly watcher: Watcher
  readonly lookUp: LookUpOn
  readonly kinds: KindBook
  readonly log: Log
  /** Whether this process is the one that looks; left out: it is. */
  readonly isMine?: () => boolean
}

/**
 * How often it is seen whose turn it is, and how many are asked for then. Each costs every provider
 * two requests: so 240 claims are asked for once a minute, and 1,000 once in four and a bit.
 */
const roundMs = 5_000
const perRoundMax = 20

/** Where a transaction was found, or that it was not. */
export interface Found {
  readonly chain: string
  readonly seen: LookUp
}

/** Asks every chain at once. Of several answers the one that says most counts. */
export async function findOn(
  chains: readonly string[],
  txHash: string,
  lookUp: LookUpOn,
): Promise<Found> {
  const all = await Promise.all(
    chains.map(async (chain): Promise<Found> => ({ chain, seen: await lookUp(chain, txHash) })),
  )
  const [best] = all.sort((a, b) => weightOf(b.seen) - weightOf(a.seen))
  return best ?? { chain: '', seen: { kind: 'nobody' } }
}

/**
 * Whether a receipt pays this payment, as a provider shows it. Null where it pays some address of ours
 * and nobody said which.
 */
export function paysIn(
  { pays, paid }: Extract<LookUp, { kind: 'mined' }>,
  paymentId: string,
  watched: Pick<WatchedChain, 'payee'> | null,
): boolean | null {
  if (pays !== true) return false
  if (paid === undefined || watched === null) return null
  return paid.some((to) => watched.payee(to) === paymentId)
}

const weight: Readonly<Record<LookUp['kind'], number>> = {
  ...{ pending: 3, mined: 2, unsure: 1, nobody: 0 },
}

const weightOf = (seen: LookUp): number =>
  weight[seen.kind] + (seen.kind === 'pending' && seen.sighting !== null ? 1 : 0)

/**
 * Looks for claimed transactions that nobody knew, again and again, until one is seen or its time is
 * over. Which ones these are stands in the payments: nothing here has to survive a restart.
 */
export class ClaimSearch {
  readonly #options: ClaimSearchOptions
  readonly #turns = new ClaimTurns()
  #stopTimer: Stop | null = null
  #round: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: ClaimSearchOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#isClosed) return
    this.#stopTimer = this.#options.clock.after(roundMs, () => {
      this.#round = this.#look().finally(() => this.start())
    })
  }

  /** Resolves when a round under way has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopTimer?.()
    await this.#round
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { clock, log, isMine } = this.#options
    this.#takeNew(clock.now())
    if (isMine?.() === false) return
    const turn = this.#whoseTurn(clock.now())
    await Promise.all(
      turn.map((claim) =>
        this.#ask(claim).catch((error: unknown) => {
          log.warn({ paymentId: claim.paymentId, error }, 'a claim was not settled; asked again')
        }),
      ),
    )
  }

  /** Also where another process looks: it may be this one's turn next, and what is not taken piles up. */
  #takeNew(now: Instant): void {
    const { index } = this.#options
    for (const chain of index.chains()) {
      for (const claim of index.chain(chain)?.takeNewClaims() ?? []) {
        this.#turns.add({ chain, ...claim }, now)
      }
    }
  }

  /** Takes as much as one round asks for; what is seen or over by now has no turn any more. */
  #whoseTurn(now: Instant): readonly OpenClaim[] {
    const { index } = this.#options
    const turn: OpenClaim[] = []
    while (turn.length < perRoundMax) {
      const next = this.#turns.take(now)
      if (next === null) break
      const { chain, paymentId, txHash } = next.claim
      if (index.chain(chain)?.isClaimed(paymentId, txHash) !== true) continue
      next.again()
      turn.push(next.claim)
    }
    return turn
  }

  async #ask(claim: OpenClaim): Promise<void> {
    const { index, lookUp, watcher } = this.#options
    // Nobody said on which chain: any that the payment accepts may know it.
    const chains = [...new Set([claim.chain, ...index.acceptedChains(claim.paymentId)])]
    const { chain, seen } = await findOn(chains, claim.txHash, lookUp)
    if (seen.kind === 'mined') return this.#readBefore(claim, chain, seen)
    // One that says nothing of us is waited for all the same: its block decides what it pays.
    if (seen.kind !== 'pending' || seen.sighting === null) return
    await watcher.see(chain, seen.source, [seen.sighting])
    if (chain !== claim.chain) await this.#giveUp(claim)
  }

  /**
   * A block that was read before the claim was made has it: what it paid us would be on record, unless
   * the block was read without it. A receipt that pays us says so, and the follower looks for that money.
   */
  async #readBefore(
    claim: OpenClaim,
    chain: string,
    seen: Extract<LookUp, { kind: 'mined' }>,
  ): Promise<void> {
    const { store, watcher, index } = this.#options
    const { blockNumber } = seen
    const head = watcher.headOf(chain)
    if (head === null || head.head < blockNumber) return
    if (chain !== claim.chain) return this.#giveUp(claim)
    if (paysIn(seen, claim.paymentId, index.chain(chain)) !== false) return
    const position = await store.position(chain)
    const block = position?.recent.find(({ number }) => number === blockNumber)
    // Further back than blocks are kept: its time-out will end it.
    if (block === undefined) return
    await this.#observe(claim, {
      ...{ ...this.#seenOn(claim.chain), kind: 'moved_nothing', txHash: claim.txHash, block },
      reason: 'paid_elsewhere',
    })
  }

  /** Another chain has it, so this one never will. */
  #giveUp(claim: OpenClaim): Promise<void> {
    const { chain, txHash } = claim
    return this.#observe(claim, { ...this.#seenOn(chain), kind: 'dropped', txHash })
  }

  #seenOn(chain: string): Seen {
    const { watcher, clock } = this.#options
    const view = watcher.headOf(chain)?.view ?? 0
    return { source: 'payer', at: clock.now(), chain, view }
  }

  async #observe(claim: OpenClaim, observation: Observation): Promise<void> {
    const { writer } = this.#options
    const { paymentId } = claim
    await writer.submit({
      ids: [paymentId],
      decide: (payments) => {
        const payment = payments.get(paymentId)
        const known = payment === null ? undefined : transactionOf(payment, claim)
        const isOpen = known !== undefined && isOpenClaim(known)
        if (payment === null || !isOpen) return { decisions: [], answer: null }
        return { decisions: [observe(payment, [observation], this.#options)], answer: null }
      },
    })
  }
}

interface Seen {
  readonly source: string
  readonly at: Instant
  readonly chain: string
  readonly view: number
}

const transactionOf = ({ facts }: Payment, { chain, txHash }: OpenClaim): Transaction | undefined =>
  facts.transactions.find((known) => known.chain === chain && known.txHash === txHash)
