import { Failure } from '@settlewire/core/errors'
import type { Instant } from '@settlewire/core/instant'
import type { Payment } from '@settlewire/core/payment/payment'
import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { Policy } from '@settlewire/core/payment/policy'
import { findTransaction, publicTxHash } from '@settlewire/core/payment/transaction'
import type { Corroborated, Reread, Rereader, ShownBlock } from '../../ports/chain.ts'
import type { EventStore } from '../../ports/history.ts'
import type {
  FindingKind,
  PartlyRead,
  Recorded,
  RescanFinding,
  RescanReport,
  RescanRequest,
  Rescans,
} from '../../ports/rescan.ts'
import { compare, type HeldTransaction, isOnRecord } from './missing.ts'
import { type FollowedChain, WatchIndex } from './watch-index.ts'
import type { WatchedChain } from './watched-chain.ts'

export interface RescanOptions {
  readonly request: RescanRequest
  readonly chain: FollowedChain
  readonly rereader: Rereader
  readonly store: Pick<EventStore, 'load'>
  readonly rescans: Pick<Rescans, 'createdPayments' | 'recorded'>
  /** What this process watches: a payment must be in it for findings to be recorded. */
  readonly index: WatchIndex
  readonly policy: Policy
  /** The last stored block. */
  readonly head: number
}

/** Blocks per request: an hour of a chain with a block every 36 ms, two weeks of Ethereum. */
export const rescanBlocksMax = 100_000
/** How many blocks are read and recorded at once. */
const partBlocks = 64
/** Allowance for clock differences: a payment is searched from this long before it was created. */
const earlierMs = 10 * 60_000
const pageMax = 2_000
/** How many findings are listed; all are counted. */
const findingsMax = 1_000

/** Reads one range of a chain again, part by part, and adds what the history lacks. */
export class Rescan {
  readonly #options: RescanOptions
  readonly #watched: WatchedChain
  /** The payments that are searched for. */
  readonly #searched: WatchIndex
  /** Transactions that, by the history, blocks of the range hold; by block number. */
  #recorded: ReadonlyMap<number, readonly Recorded[]> = new Map()
  /** Payments whose stored state cannot be read. */
  readonly #unreadable = new Set<string>()
  #report: RescanReport

  private constructor(options: RescanOptions, report: RescanReport) {
    this.#options = options
    this.#report = report
    this.#searched = new WatchIndex([options.chain], options.policy)
    const watched = this.#searched.chain(options.chain.name)
    if (watched === null) throw new Failure('internal')
    this.#watched = watched
  }

  /**
   * Continues from a report, or begins a rescan. Throws `invalid_request` for a range that cannot
   * be read at all, and `chain_unavailable` when the chain cannot be read now.
   */
  static async open(options: RescanOptions, before: RescanReport | null): Promise<Rescan> {
    const rescan = new Rescan(options, before ?? (await begin(options)))
    await rescan.#prepare()
    return rescan
  }

  get report(): RescanReport {
    return this.#report
  }

  get isDone(): boolean {
    return this.#report.next > this.#report.to
  }

