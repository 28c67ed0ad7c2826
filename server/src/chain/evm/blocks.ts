import type { Clock, Log, WatchSet } from '../../ports.ts'
import { orRefused } from './answer.ts'
import { bloomTest } from './bloom.ts'
import { hintOf, type PendingRules, slotOf } from './calldata.ts'
import { fieldsOf } from './hex.ts'
import { inParallel } from './in-parallel.ts'
import type { Limits } from './limits.ts'
import { tokenTransfers, transferTopic } from './logs.ts'
import { InnerPayments } from './native/inner-payments.ts'
import type { EvmNode, Header, Receipt } from './node.ts'
import { receiptOf, receiptsAtOnce, receiptsOf, unread } from './receipts.ts'
import { type BlockContents, type Call, missingOf } from './verdict.ts'

const blocksAtOnce = 16
const firstDoubtMs = 30

/**
 * Reads blocks so that what it answers is true of that very block, or fails with
 * `chain_unavailable`. Nothing doubtful comes out: a block that cannot be read completely holds the
 * cursor. (The alternative, to store it and scan again at depth, would have to undo a stored block
 * that was never reorged, and tell a payer of a reorg that did not happen.)
 */
export class BlockReader {
  readonly #watch: WatchSet
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #tokens: readonly string[]
  readonly #tokenSet: ReadonlySet<string>
  readonly #mayHold: (logsBloom: unknown) => boolean
  readonly #inner: InnerPayments

  constructor(parts: {
    readonly tokens: readonly string[]
    /** Answers many balances at once. Left out or null: it is not there, and few are asked for. */
    readonly multicall3?: string | null
    readonly log?: Log
    readonly watch: WatchSet
    readonly clock: Clock
    readonly limits: Limits
  }) {
    this.#watch = parts.watch
    this.#clock = parts.clock
    this.#limits = parts.limits
    this.#tokens = parts.tokens
    this.#tokenSet = new Set(parts.tokens)
    this.#mayHold = bloomTest(parts.tokens, transferTopic)
    const { clock, watch, multicall3 = null, log = null } = parts
    this.#inner = new InnerPayments({ clock, watch, multicall3, log })
  }

  /** Whether contracts may have paid by the last block read without anybody being able to tell. */
  get isUnread(): boolean {
    return this.#inner.isUnread
  }

  /** Reads blocks of one chain side by side and answers in their order, oldest first. */
  async read(node: EvmNode, headers: readonly Header[]): Promise<BlockContents[]> {
    const { wantsNative } = this.#watch
    // The blocks are there already: who joins from now on was paid in none of them.
    const addresses = wantsNative ? [...this.#watch.nativeAddresses()] : []
    const blocks = await inParallel(headers, blocksAtOnce, (header) =>
      this.#readOne(node, header, wantsNative),
    )
    await this.#inner.find(node, blocks, addresses)
    return blocks
  }

  /** Fetches what `missingOf` names, all of it. */
  async complete(node: EvmNode, blocks: readonly BlockContents[]): Promise<void> {
    await inParallel(blocks, blocksAtOnce, async (block) => {
      const missing = missingOf(block, this.#watch)
      if (missing.values) block.values = (await wholeOf(node, block.header, true)).values ?? []
      await inParallel(missing.receipts, receiptsAtOnce, async (txHash) => {
        block.receipts.set(txHash, await receiptOf(node, txHash, block.header.ref.hash))
      })
      const rules = { tokens: this.#tokenSet, watch: this.#watch }
      await inParallel(missing.calls, receiptsAtOnce, async (txHash) => {
        block.calls.set(txHash, await callOf(node, { header: block.header, txHash }, rules))
      })
    })
  }

  async #readOne(node: EvmNode, known: Header, whole: boolean): Promise<BlockContents> {
    const [header, early] = await Promise.all([
      wholeOf(node, known, whole),
      this.#logs(node, known),
    ])
    const txHashes = header.txHashes ?? []
    const receipts = new Map<string, Receipt>()
    // The bloom of an announcement saves time; that of the block itself is what counts.
    let logs = header.logsBloom === known.logsBloom ? early : await this.#logs(node, header)
    if (logs === null) {
      const all = await receiptsOf(node, header.ref.hash, txHashes)
      for (const receipt of all) receipts.set(receipt.txHash, receipt)
      logs = all.flatMap((receipt) => receipt.logs)
      if (tokenTransfers(logs, this.#tokenSet, header.ref.hash).length > 0) node.tally.logsEmpty++
    }
    const transfers = tokenTransfers(logs, this.#tokenSet, header.ref.hash)
    const none = { inner: [], calls: new Map<string, Call | null>(), found: null }
    return { header, txHashes, transfers, values: header.values, receipts, ...none }
  }

  /**
   * The block's logs, or null when only its receipts can tell: a node that lags answers an empty
   * list in good faith, and the header's bloom is what shows that it may be wrong.
   */
  async #logs(node: EvmNode, { ref, logsBloom }: Header): Promise<readonly unknown[] | null> {
    if (!this.#mayHold(logsBloom)) return []
    node.tally.logsAsked++
    let wasEmpty = false
    for (let asked = 0; asked <= this.#limits.emptyLogsAskedAgain; asked++) {
      if (asked > 0) await this.#clock.sleep(firstDoubtMs * 4 ** (asked - 1))
      const logs = await orRefused(node.logs(ref.hash, this.#tokens, transferTopic))
      if (logs === 'refused') return null
      wasEmpty ||= logs?.length === 0
      if (logs === null || logs.length === 0) continue
      if (wasEmpty) node.tally.logsEmpty++
      return logs
    }
    return null
  }
}

/** The block with its transactions: with their values too when `whole`. */
async function wholeOf(node: EvmNode, known: Header, whole: boolean): Promise<Header> {
  if (known.txHashes !== null && (!whole || known.values !== null)) return known
  const header = await node.byHash(known.ref.hash, whole)
  if (header === null || header.txHashes === null) throw unread('lacks a block it named')
  return header
}

/** From the block where it came whole, else asked for. It is evidence, not proof: a node may refuse. */
async function callOf(
  node: EvmNode,
  { header, txHash }: { header: Header; txHash: string },
  rules: PendingRules,
): Promise<Call | null> {
  const listed = header.listed?.find((one) => fieldsOf(one)?.hash === txHash)
  const transaction = listed ?? (await shownOf(node, txHash))
  const slot = slotOf(transaction)
  return slot === null ? null : { hint: hintOf(transaction, rules), slot }
}

async function shownOf(node: EvmNode, txHash: string): Promise<unknown> {
  const answer = await orRefused(node.ask('eth_getTransactionByHash', [txHash]))
  return answer === 'refused' || 'declined' in answer ? null : answer.result
}
