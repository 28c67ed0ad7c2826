/**
 * An EVM node that follows the protocol and fails on demand: it lags, lies, forgets its
 * subscriptions, falls silent, and changes its chain. On loopback, with a port of its own.
 */
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { type FakeBlock, FakeChain, type FakeTx } from './evm/fake-chain.ts'
import { FakeState } from './evm/fake-state.ts'
import { Raw, Refused, transactionJson } from './evm/fake-wire.ts'

export { Raw, Refused } from './evm/fake-wire.ts'

type Feed =
  | 'newHeads'
  | 'whole'
  | 'hashes'
  | 'alchemy_pendingTransactions'
  | 'pendingLogs'
  | 'newFlashblockTransactions'
type Wants = (result: unknown) => boolean

export class FakeNode {
  chain = new FakeChain()
  chainId = 31337
  /** Every request so far, oldest first. */
  readonly asked: { method: string; params: readonly unknown[] }[] = []
  /** Pending transactions by hash. */
  readonly pool = new Map<string, FakeTx>()
  /** How pending transactions are shown; `hashes_only` ignores requests for whole objects. */
  pendingForm: 'as_asked' | 'hashes_only' | 'whole_refused' | 'none' = 'as_asked'
  safe: number | null = null
  finalized: number | null = null
  /** False for an old node that refuses tags. */
  knowsTags = true
  knowsBlockReceipts = true
  /** The balances, nonces, traces and pool that this node shows. */
  readonly state = new FakeState(this)
  /** Non-standard subscriptions that it accepts. */
  readonly offers = new Set<string>()
  /** Subscriptions are accepted but never notify. */
  mute = false
  /**
   * Called before anything else: undefined means the usual answer, `silence` means no answer, and a
   * promise is awaited first.
   */
  instead: (method: string, params: readonly unknown[]) => unknown = () => undefined

  /** Changes each usual answer before it is sent. */
  twist: (method: string, answer: unknown) => unknown = (_, answer) => answer
  /** Header fields that differ from the block in announcements. */
  header: object = {}

  readonly #server: WebSocketServer
  readonly #feeds = new Map<string, { socket: WebSocket; feed: Feed; wants: Wants }>()
  #ids = 0

