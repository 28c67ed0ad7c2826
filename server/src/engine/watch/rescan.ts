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
import { compare, type Held, isOnRecord } from './missing.ts'
import { type FollowedChain, WatchIndex } from './watch-index.ts'
import type { WatchedChain } from './watched-chain.ts'

export interface RescanOptions {
  readonly asked: RescanRequest
  readonly chain: FollowedChain
  readonly again: Rereader
  readonly store: Pick<EventStore, 'load'>
  readonly rescans: Pick<Rescans, 'openings' | 'recorded'>
  /** What this process looks for: a payment must be in it for what is told of it to be recorded. */
  readonly index: WatchIndex
  readonly policy: Policy
  /** The last stored block. */
  readonly head: number
}

/** Blocks of one request: an hour of a chain with a block each 36 ms, two weeks of Ethereum. */
export const rescanBlocksMax = 100_000
/** Blocks that are read, and told of, at once. */
const partBlocks = 64
/** The clocks of chain and server may differ: a payment is looked for this much before it was made. */
const earlierMs = 10 * 60_000
const pageMax = 2_000
/** Findings that are listed; all are counted. */
const findingsMax = 1_000

/** Reads one stretch of a chain again, part by part, and tells what the history lacks of it. */
export class Rescan {
  readonly #options: RescanOptions
  readonly #watched: WatchedChain
  readonly #looked: WatchIndex
  /** What the history says that blocks of the stretch hold, by number. */
  #recorded: ReadonlyMap<number, readonly Recorded[]> = new Map()
  /** Payments whose stored state cannot be read. */
  readonly #unreadable = new Set<string>()
  #report: RescanReport

  private constructor(options: RescanOptions, report: RescanReport) {
    this.#options = options
    this.#report = report
    this.#looked = new WatchIndex([options.chain], options.policy)
    const watched = this.#looked.chain(options.chain.name)
    if (watched === null) throw new Failure('internal')
    this.#watched = watched
  }

  /**
   * Goes on from a report, or begins. Throws `invalid_request` where what was asked for cannot be
   * read, and `chain_unavailable` where it cannot be now.
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

  /** Reads the next part, and resolves when what it lacked in the history is stored. */
  async goOn(): Promise<void> {
    const { again } = this.#options
    const { next, to, unread } = this.#report
    const last = Math.min(to, next + partBlocks - 1)
    const read = await again.read(next, last, this.#watched)
    const found = await this.#compare(read)
    const told = await this.#tell(read, found)
    const gone = await this.#gone(read)
    this.#add([...told, ...gone, ...this.#unjudged(read)])
    this.#report = {
      ...this.#report,
      next: last + 1,
      unread: unread + (read.isUnread ? read.blocks.length : 0),
      partly: withPart(this.#report.partly ?? [], read),
    }
  }

  /** Whom to look for, and what the history says of the stretch. */
  async #prepare(): Promise<void> {
    const { again, asked, chain, rescans } = this.#options
    const { from, to } = this.#report
    const { blocks } = await again.read(from, from, this.#watched)
    const since = (blocks[0]?.minedAt ?? 0) - earlierMs
    const isMeant = (id: string): boolean => asked.paymentId === null || asked.paymentId === id
    if (asked.paymentId === null) await this.#lookForAll(since)
    const recorded = (await rescans.recorded(chain.name, from, to)).filter((one) => {
      return isMeant(one.paymentId)
    })
    const ids = new Set([
      ...(asked.paymentId === null ? [] : [asked.paymentId]),
      ...recorded.map(({ paymentId }) => paymentId),
    ])
    const unseen = [...ids].filter((id) => !this.#looked.isWatched(id))
    for (const payment of await this.#load(unseen)) {
      this.#looked.watch(payment.id, { ...payment, accept: payment.terms.accept })
    }
    this.#recorded = Map.groupBy(recorded, ({ block }) => block)
    this.#report = { ...this.#report, payments: this.#looked.size }
  }

  /** Looks for every payment whose watch ends after this instant. */
  async #lookForAll(since: Instant): Promise<void> {
    const { chain, rescans } = this.#options
    for (let after = ''; ; ) {
      const page = await rescans.openings(chain.livemode, after, pageMax)
      for (const { paymentId, isOver, monitorUntil, ...watching } of page) {
        if (!isOver || monitorUntil >= since) this.#looked.watch(paymentId, watching)
      }
      after = page.at(-1)?.paymentId ?? ''
      if (page.length < pageMax) break
    }
  }

  /** By payment, what the blocks hold for it. Several providers may show the same. */
  #heldIn({ shown }: Reread): ReadonlyMap<string, readonly Held[]> {
    const held = new Map<string, Held>()
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

  /** What of it the history lacks, or may lack. */
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

  /** Tells what is missing. What is not on record afterwards was no money, or one too many to keep. */
  async #tell(read: Reread, found: readonly Compared[]): Promise<readonly RescanFinding[]> {
    const { again, index } = this.#options
    const missing = found.filter(({ kind }) => kind === 'missing')
    const unclear = found.filter(({ kind }) => kind === 'unclear').map(findingOf)
    if (missing.length === 0) return unclear
    const stops = missing.flatMap(({ payment }) => {
      if (index.isWatched(payment.id)) return []
      return [index.watch(payment.id, { ...payment, accept: payment.terms.accept })]
    })
    const names = new Set(missing.map(({ held }) => nameOf(held)))
    try {
      await again.tell(read.shown.flatMap((one) => only(one, names)))
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

  /** What the history says that these blocks hold, and they do not. Its denial is for the providers. */
  async #gone(read: Reread): Promise<readonly RescanFinding[]> {
    const { again, chain } = this.#options
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
      const place = { chain: chain.name, txHash }
      const inclusion = findTransaction(byId.get(paymentId)?.facts.transactions ?? [], place)
        ?.inclusions[blockHash]
      // It may have been undone since, by the ordinary rules; and a token may be followed no more.
      if (inclusion?.canonical !== true || inclusion.block === null) return false
      if (!inclusion.transfers.every(({ token }) => again.reads(token))) return false
      doubted.push({ txHash, block: inclusion.block, transfers: inclusion.transfers })
      return true
    })
    again.doubt(doubted)
    return gone.map(({ paymentId, txHash, block }) => ({ kind: 'gone', paymentId, txHash, block }))
  }

  async #load(ids: readonly string[]): Promise<readonly Payment[]> {
    if (ids.length === 0) return []
    const unreadable = (id: string): void => void this.#unreadable.add(id)
    return this.#options.store.load(paymentKind, ids, unreadable)
  }

  /** What these blocks hold for payments that cannot be read: nothing can be said of it yet. */
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

