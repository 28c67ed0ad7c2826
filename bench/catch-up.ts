/**
 * Blocks per second while a follower catches up, on a node in memory with a given response time.
 * One case watches tokens only; the others also have addresses that expect the native coin, whose
 * balances are read too. Run: `node bench/catch-up.ts`.
 */
import { performance } from 'node:perf_hooks'
import { ChainLedger } from '../test/support/evm/chain-ledger.ts'
import { newAddress } from '../test/support/evm/fake-chain.ts'
import { followerOf, nodeAt } from '../test/support/evm/labs.ts'
import { MemoryChain } from './support/memory-chain.ts'
import { token } from './support/memory-node.ts'
import { formatTable } from './support/table.ts'

const blocks = 640
const goalPerSecond = 300

interface Case {
  readonly name: string
  readonly native: number
  readonly multicall3: string | null
}
const multicall3 = `0x${'ca'.repeat(20)}`
const cases: readonly Case[] = [
  { name: 'tokens only', native: 0, multicall3 },
  { name: 'tokens, 1,000 native addresses by Multicall3', native: 1_000, multicall3 },
  { name: 'tokens, 50 native addresses one by one', native: 50, multicall3: null },
]

async function rate({ native, multicall3 }: Case, rttMs: number): Promise<readonly number[]> {
  const chain = new MemoryChain({ head: blocks, transactions: 50, rttMs })
  const ledger = new ChainLedger()
  ledger.watch.wantsNative = native > 0
  for (let at = 0; at < Math.max(1, native); at++) ledger.watch.addresses.add(newAddress())
  const follower = followerOf(
    ledger,
    { providers: [nodeAt('memory', 'ws://memory')], chainId: 1, tokens: [token], multicall3 },
    { connect: async () => chain.wire(), limits: { beginBehindBlocks: blocks } },
  )
  const startedAt = performance.now()
  follower.start()
  await ledger.until('all blocks are read', () => ledger.stored?.head.head === blocks, 60_000)
  const seconds = (performance.now() - startedAt) / 1_000
  await follower.close()
  if (ledger.violations.length > 0) throw new Error(ledger.violations[0])
  return [blocks / seconds, chain.asked / blocks]
}

// The clock's timers are unreferenced, so this one keeps the process alive.
const alive = setInterval(() => undefined, 1_000)
const rows: (string | number)[][] = []
for (const rttMs of [0, 20]) {
  for (const one of cases) {
    const [perSecond = 0, questions = 0] = await rate(one, rttMs)
    console.error(one.name, rttMs, perSecond, questions)
    rows.push([one.name, rttMs, perSecond, questions, goalPerSecond])
  }
}
console.log(`catch-up: ${blocks} blocks of 50 transactions`)
console.log(formatTable(['watched', 'response ms', 'blocks/s', 'requests per block', 'goal'], rows))
clearInterval(alive)