  /** Reads the next part. Resolves when its missing transfers are stored. */
  async goOn(): Promise<void> {
    const { rereader } = this.#options
    const { next, to, unread } = this.#report
    const last = Math.min(to, next + partBlocks - 1)
    const read = await rereader.read(next, last, this.#watched)
    const found = await this.#compare(read)
    const missing = await this.#recordMissing(read, found)
    const gone = await this.#gone(read)
    this.#add([...missing, ...gone, ...this.#unjudged(read)])
    this.#report = {
      ...this.#report,
      next: last + 1,
      unread: unread + (read.isUnread ? read.blocks.length : 0),
      partly: withPart(this.#report.partly ?? [], read),
    }
  }

  /** Finds the payments to search for, and what the history holds for the range. */
  async #prepare(): Promise<void> {
    const { rereader, request, chain, rescans } = this.#options
    const { from, to } = this.#report
    const { blocks } = await rereader.read(from, from, this.#watched)
    const since = (blocks[0]?.minedAt ?? 0) - earlierMs
    const isMeant = (id: string): boolean => request.paymentId === null || request.paymentId === id
    if (request.paymentId === null) await this.#searchForAll(since)
    const recorded = (await rescans.recorded(chain.name, from, to)).filter((one) => {
      return isMeant(one.paymentId)
    })
    const ids = new Set([
      ...(request.paymentId === null ? [] : [request.paymentId]),
      ...recorded.map(({ paymentId }) => paymentId),
    ])
    const unseen = [...ids].filter((id) => !this.#searched.isWatched(id))
    for (const payment of await this.#load(unseen)) {
      this.#searched.watch(payment.id, { ...payment, accept: payment.terms.accept })
    }
    this.#recorded = Map.groupBy(recorded, ({ block }) => block)
    this.#report = { ...this.#report, payments: this.#searched.size }
  }

  /** Watches every payment whose watch ends after this instant. */
  async #searchForAll(since: Instant): Promise<void> {
    const { chain, rescans } = this.#options
    for (let after = ''; ; ) {
      const page = await rescans.createdPayments(chain.livemode, after, pageMax)
      for (const { paymentId, isOver, monitorUntil, ...watching } of page) {
        if (!isOver || monitorUntil >= since) this.#searched.watch(paymentId, watching)
      }
      after = page.at(-1)?.paymentId ?? ''
      if (page.length < pageMax) break
    }
  }

  /** What the blocks hold, by payment. Transfers shown by several providers are listed once. */
  #heldIn({ shown }: Reread): ReadonlyMap<string, readonly HeldTransaction[]> {
    const held = new Map<string, HeldTransaction>()
    for (const { applied } of shown) {
      for (const transfer of applied.transfers) {
        const paymentId = this.#watched.payee(transfer.to)
        if (paymentId === null || transfer.amount === 0n) continue
        const { txHash } = transfer
        const key = `${paymentId} ${applied.block.hash} ${txHash}`
        const known = held.get(key)
        if (known?.transfers.some(({ part }) => part === transfer.part)) continue
        const transfers = [...(known?.transfers ?? []), transfer]
        held.set(key, { chain: this.#options.chain.name, txHash, block: applied.block, transfers })
      }
    }
    const entries = Map.groupBy(held, ([key]) => key.split(' ', 1)[0] ?? '')
    return new Map([...entries].map(([id, list]) => [id, list.map(([, one]) => one)]))
  }

  /** What the history lacks, or may lack. */
  async #compare(read: Reread): Promise<readonly Compared[]> {
    const held = this.#heldIn(read)
    const payments = await this.#load([...held.keys()])
    return payments.flatMap((payment) => {
      const all = held.get(payment.id) ?? []
      return all.flatMap((one): Compared[] => {
        const inBlock = all.filter(({ block }) => block.hash === one.block.hash)
        const kind = compare(payment, one, inBlock)
        return kind === 'known' ? [] : [{ payment, held: one, kind }]
      })
    })
  }

  /**
   * Records what is missing. Returns the findings to report: unclear transactions, and missing ones
   * that are now on record. The others were dust, or beyond the limits.
   */
  async #recordMissing(
    read: Reread,
    found: readonly Compared[],
  ): Promise<readonly RescanFinding[]> {
    const { rereader, index } = this.#options
    const missing = found.filter(({ kind }) => kind === 'missing')
    const unclear = found.filter(({ kind }) => kind === 'unclear').map(findingOf)
    if (missing.length === 0) return unclear
    const stops = missing.flatMap(({ payment }) => {
      if (index.isWatched(payment.id)) return []
      return [index.watch(payment.id, { ...payment, accept: payment.terms.accept })]
    })
    const keys = new Set(missing.map(({ held }) => inclusionKey(held)))
    try {
      await rereader.recordMissing(read.shown.flatMap((one) => only(one, keys)))
    } catch (error) {
      for (const stop of stops) stop()
      throw error
    }
    const ids = [...new Set(missing.map(({ payment }) => payment.id))]
    const after = new Map((await this.#load(ids)).map((payment) => [payment.id, payment]))
    const isStored = ({ payment, held }: Compared): boolean =>
      isOnRecord(after.get(payment.id) ?? payment, held)
    return [...unclear, ...missing.filter(isStored).map(findingOf)]
  }

  /** What the history holds in these blocks and they do not. The providers are asked to confirm. */
  async #gone(read: Reread): Promise<readonly RescanFinding[]> {
    const { rereader, chain } = this.#options
    const held = this.#heldIn(read)
    const suspects = read.blocks.flatMap(({ number, hash }) =>
      (this.#recorded.get(number) ?? []).filter(({ paymentId, txHash, blockHash }) => {
        const isShown = held.get(paymentId)?.some((one) => one.txHash === txHash) === true
        return publicTxHash(txHash) !== null && !(blockHash === hash && isShown)
      }),
    )
    const payments = await this.#load([...new Set(suspects.map(({ paymentId }) => paymentId))])
    const byId = new Map(payments.map((payment) => [payment.id, payment]))
    const doubted: Corroborated[] = []
    const gone = suspects.filter(({ paymentId, txHash, blockHash }) => {
      const key = { chain: chain.name, txHash }
      const inclusion = findTransaction(byId.get(paymentId)?.facts.transactions ?? [], key)
        ?.inclusions[blockHash]
      // A reorg may have undone the transaction since, or its token may no longer be followed.
      if (inclusion?.canonical !== true || inclusion.block === null) return false
      if (!inclusion.transfers.every(({ token }) => rereader.reads(token))) return false
      doubted.push({ txHash, block: inclusion.block, transfers: inclusion.transfers })
      return true
    })
    rereader.doubt(doubted)
    return gone.map(({ paymentId, txHash, block }) => ({ kind: 'gone', paymentId, txHash, block }))
  }