/** What a block holds for a payment and the history does not, for all that is known. */
interface Compared {
  readonly payment: Payment
  readonly held: Held
  readonly kind: 'missing' | 'unclear'
}

const findingOf = ({ payment, held, kind }: Compared): RescanFinding => ({
  ...{ kind, paymentId: payment.id, txHash: held.txHash, block: held.block.number },
})

/** One part more, where a provider has failed in it. */
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

const nameOf = ({ block, txHash }: Corroborated): string => `${block.hash} ${txHash}`

/** Of what a provider shows, these transactions alone: whole ones, whoever they pay. */
function only({ source, applied }: ShownBlock, names: ReadonlySet<string>): readonly ShownBlock[] {
  const transfers = applied.transfers.filter(({ txHash }) =>
    names.has(nameOf({ block: applied.block, txHash, transfers: [] })),
  )
  return transfers.length === 0 ? [] : [{ source, applied: { ...applied, transfers } }]
}

/** The stretch that is meant, with nothing of it read. */
async function begin({ asked, again, store, head }: RescanOptions): Promise<RescanReport> {
  const { paymentId } = asked
  const [payment] = paymentId === null ? [] : await store.load(paymentKind, [paymentId])
  if (paymentId !== null && payment === undefined) {
    throw new Failure('invalid_request', `There is no payment ${paymentId}.`)
  }
  const createdAt = payment?.createdAt ?? 0
  const from = asked.from ?? (await again.blockAt(createdAt - earlierMs))
  const to = Math.min(asked.to ?? head, head)
  if (from > to) {
    const words = `Block ${from} was not read yet: the chain is stored up to block ${head}.`
    throw new Failure('invalid_request', words)
  }
  if (to - from >= rescanBlocksMax) {
    const words = `Blocks ${from} to ${to} are ${to - from + 1}; ${rescanBlocksMax} can be read at once. Name parts of them with --from and --to.`
    throw new Failure('invalid_request', words)
  }
  const none = { payments: 0, findings: [], unread: 0, partly: [] }
  return { from, to, next: from, counts: { missing: 0, unclear: 0, gone: 0 }, ...none }
}
