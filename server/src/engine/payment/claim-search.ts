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

/** Asks the providers of a chain about a transaction. Never rejects. */
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
  /** Whether this process does the lookups. Left out: yes. */
  readonly isMine?: () => boolean
}

/**
 * How often due claims are looked up, and how many at most. Each lookup costs every provider two
 * requests. So 240 claims are looked up once a minute, and 1,000 once in a little over four
 * minutes.
 */
const roundMs = 5_000
const perRoundMax = 20

/** The best answer to a lookup, and the chain that gave it. */
export interface ChainLookUp {
  readonly chain: string
  readonly seen: LookUp
}

/** Asks all chains at once. Of several answers, the most informative one wins. */
export async function findOn(
  chains: readonly string[],
  txHash: string,
  lookUp: LookUpOn,
): Promise<ChainLookUp> {
  const all = await Promise.all(
    chains.map(
      async (chain): Promise<ChainLookUp> => ({ chain, seen: await lookUp(chain, txHash) }),
    ),
  )
  const [best] = all.sort((a, b) => weightOf(b.seen) - weightOf(a.seen))
  return best ?? { chain: '', seen: { kind: 'not_found' } }
}

/**
 * Whether a mined transaction pays this payment, by a provider's receipt. Null when it pays one of
 * our addresses and the provider did not report which, or the chain is not watched here.
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
  pending: 3,
  mined: 2,
  unsure: 1,
  not_found: 0,
}

const weightOf = (seen: LookUp): number =>
  weight[seen.kind] + (seen.kind === 'pending' && seen.sighting !== null ? 1 : 0)

/**
 * Looks up open claims again and again until a node shows the transaction or its time-out has
 * passed. Open claims are part of the payments, so nothing here has to survive a restart.
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

  /** Resolves when a running round has ended. */
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
    const claims = this.#takeRound(clock.now())
    await Promise.all(
      claims.map((claim) =>
        this.#ask(claim).catch((error: unknown) => {
          log.warn(
            { paymentId: claim.paymentId, error },
            'lookup of a claim failed; it will be repeated',
          )
        }),
      ),
    )
  }

  /**
   * Runs in every process, because this one may have to take over and untaken claims would pile up.
   */
  #takeNew(now: Instant): void {
    const { index } = this.#options
    for (const chain of index.chains()) {
      for (const claim of index.chain(chain)?.takeNewClaims() ?? []) {
        this.#turns.add({ chain, ...claim }, now)
      }
    }
  }

  /** Takes the claims of one round, leaving out those that are no longer open. */
  #takeRound(now: Instant): readonly OpenClaim[] {
    const { index } = this.#options
    const claims: OpenClaim[] = []
    while (claims.length < perRoundMax) {
      const next = this.#turns.take(now)
      if (next === null) break
      const { chain, paymentId, txHash } = next.claim
      if (index.chain(chain)?.isClaimed(paymentId, txHash) !== true) continue
      next.requeue()
      claims.push(next.claim)
    }
    return claims
  }

  async #ask(claim: OpenClaim): Promise<void> {
    const { index, lookUp, watcher } = this.#options
    // The payer may not have named a chain, so any chain that the payment accepts may have it.
    const chains = [...new Set([claim.chain, ...index.acceptedChains(claim.paymentId)])]
    const { chain, seen } = await findOn(chains, claim.txHash, lookUp)
    if (seen.kind === 'mined') return this.#readBefore(claim, chain, seen)
    // A pending transaction that pays us nothing stays open: its block decides what it pays.
    if (seen.kind !== 'pending' || seen.sighting === null) return
    await watcher.see(chain, seen.source, [seen.sighting])
    if (chain !== claim.chain) await this.#giveUp(claim)
  }

  /**
   * Ends a claim whose transaction is in a block read before the claim. Money it paid us would be
   * on record unless that block was read without the receipt; if its receipt pays us, leave the
   * claim open, because the follower looks for that money.
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
    // The block is older than the blocks we keep: the claim's time-out will end it.
    if (block === undefined) return
    await this.#observe(claim, {
      ...this.#seenOn(claim.chain),
      kind: 'moved_nothing',
      txHash: claim.txHash,
      block,
      reason: 'paid_elsewhere',
    })
  }

  /** Drops the claim on this chain, because another chain has the transaction. */
  #giveUp(claim: OpenClaim): Promise<void> {
    const { chain, txHash } = claim
    return this.#observe(claim, { ...this.#seenOn(chain), kind: 'dropped', txHash })
  }

  #seenOn(chain: string): ClaimOrigin {
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

interface ClaimOrigin {
  readonly source: string
  readonly at: Instant
  readonly chain: string
  readonly view: number
}

const transactionOf = ({ facts }: Payment, { chain, txHash }: OpenClaim): Transaction | undefined =>
  facts.transactions.find((known) => known.chain === chain && known.txHash === txHash)
