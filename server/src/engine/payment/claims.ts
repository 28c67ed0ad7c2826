import { Failure } from '@settlewire/core/errors'
import type { Payment, Transaction } from '@settlewire/core/payment/payment'
import { canonicalInclusion, isOpenClaim, isPending } from '@settlewire/core/payment/transaction'
import { Turns } from '../time/turns.ts'
import type { WatchIndex } from '../watch/watch-index.ts'
import {
  type ChainLookUp,
  ClaimSearch,
  type ClaimSearchOptions,
  findOn,
  paysIn,
} from './claim-search.ts'
import { observe } from './observe.ts'
import type { KeptAnswer } from './once.ts'

/** A claim: a transaction hash that the payer reports. */
export interface Claim {
  readonly paymentId: string
  readonly txHash: string
  /** Null or left out: any accepted chain may have the transaction. */
  readonly chain?: string | null | undefined
}

/** What the nodes know of a claimed transaction right now. Later changes are emitted as events. */
export interface ClaimAnswer {
  readonly txHash: string
  /** The chain that has the transaction; null while none is known to have it. */
  readonly chain: string | null
  readonly known: 'pending' | 'mined' | 'not_found' | 'unsure'
  /** Whether it pays this payment; null while that is unknown. */
  readonly pays: boolean | null
}

/** Makes the row of an Idempotency-Key, to be stored with the effects of the claim. */
type Keep = (payment: Payment, answer: ClaimAnswer) => KeptAnswer

/** What the nodes know of the transaction, on the chains that it may be on. */
interface ClaimLookUp extends ChainLookUp {
  readonly chains: readonly string[]
  readonly record: Keep | null
}

/** How many claims of one payment may be open: not seen by any node yet. */
const unresolvedMax = 5

/** How many claims of all payments the nodes are asked about at once, and how many may queue. */
const askedMax = 32
const waitingMax = 512

/** Takes payers' claims. A claim only starts a lookup: money counts when a node shows it. */
export class Claims {
  readonly #options: ClaimSearchOptions
  readonly #search: ClaimSearch
  readonly #turns = new Turns({ atOnceMax: askedMax, waitingMax })

  constructor(options: ClaimSearchOptions) {
    this.#options = options
    this.#search = new ClaimSearch(options)
  }

  /** Repeats the lookup of open claims, including those taken by an earlier process. */
  start(): void {
    this.#search.start()
  }

  close(): Promise<void> {
    return this.#search.close()
  }

  /**
   * Throws `too_many_claims`, `overloaded` when too many claims are being looked up, or
   * `invalid_request` for an invalid hash or a chain that the payment does not accept.
   */
  async claim(payment: Payment, claim: Claim, record: Keep | null): Promise<ClaimAnswer> {
    const { txHash, chains } = this.#named(payment, claim)
    const known = knownOf(payment, txHash, chains)
    if (known !== null) return record === null ? known : this.#keep(payment.id, known, record)
    refuseTooMany(payment, txHash)
    const { lookUp, watcher } = this.#options
    const found = await this.#turns.take(() => findOn(chains, txHash, lookUp))
    const answer = await this.#record(payment.id, txHash, { ...found, chains, record })
    const { seen } = found
    if (seen.kind === 'pending' && seen.sighting !== null) {
      await watcher.see(found.chain, seen.source, [seen.sighting])
    }
    return answer
  }

