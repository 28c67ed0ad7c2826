import { LRUCache } from 'lru-cache'
import type { WatchSet } from '../../../ports/chain.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Log } from '../../../ports/log.ts'
import { bloomTest } from '../block/bloom.ts'
import { contestOf, hintOf, type PendingRules } from '../block/calldata.ts'
import { sortLogs, type TokenTransfer, transferIn, transferTopic } from '../block/logs.ts'
import { fetchReceipts, receiptsOf, unread } from '../block/receipts.ts'
import {
  addFromReceipts,
  type BlockContents,
  doubtful,
  missingOf,
  type PayingCall,
} from '../block/verdict.ts'
import { InnerPayments } from '../native/inner-payments.ts'
import { orRefused } from '../node/answer.ts'
import { fieldsOf } from '../node/hex.ts'
import { inParallel } from '../node/in-parallel.ts'
import { atOnce, type FollowerLimits } from '../node/limits.ts'
import type { EvmNode, Header, NativeValue, Receipt } from '../node/node.ts'

const firstDoubtMs = 30

/** One in this many blocks is asked for its logs whatever its bloom says. */
const bloomProbeEvery = 16
/**
 * How often a block's read fails when part of it that may concern us is unreadable: other providers
 * are asked meanwhile, or the data arrives.
 */
const heldReadsMax = 3
const heldMax = 1_024

/**
 * Reads blocks; the result is true for exactly those blocks, or it fails with `chain_unavailable`.
 * Unreadable items that cannot concern us are skipped and counted. If one may concern us, the read
 * fails a few times, so that other providers are asked; then the block is returned without it, and
 * `doubtful` names it. (Rejected: storing the block and scanning it again later. It would have to
 * be reverted without a reorg, and payers would see one that did not happen.)
 */
export class BlockReader {
  readonly #watch: WatchSet
  readonly #clock: Clock
  readonly #limits: FollowerLimits
  readonly #tokens: readonly string[]
  readonly #tokenSet: ReadonlySet<string>
  readonly #mayHold: (logsBloom: unknown) => boolean
  readonly #inner: InnerPayments
  readonly #trustsBlooms: boolean
  /** Failed reads of a block because of doubtful transactions. */
  readonly #held = new LRUCache<string, number>({ max: heldMax })

  constructor(parts: {
    readonly tokens: readonly string[]
    /**
     * The Multicall3 contract, which returns many balances in one call. Default: null, no contract,
     * so few balances are read.
     */
    readonly multicall3?: string | null
    /** Whether the blooms in this chain's headers can be trusted. Default: false. */
    readonly trustsBlooms?: boolean
    readonly log?: Log
    readonly watch: WatchSet
    readonly clock: Clock
    readonly limits: FollowerLimits
  }) {
    this.#watch = parts.watch
    this.#clock = parts.clock
    this.#limits = parts.limits
    this.#tokens = parts.tokens
    this.#tokenSet = new Set(parts.tokens)
    this.#trustsBlooms = parts.trustsBlooms ?? false
    this.#mayHold = bloomTest(parts.tokens, transferTopic)
    const { clock, watch, multicall3 = null, log = null } = parts
    this.#inner = new InnerPayments({ clock, watch, multicall3, log })
  }

  /**
   * Whether contract payments may be missing: the balances after the last block, or earlier ones of
   * an address, could not be read.
   */
  get isUnread(): boolean {
    return this.#inner.isUnread
  }