  private constructor(server: WebSocketServer) {
    this.#server = server
    server.on('connection', (socket) => {
      socket.on('message', (data) => this.#hear(socket, data.toString()))
    })
  }

  static async start(options: { answersPings?: boolean } = {}): Promise<FakeNode> {
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      // To the other side the connection looks half-open.
      autoPong: options.answersPings ?? true,
    })
    await new Promise((resolve) => server.once('listening', resolve))
    return new FakeNode(server)
  }

  get wsUrl(): string {
    // A server that listens on TCP has this type of address.
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get connections(): number {
    return this.#server.clients.size
  }

  askedFor = (method: string): number =>
    this.asked.filter((question) => question.method === method).length

  /** Mines a block and notifies subscribers. */
  mine(transactions: readonly FakeTx[] = []): FakeBlock {
    const block = this.chain.mine(transactions)
    for (const tx of transactions) this.pool.delete(tx.hash)
    this.announce(block)
    return block
  }

  /** Puts a transaction into the pool and notifies subscribers. */
  broadcast(tx: FakeTx): void {
    this.pool.set(tx.hash, tx)
    this.#push('whole', transactionJson(tx, null))
    this.#push('hashes', tx.hash)
    this.#push('alchemy_pendingTransactions', transactionJson(tx, null))
  }

  /** Announces a transaction before its block, as a sequencer does. */
  promise(tx: FakeTx): void {
    const block = { ...this.chain.head, hash: `0x${'0'.repeat(64)}`, transactions: [tx] }
    const logs = logsJson(block)
    const status = tx.reverted ? '0x0' : '0x1'
    for (const log of logs) this.#push('pendingLogs', log)
    this.#push('newFlashblockTransactions', { ...transactionJson(tx, null), logs, status })
  }

  /** The parameters of the present subscriptions of this name. */
  subscribed = (feed: string): readonly unknown[] => this.#subscribed.get(feed) ?? []
  readonly #subscribed = new Map<string, unknown[]>()

  /** `more` are fields that this node adds to the header, or gets wrong in it. */
  announce(block: FakeBlock, more: object = {}): void {
    this.#push('newHeads', { ...headerJson(block), ...this.header, ...more })
  }

  /** Sends a text to every connection. */
  say(text: string): void {
    for (const socket of this.#server.clients) socket.send(text)
  }

  /** Ends every connection abruptly, without a close frame. */
  drop(): void {
    for (const socket of this.#server.clients) socket.terminate()
  }

  async close(): Promise<void> {
    this.drop()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #push(feed: Feed, result: unknown): void {
    if (this.mute) return
    for (const [subscription, { socket, feed: wanted, wants }] of this.#feeds) {
      if (wanted !== feed || !wants(result)) continue
      const params = { subscription, result }
      socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params }))
    }
  }

  #hear(socket: WebSocket, text: string): void {
    // The only client is the follower under test, which sends JSON-RPC.
    const { id, method, params } = JSON.parse(text) as {
      id: number
      method: string
      params: unknown[]
    }
    this.asked.push({ method, params })
    const usual = (): unknown => this.twist(method, this.#answer(socket, method, params))
    const answer = this.instead(method, params) ?? usual()
    if (!(answer instanceof Promise)) this.#say(socket, id, answer)
    else void answer.then((late: unknown) => this.#say(socket, id, late ?? usual()))
  }

  #say(socket: WebSocket, id: number, answer: unknown): void {
    if (answer === silence) return
    const said =
      answer instanceof Refused
        ? { error: { code: answer.code, message: answer.message } }
        : { result: answer }
    const text = JSON.stringify({ jsonrpc: '2.0', id, ...said })
    socket.send(answer instanceof Raw ? answer.text : text)
  }

  #answer(socket: WebSocket, method: string, params: unknown[]): unknown {
    const [first, second] = params
    const by = String(first)
    switch (method) {
      case 'eth_chainId':
        return quantity(this.chainId)
      case 'eth_subscribe':
        return this.#subscribe(socket, by, second)
      case 'eth_unsubscribe':
        return this.#feeds.delete(by)
      case 'eth_getBlockByNumber':
        return this.#blockAt(by, second === true)
      case 'eth_getBlockByHash':
        return blockJson(this.chain.byHash(by), second === true)
      case 'eth_getLogs':
        return this.#logs(first)
      case 'eth_getBlockReceipts':
        return this.knowsBlockReceipts ? receiptsJson(this.chain.byHash(by)) : unknownMethod
      case 'eth_getTransactionReceipt':
        return this.#receipt(by)
      case 'eth_getTransactionByHash':
        return this.#transaction(by)
      default:
        return this.state.answer(method, params) ?? unknownMethod
    }
  }

  #subscribe(socket: WebSocket, what: string, how: unknown): unknown {
    if (extraFeeds.has(what)) return this.#subscribeExtra(socket, what as Feed, how)
    const whole = how === true
    const pending = what === 'newPendingTransactions'
    if (pending && this.pendingForm === 'none') return unknownMethod
    if (pending && whole && this.pendingForm === 'whole_refused') return unknownMethod
    const hashes = !whole || this.pendingForm === 'hashes_only'
    const id = quantity(++this.#ids)
    const feed = pending ? (hashes ? 'hashes' : 'whole') : 'newHeads'
    this.#feeds.set(id, { socket, feed, wants: () => true })
    socket.once('close', () => this.#feeds.delete(id))
    return id
  }

  #subscribeExtra(socket: WebSocket, feed: Feed, how: unknown): unknown {
    if (!this.offers.has(feed)) return unknownMethod
    const { toAddress } = how as { toAddress?: readonly string[] }
    if (toAddress !== undefined && (toAddress.length === 0 || toAddress.length > 1_000)) {
      return new Refused(-32602, 'toAddress must name between 1 and 1000 addresses')
    }
    const id = quantity(++this.#ids)
    this.#feeds.set(id, { socket, feed, wants: wantedBy(feed, how) })
    this.#subscribed.set(feed, [...this.subscribed(feed), how])
    socket.once('close', () => this.#feeds.delete(id))
    return id
  }

  #blockAt(tag: string, whole: boolean): unknown {
    if (tag === 'pending') return this.state.pendingBlock()
    if (tag === 'latest') return blockJson(this.chain.head, whole)
    if (tag !== 'safe' && tag !== 'finalized') return blockJson(this.chain.at(Number(tag)), whole)
    if (!this.knowsTags) return new Refused(-32602, 'invalid argument 0: unknown tag')
    const number = this[tag]
    return number === null ? null : blockJson(this.chain.at(number), whole)
  }

  #logs(filter: unknown): unknown {
    // The follower's own filter, by block hash.
    const { blockHash, address, topics } = filter as {
      blockHash: string
      address: string[]
      topics: string[]
    }
    const block = this.chain.byHash(blockHash)
    if (block === undefined) return new Refused(-32000, 'unknown block')
    return logsJson(block).filter(
      (log) => address.includes(log.address) && log.topics[0] === topics[0],
    )
  }

  #receipt(txHash: string): unknown {
    const block = this.chain.blockOf(txHash)
    return receiptsJson(block)?.find((receipt) => receipt.transactionHash === txHash) ?? null
  }

  #transaction(txHash: string): unknown {
    const pending = this.pool.get(txHash)
    if (pending !== undefined) return transactionJson(pending, null)
    const block = this.chain.blockOf(txHash)
    const tx = block?.transactions.find(({ hash }) => hash === txHash)
    return block !== undefined && tx !== undefined ? transactionJson(tx, block) : null
  }
}