  /**
   * The hash in its stored form, and the accepted chains whose transaction hashes have that form.
   */
  #named(payment: Payment, claim: Claim): { txHash: string; chains: readonly string[] } {
    const input = { name: 'transactions', text: claim.txHash, pointer: '/txHash' } as const
    const named = this.#options.kinds.parseOn(chainsOf(payment, claim.chain ?? null), input)
    const [txHash = ''] = named.values()
    const isSame = ([, stored]: readonly [string, string]): boolean => stored === txHash
    return { txHash, chains: [...named].filter(isSame).map(([chain]) => chain) }
  }

  async #record(paymentId: string, txHash: string, found: ClaimLookUp): Promise<ClaimAnswer> {
    const { index } = this.#options
    const watched = index.isWatched(paymentId) ? index.chain(found.chain) : null
    // The block that includes the transaction may be delivered while this commits.
    watched?.expect(paymentId, txHash)
    try {
      return await this.#submit(paymentId, txHash, found)
    } finally {
      // If the claim was not recorded (old hash, refusal, error), do not look for the transaction.
      watched?.unexpect(paymentId, txHash)
    }
  }

  /** Stores the answer for this key, and changes nothing else. */
  #keep(paymentId: string, known: ClaimAnswer, record: Keep): Promise<ClaimAnswer> {
    return this.#options.writer.submit({
      ids: [paymentId],
      decide: (payments) => {
        const payment = payments.get(paymentId)
        if (payment === null) throw new Failure('not_found')
        return { decisions: [], ...record(payment, known), answer: known }
      },
    })
  }

  #submit(paymentId: string, txHash: string, found: ClaimLookUp): Promise<ClaimAnswer> {
    const { writer, watcher, index, clock } = this.#options
    const { chain, chains, record } = found
    const head = watcher.headOf(chain)
    return writer.submit({
      ids: [paymentId],
      decide: (payments) => {
        const payment = payments.get(paymentId)
        if (payment === null) throw new Failure('not_found')
        const known = knownOf(payment, txHash, chains)
        if (known !== null) return { decisions: [], ...record?.(payment, known), answer: known }
        refuseTooMany(payment, txHash)
        const answer = answerOf(payment, txHash, { found, head: head?.head ?? null, index })
        const isOld = answer.known === 'mined' && answer.pays === false
        const at = clock.now()
        const view = head?.view ?? 0
        const claimed = { kind: 'claimed', source: 'payer', at, chain, view, txHash } as const
        const decision = observe(payment, isOld ? [] : [claimed], this.#options)
        return { decisions: [decision], ...record?.(decision.payment, answer), answer }
      },
    })
  }
}

function chainsOf({ terms }: Payment, wanted: string | null): readonly string[] {
  const accepted = [...new Set(terms.accept.map(({ chain }) => chain))]
  if (wanted === null) return accepted
  if (accepted.includes(wanted)) return [wanted]
  const detail = `This payment does not accept ${wanted}. It accepts ${accepted.join(' and ')}.`
  throw new Failure('invalid_request', detail, { fields: [{ pointer: '/chain', detail }] })
}

/** The answer from the payment's own facts; null when the nodes must be asked. */
function knownOf(
  { facts }: Payment,
  txHash: string,
  chains: readonly string[],
): ClaimAnswer | null {
  const known = facts.transactions.filter(
    (transaction) => transaction.txHash === txHash && chains.includes(transaction.chain),
  )
  for (const transaction of known) {
    const answer = fateOf(transaction)
    if (answer !== null) return { txHash, chain: transaction.chain, ...answer }
  }
  return null
}

function fateOf(transaction: Transaction): Pick<ClaimAnswer, 'known' | 'pays'> | null {
  const inclusion = canonicalInclusion(transaction)
  if (inclusion?.outcome === 'replaced') return { known: 'not_found', pays: false }
  if (inclusion !== null) return { known: 'mined', pays: inclusion.outcome === 'paid' }
  return isPending(transaction) ? { known: 'pending', pays: transaction.hint !== null } : null
}

function refuseTooMany({ facts }: Payment, txHash: string): void {
  const open = facts.transactions.filter(isOpenClaim).map((claim) => claim.txHash)
  if (open.length >= unresolvedMax && !open.includes(txHash)) throw new Failure('too_many_claims')
}

function answerOf(
  payment: Payment,
  txHash: string,
  { found, head, index }: { found: ChainLookUp; head: number | null; index: WatchIndex },
): ClaimAnswer {
  const { chain, seen } = found
  if (seen.kind === 'not_found') return { txHash, chain: null, known: 'not_found', pays: null }
  if (seen.kind === 'unsure') return { txHash, chain: null, known: 'unsure', pays: null }
  if (seen.kind === 'mined') {
    // Money that one of our addresses got in a block already read is recorded, or a receipt shows
    // it.
    const isRead = head !== null && seen.blockNumber <= head
    const pays = paysIn(seen, payment.id, index.chain(chain))
    return { txHash, chain, known: 'mined', pays: pays === false && !isRead ? null : pays }
  }
  const to = seen.sighting?.transfer?.to
  const pays = to !== undefined && index.chain(chain)?.payee(to) === payment.id
  return { txHash, chain, known: 'pending', pays }
}