  /** Reads blocks of one chain in parallel, and returns them in order, oldest first. */
  async read(node: EvmNode, headers: readonly Header[]): Promise<BlockContents[]> {
    const { wantsNative } = this.#watch
    // The blocks exist already, so they cannot pay an address that is watched only later.
    const addresses = wantsNative ? [...this.#watch.nativeAddresses()] : []
    const blocks = await inParallel(headers, atOnce.blocks, (header) =>
      this.#readOne(node, header, wantsNative),
    )
    // Receipts separate the value that transactions themselves carried from payments by contracts.
    const paying = blocks.filter((block) => missingOf(block, this.#watch).receipts.length > 0)
    if (wantsNative && paying.length > 0) await this.complete(node, paying)
    await this.#hold(node, blocks)
    await this.#inner.find(node, blocks, addresses)
    return blocks
  }

  /** Fetches everything that `missingOf` lists. */
  async complete(node: EvmNode, blocks: readonly BlockContents[]): Promise<void> {
    await inParallel(blocks, atOnce.blocks, async (block) => {
      const missing = missingOf(block, this.#watch)
      const { receipts, header } = block
      if (missing.values) {
        block.values = await this.#valuesIn(node, await wholeOf(node, header, true))
      }
      const rules = { tokens: this.#tokenSet, watch: this.#watch }
      // In parallel: on a slow connection each question in turn would delay the whole step.
      await Promise.all([
        fetchReceipts(node, { blockHash: header.ref.hash, receipts }, missing.receipts),
        inParallel(missing.calls, atOnce.questions, async (txHash) => {
          block.calls.set(txHash, await callOf(node, { header, txHash }, rules))
        }),
      ])
      if (missing.receipts.length > 0) addFromReceipts(block, missing.receipts, rules)
    })
    await this.#hold(node, blocks)
  }

  async #readOne(node: EvmNode, known: Header, whole: boolean): Promise<BlockContents> {
    const [header, early] = await Promise.all([
      wholeOf(node, known, whole),
      this.#transfers(node, known),
    ])
    for (const _ of header.odd ?? []) node.tally.odd('transaction')
    const txHashes = header.txHashes ?? []
    // The bloom of the announcement saves time, but that of the block itself decides.
    const isSame = header.logsBloom === known.logsBloom
    const shown = isSame ? early : await this.#transfers(node, header)
    const receipts = shown === null ? await receiptsOf(node, header) : new Map<string, null>()
    const transfers = shown ?? [...receipts.values()].flatMap((one) => this.#transfersIn(one))
    if (shown === null && transfers.length > 0) node.tally.logsEmpty++
    const values = await this.#valuesIn(node, header)
    const none = { inner: [], calls: new Map<string, PayingCall | null>(), found: null }
    return { header, txHashes, transfers, values, receipts, ...none }
  }

  /**
   * The block's transfers by its logs. Null when only its receipts can tell: the node refuses, does
   * not know the block, or sends an odd log; or its list stays empty although the bloom of the
   * header may hold a transfer, because a lagging node returns an empty list for a block that it
   * does not have yet.
   */
  async #transfers(node: EvmNode, header: Header): Promise<readonly TokenTransfer[] | null> {
    const { ref, logsBloom } = header
    const mayHold = this.#mayHold(logsBloom)
    if (this.#tokens.length === 0 || (!mayHold && this.#trusts(node, ref.number))) return []
    node.tally.logsAsked++
    let wasEmpty = false
    for (let tries = 0; tries <= this.#limits.emptyLogsAskedAgain; tries++) {
      if (tries > 0) await this.#clock.sleep(firstDoubtMs * 4 ** (tries - 1))
      const logs = await orRefused(node.logs(ref.hash, this.#tokens, transferTopic))
      if (logs === 'refused') return null
      const isDoubtful = mayHold && logs?.length === 0
      wasEmpty ||= isDoubtful
      if (logs === null || isDoubtful) continue
      if (wasEmpty) node.tally.logsEmpty++
      if (logs.length > 0 && !mayHold) {
        node.tally.bloomLies = true
        node.tally.odd('bloom')
      }
      const { transfers, odd } = sortLogs(logs, this.#tokenSet, ref.hash)
      if (odd === 0) return transfers
      node.tally.odd('log')
      return null
    }
    return null
  }

  /** Whether the bloom of a block is enough to skip its logs. */
  #trusts(node: EvmNode, number: number): boolean {
    return this.#trustsBlooms && !node.tally.bloomLies && number % bloomProbeEvery !== 0
  }

  #transfersIn(receipt: Receipt | null): TokenTransfer[] {
    const { logs = [], txHash } = receipt ?? {}
    return logs.flatMap((one) => {
      const transfer = transferIn(one, this.#tokenSet)
      return transfer === null
        ? []
        : { ...transfer, log: { ...transfer.log, transactionHash: txHash } }
    })
  }

  /**
   * Reads transactions to us that were malformed in their block individually. If they are malformed
   * again, the balance shows the payment.
   */
  async #valuesIn(
    node: EvmNode,
    { values, odd = [] }: Header,
  ): Promise<readonly NativeValue[] | null> {
    if (values === null || odd.length === 0) return values
    const ours = odd.flatMap(({ txHash, to }) =>
      txHash !== null && to !== null && this.#watch.has(to) ? txHash : [],
    )
    const shown = await inParallel(ours, atOnce.questions, (txHash) => node.value(txHash))
    return [...values, ...shown.filter((value) => value !== null)]
  }

  /** Throws, a few times per block, while a block that may concern us is incomplete. */
  async #hold(node: EvmNode, blocks: readonly BlockContents[]): Promise<void> {
    for (const block of blocks) {
      if (doubtful(block, this.#watch).size === 0) continue
      const { hash, number } = block.header.ref
      const reads = (this.#held.get(hash) ?? 0) + 1
      this.#held.set(hash, reads)
      if (reads <= heldReadsMax) throw unread('does not show a transaction completely')
      // A node that moved to another branch still has the block, but no receipts of it.
      const now = await node.byNumber(number, false)
      if (now?.ref.hash !== hash) throw unread('no longer has a block on its chain')
    }
  }
}

/** The block with its transactions; with their values too when `whole`. */
async function wholeOf(node: EvmNode, known: Header, whole: boolean): Promise<Header> {
  if (known.txHashes !== null && (!whole || known.values !== null)) return known
  const header = await node.byHash(known.ref.hash, whole)
  if (header === null || header.txHashes === null) throw unread('lacks a block that it announced')
  return header
}

/**
 * Reads a call from the block if that was full, else asks for it. It is optional evidence: null if
 * the node refuses, does not know the transaction, or leaves out its sender, nonce or fee.
 */
async function callOf(
  node: EvmNode,
  { header, txHash }: { header: Header; txHash: string },
  rules: PendingRules,
): Promise<PayingCall | null> {
  const listed = header.listed?.find((one) => fieldsOf(one)?.hash === txHash)
  const transaction = listed ?? (await shownOf(node, txHash))
  const contest = contestOf(transaction)
  return contest === null ? null : { hint: hintOf(transaction, rules), contest }
}

async function shownOf(node: EvmNode, txHash: string): Promise<unknown> {
  const answer = await orRefused(node.ask('eth_getTransactionByHash', [txHash]))
  return answer === 'refused' || 'declined' in answer ? null : answer.result
}