/** `instead` returns this to send no answer. */
export const silence = Symbol('silence')

const unknownMethod = new Refused(-32601, 'the method does not exist')
const quantity = (count: number | bigint): string => `0x${count.toString(16)}`

const headerJson = (block: FakeBlock) => ({
  number: quantity(block.number),
  hash: block.hash,
  parentHash: block.parentHash,
  timestamp: quantity(block.timestamp),
  logsBloom: block.logsBloom,
})

const blockJson = (block: FakeBlock | undefined, whole: boolean) =>
  block === undefined
    ? null
    : {
        ...headerJson(block),
        transactions: block.transactions.map((tx) =>
          whole ? transactionJson(tx, block) : tx.hash,
        ),
      }

/** The provider's side of a filter. */
const wantedBy = (feed: Feed, how: unknown): Wants => {
  const { toAddress, address, topics } = how as {
    toAddress?: readonly string[]
    address?: readonly string[]
    topics?: readonly string[]
  }
  return (result) => {
    const shown = result as { to: string; address: string; topics: readonly string[] }
    if (feed === 'alchemy_pendingTransactions') return toAddress?.includes(shown.to) ?? true
    if (feed !== 'pendingLogs') return true
    return (address?.includes(shown.address) ?? true) && topics?.[0] === shown.topics[0]
  }
}

const extraFeeds = new Set([
  'alchemy_pendingTransactions',
  'pendingLogs',
  'newFlashblockTransactions',
])

const logsJson = (block: FakeBlock) =>
  block.transactions
    .flatMap((tx) => tx.logs.map((log) => ({ log, tx })))
    .map(({ log, tx }, logIndex) => ({
      ...log,
      blockHash: block.hash,
      transactionHash: tx.hash,
      logIndex: quantity(logIndex),
      removed: false,
    }))

const receiptsJson = (block: FakeBlock | undefined) =>
  block?.transactions.map((tx) => ({
    transactionHash: tx.hash,
    blockHash: block.hash,
    status: tx.reverted ? '0x0' : '0x1',
    logs: logsJson(block).filter((log) => log.transactionHash === tx.hash),
  })) ?? null
