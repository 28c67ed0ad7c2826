import type {
  AppliedBlock,
  ChainFollower,
  ChainHealth,
  ChainSink,
  LookUp,
  WatchSet,
} from '../../../server/src/ports/chain.ts'
import type { ChainPosition, EventStore } from '../../../server/src/ports/history.ts'
import type { PebbleBlock, PebbleChain } from './pebble-chain.ts'

const pollMs = 10
const blocksPerStepMax = 32

export interface PebbleParts {
  readonly name: string
  readonly chain: PebbleChain
  readonly watch: WatchSet
  readonly sink: ChainSink
  readonly store: Pick<EventStore, 'position' | 'begin'>
}

/** Follows a pebble chain: blocks are final when read, so it is one loop over the blocks. */
export class PebbleFollower implements ChainFollower {
  readonly #parts: PebbleParts
  #health: ChainHealth
  #position: ChainPosition | null = null
  #life: number
  #timer: ReturnType<typeof setTimeout> | null = null
  #reading: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(parts: PebbleParts) {
    this.#parts = parts
    this.#life = parts.chain.life
    const unseen = { visibility: 'blind', reason: 'starting', head: null, headAt: null } as const
    this.#health = { chain: parts.name, ...unseen }
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#reading = this.#read().finally(() => {
        if (!this.#isClosed) this.start()
      })
    }, pollMs)
  }

  health(): ChainHealth {
    return this.#health
  }

  async lookUp(digest: string): Promise<LookUp> {
    const block = this.#parts.chain.find(digest)
    if (block === null) return { kind: 'not_found' }
    const { number: blockNumber, hash: blockHash } = block
    return { kind: 'mined', source: 'rpc:pebble', blockNumber, blockHash, succeeded: true }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#reading
    this.#health = { ...this.#health, visibility: 'blind', reason: 'closed' }
  }

  /** Never rejects: after a refused step it continues from the position in the store. */
  async #read(): Promise<void> {
    const { chain, store, name } = this.#parts
    if (this.#life !== chain.life) {
      this.#life = chain.life
      return this.#say('degraded', 'socket_down')
    }
    try {
      const { genesisHash } = chain
      const at = chain.block(chain.height)
      this.#position ??=
        (await store.position(name)) ?? (await store.begin(name, genesisHash, refOf(at)))
      await this.#step(this.#position)
      this.#say('ok', null)
    } catch {
      this.#position = null
    }
  }

  async #step({ genesisHash, head, recent }: ChainPosition): Promise<void> {
    const { chain, sink, name } = this.#parts
    const to = Math.min(chain.height, head.head + blocksPerStepMax)
    if (to === head.head) return
    await sink.prepare(name)
    const numbers = Array.from({ length: to - head.head }, (_, at) => head.head + 1 + at)
    const applied = numbers.map((number) => this.#ours(chain.block(number)))
    const next = { view: head.view + 1, head: to, safe: to, finalized: to }
    await sink.step(name, {
      ...{ source: 'rpc:pebble', at: Date.now(), head: next },
      ...{ reverted: [], pendingAgain: new Set(), applied },
    })
    const blocks = applied.map(({ block }) => block).reverse()
    this.#position = { genesisHash, head: next, recent: [...blocks, ...recent].slice(0, 8) }
  }

  #ours(block: PebbleBlock): AppliedBlock {
    const { watch } = this.#parts
    const transfers = block.moves
      .filter(({ to }) => watch.has(to))
      .map(({ digest, from, to, amount }) => ({
        ...{ txHash: digest, part: 0, token: null, from, to, amount },
      }))
    return { block: refOf(block), transfers, movedNothing: [] }
  }

  #say(visibility: ChainHealth['visibility'], reason: string | null): void {
    const block = this.#position?.recent[0] ?? null
    const { head: headBefore, headAt: before } = this.#health
    const [head, headAt] = [block?.number ?? headBefore, block?.minedAt ?? before]
    const said = { chain: this.#parts.name, visibility, reason, head, headAt }
    const isNews = visibility !== this.#health.visibility || reason !== this.#health.reason
    this.#health = said
    if (isNews && !this.#isClosed) this.#parts.sink.health(said)
  }
}

const refOf = ({ number, hash, parentHash, minedAt }: PebbleBlock) => ({
  ...{ number, hash, parentHash, minedAt },
})
