/** The real ingest: the follower's socket and mempool, with a watch set as the engine keeps it. */

import { NodeMempool } from '../../server/src/chain/evm/mempool/mempool.ts'
import { defaultLimits as limits } from '../../server/src/chain/evm/node/limits.ts'
import { RequestLine } from '../../server/src/chain/evm/node/line.ts'
import { EvmNode } from '../../server/src/chain/evm/node/node.ts'
import { RpcSocket } from '../../server/src/chain/evm/node/socket.ts'
import { systemClock as clock } from '../../server/src/clock.ts'
import { WatchIndex } from '../../server/src/engine/watch/watch-index.ts'
import { silentLog as log } from '../../server/src/log.ts'
import { sandboxPolicy } from '../../server/src/registry/sandbox.ts'
import { answerParent } from './child-program.ts'
import { tokens, watchedAddress } from './pool-messages.ts'
import { cpuMicros } from './process-usage.ts'

let hits = 0
let heard = 0
let wanted = Number.POSITIVE_INFINITY
let enough: (() => void) | null = null

/** Half of them expect the native coin too, so that every transaction's recipient is looked up. */
function watchSet(count: number) {
  const index = new WatchIndex([{ name: 'local', livemode: false }], sandboxPolicy)
  for (let at = 0; at < count; at++) {
    const address = watchedAddress(at)
    const where = { chain: 'local', chainId: 31337, address }
    const token = { ...where, asset: 'USDC', token: tokens[0] ?? '', decimals: 6 }
    const coin = { ...where, asset: 'ETH', token: null, decimals: 18 }
    index.watch(`pi_${at}`, { livemode: false, accept: at % 2 === 0 ? [token] : [token, coin] })
  }
  const watch = index.chain('local')
  if (watch === null) throw new Error('the index does not know the chain')
  return watch
}

async function open({ port, watched }: { port: number; watched: number }): Promise<void> {
  const watch = watchSet(watched)
  const { signal } = new AbortController()
  const wire = await RpcSocket.connect(`ws://127.0.0.1:${port}/ingest`, { clock, limits, signal })
  const { now: socket } = new RequestLine({ clock, limits }).over(wire)
  const mempool = new NodeMempool({
    ...{ socket, node: new EvmNode(socket), tokens: new Set(tokens), watch, clock, log, limits },
    ...{ mode: 'full', preconfirmations: 'none', changed: () => undefined },
    report: () => {
      hits++
      heard++
      if (heard >= wanted) enough?.()
    },
  })
  await mempool.subscribe()
}

/** Resets the counter and sets the number of expected hits. */
function expect(some: number): void {
  heard = 0
  wanted = some
}

/** Resolves after the expected number of hits, the last of which is the last message. */
async function all(): Promise<number> {
  if (heard < wanted) {
    await new Promise<void>((resolve) => {
      enough = resolve
    })
  }
  return heard
}

const answers = { open, expect, all, cpu: cpuMicros, hits: () => hits }
export type DetectIngest = typeof answers
answerParent(answers)