  async #load(ids: readonly string[]): Promise<readonly Payment[]> {
    if (ids.length === 0) return []
    const unreadable = (id: string): void => void this.#unreadable.add(id)
    return this.#options.store.load(paymentKind, ids, unreadable)
  }

  /** What these blocks hold for payments that cannot be read: reported as `unclear`. */
  #unjudged(read: Reread): readonly RescanFinding[] {
    const held = [...this.#heldIn(read)].filter(([id]) => this.#unreadable.has(id))
    return held.flatMap(([paymentId, all]) =>
      all.map(({ txHash, block }): RescanFinding => {
        return { kind: 'unclear', paymentId, txHash, block: block.number }
      }),
    )
  }

  #add(found: readonly RescanFinding[]): void {
    const { counts, findings } = this.#report
    const more = (kind: FindingKind): number => found.filter((one) => one.kind === kind).length
    this.#report = {
      ...this.#report,
      counts: {
        missing: counts.missing + more('missing'),
        unclear: counts.unclear + more('unclear'),
        gone: counts.gone + more('gone'),
      },
      findings: [...findings, ...found].slice(0, findingsMax),
    }
  }
}

/** What a block holds for a payment and the history lacks or may lack. */
interface Compared {
  readonly payment: Payment
  readonly held: HeldTransaction
  readonly kind: 'missing' | 'unclear'
}

const findingOf = ({ payment, held, kind }: Compared): RescanFinding => ({
  kind,
  paymentId: payment.id,
  txHash: held.txHash,
  block: held.block.number,
})

/** Adds a part that some provider failed to show. */
export function withPart(
  partly: readonly PartlyRead[],
  { notReadFrom, readFrom, blocks }: Pick<Reread, 'notReadFrom' | 'readFrom' | 'blocks'>,
): readonly PartlyRead[] {
  if (notReadFrom.length === 0) return partly
  const isSame = (one: PartlyRead): boolean => one.notReadFrom.join() === notReadFrom.join()
  const known = partly.find(isSame)?.blocks ?? 0
  const part = { notReadFrom, providers: readFrom.length, blocks: known + blocks.length }
  return [...partly.filter((one) => !isSame(one)), part]
}

const inclusionKey = ({ block, txHash }: Corroborated): string => `${block.hash} ${txHash}`

/** Reduces a provider's block to these transactions, each with all its transfers to any payment. */
function only({ source, applied }: ShownBlock, keys: ReadonlySet<string>): readonly ShownBlock[] {
  const transfers = applied.transfers.filter(({ txHash }) =>
    keys.has(inclusionKey({ block: applied.block, txHash, transfers: [] })),
  )
  return transfers.length === 0 ? [] : [{ source, applied: { ...applied, transfers } }]
}

/** The report for the requested range before any block is read. */
async function begin({ request, rereader, store, head }: RescanOptions): Promise<RescanReport> {
  const { paymentId } = request
  const [payment] = paymentId === null ? [] : await store.load(paymentKind, [paymentId])
  if (paymentId !== null && payment === undefined) {
    throw new Failure('invalid_request', `Unknown payment ${paymentId}.`)
  }
  const createdAt = payment?.createdAt ?? 0
  const from = request.from ?? (await rereader.blockAt(createdAt - earlierMs))
  const to = Math.min(request.to ?? head, head)
  if (from > to) {
    const message = `Block ${from} was not read yet: the chain is stored up to block ${head}.`
    throw new Failure('invalid_request', message)
  }
  if (to - from >= rescanBlocksMax) {
    const message = `Blocks ${from} to ${to} are ${to - from + 1} blocks; one rescan reads at most ${rescanBlocksMax}. Choose a part with --from and --to.`
    throw new Failure('invalid_request', message)
  }
  const none = { payments: 0, findings: [], unread: 0, partly: [] }
  return { from, to, next: from, counts: { missing: 0, unclear: 0, gone: 0 }, ...none }
}
