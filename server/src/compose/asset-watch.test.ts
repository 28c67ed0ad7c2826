import { Failure } from '@settlewire/core/errors'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { checkAssets } from '../chain/evm/asset-check.ts'
import type { Connect } from '../chain/evm/follower.ts'
import { AssetBook } from '../engine/payment/asset-book.ts'
import { silentLog } from '../log.ts'
import { readChains } from '../registry/read-chains.ts'
import { AssetWatch } from './asset-watch.ts'
import { assetsOf } from './chains.ts'
import { type ChainAdapter, evmAdapter } from './kinds.ts'

const node = {
  ...{ name: 'own', url: 'ws://127.0.0.1:1' },
  pending: 'none',
  preconfirmations: 'none',
} as const
const token = `0x${'c0'.repeat(20)}`
const chains = readChains(
  {
    chains: {
      harbour: {
        ...{ chainId: 7001, livemode: false, native: { symbol: 'HBR' }, blockMs: 1_000 },
        ...{ accept: ['USDC', 'HBR'], tokens: { USDC: { address: token, decimals: 6 } } },
        providers: [{ name: 'own', url: 'ws://127.0.0.1:1' }],
        policy: { settled: 1, final: 2 },
      },
    },
  },
  () => undefined,
)

/** The answers of the test's node. */
interface NodeAnswers {
  chainId: number
  decimals: number
}

/** The adapter of EVM chains, over connections of the test. */
const through = (connect: Connect): ChainAdapter => ({
  ...evmAdapter,
  checkAssets: (_, { tokens, ...parts }) =>
    checkAssets({ chainId: 7001, providers: [node], tokens }, { ...parts, connect }),
})

let watch: AssetWatch | null = null
afterEach(() => watch?.close())

/** `node.now` is null while the node cannot be reached. */
function world(answering: { now: NodeAnswers | null }) {
  const clock = new ManualClock()
  const book = new AssetBook(chains.flatMap(assetsOf), { kind: 'unchecked' })
  const told: string[] = []
  let connections = 0
  const connect: Connect = async () => {
    const { now } = answering
    if (now === null) throw new Failure('chain_unavailable')
    connections++
    const answers: Record<string, unknown> = {
      eth_chainId: `0x${now.chainId.toString(16)}`,
      eth_getCode: '0x6001',
      eth_call: `0x${now.decimals.toString(16).padStart(64, '0')}`,
    }
    return {
      ...{ closed: new Promise(() => undefined), open: true, drop: () => undefined },
      ask: async (method) => ({ result: answers[method] }),
      subscribe: () => Promise.reject(new Error('nothing is subscribed to')),
    }
  }
  watch = new AssetWatch({
    ...{ chains, book, clock, log: silentLog, adapters: [through(connect)] },
    tell: (asset, state) => told.push(`${asset} ${state}`),
  })
  const states = () => Object.fromEntries(book.all.map((one) => [one.symbol, book.stateOf(one)]))
  return { watch, clock, told, states, connections: () => connections }
}

describe('the watch over assets', () => {
  it('offers assets that the chain confirms at the start, without later checks', async () => {
    const { watch, clock, told, states, connections } = world({
      now: { chainId: 7001, decimals: 6 },
    })
    await watch.start()
    expect(states()).toEqual({ USDC: { kind: 'active' }, HBR: { kind: 'active' } })
    expect(told).toEqual([
      ...['USDC.harbour unchecked', 'HBR.harbour unchecked'],
      ...['USDC.harbour active', 'HBR.harbour active'],
    ])
    await clock.advance(300_000)
    expect(connections()).toBe(1)
  })

  it('checks again every 30 s while no node answers, and offers no asset until then', async () => {
    const said: { now: NodeAnswers | null } = { now: null }
    const { watch, clock, states } = world(said)
    await watch.start()
    expect(states()).toEqual({ USDC: { kind: 'unchecked' }, HBR: { kind: 'unchecked' } })
    said.now = { chainId: 7001, decimals: 6 }
    await clock.advance(29_000)
    expect(states().USDC).toEqual({ kind: 'unchecked' })
    await clock.advance(1_000)
    expect(states().USDC).toEqual({ kind: 'active' })
  })

  it('disables an asset while the chain contradicts the configuration', async () => {
    const said = { now: { chainId: 7001, decimals: 18 } }
    const { watch, clock, told, states } = world(said)
    await watch.start()
    const reason = 'Its contract reports 18 decimals, but the configuration says 6.'
    expect(states()).toEqual({ USDC: { kind: 'disabled', reason }, HBR: { kind: 'active' } })
    await clock.advance(60_000)
    expect(told.slice(2)).toEqual(['USDC.harbour disabled', 'HBR.harbour active'])
    said.now.decimals = 6
    await clock.advance(30_000)
    expect(states().USDC).toEqual({ kind: 'active' })
  })

  it('disables every asset of a chain whose providers are on another one', async () => {
    const { watch, states } = world({ now: { chainId: 1, decimals: 6 } })
    await watch.start()
    const reason = 'The providers are on chain 1, not on 7001.'
    expect(states().HBR).toEqual({ kind: 'disabled', reason })
    expect(states().USDC).toEqual({ kind: 'disabled', reason })
  })
})
