/**
 * Blocks a second that a follower reads to catch up with, on a node in memory that answers after a
 * while: tokens alone, and with addresses that wait for the native coin as well, whose balances are
 * read too. Run: `node bench/catch-up.ts`.
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
  { name: 'tokens alone', native: 0, multicall3 },
  { name: 'and 1,000 addresses by Multicall3', native: 1_000, multicall3 },
  { name: 'and 50 addresses one by one', native: 50, multicall3: null },
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
  await ledger.until('all are read', () => ledger.stored?.head.head === blocks, 60_000)
  const seconds = (performance.now() - startedAt) / 1_000
  await follower.close()
  if (ledger.violations.length > 0) throw new Error(ledger.violations[0])
  return [blocks / seconds, chain.asked / blocks]
}

// The timers of the clock do not keep a process alive.
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
console.log(formatTable(['watched', 'ms an answer', 'blocks/s', 'questions a block', 'goal'], rows))
clearInterval(alive)
