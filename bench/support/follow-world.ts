import { paymentKind } from '@settlewire/core/payment/payment-kind'
import type { Policy } from '@settlewire/core/payment/policy'
import { depositAddress } from '../../server/src/chain/evm/deposit-address.ts'
import { systemClock } from '../../server/src/clock.ts'
import { AssetBook } from '../../server/src/engine/payment/asset-book.ts'
import { Claims } from '../../server/src/engine/payment/claims.ts'
import { Payments } from '../../server/src/engine/payment/payments.ts'
import { News } from '../../server/src/engine/watch/news.ts'
import { WatchIndex } from '../../server/src/engine/watch/watch-index.ts'
import { Watcher } from '../../server/src/engine/watch/watcher.ts'
import { Writer } from '../../server/src/engine/write/writer.ts'
import { silentLog } from '../../server/src/log.ts'
import { silentMetrics } from '../../server/src/metrics.ts'
import { openStore } from '../../server/src/store/open.ts'
import { evmChains } from '../../test/support/evm/kinds.ts'
import { token } from './memory-node.ts'

export const chains = ['one', 'two', 'three', 'four', 'five']
export const watchedCount = 100_000
const xpub =
  'xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB'
export const scope = { merchantId: 'mer_bench', livemode: false }
export const request = { amount: '1.00', currency: 'USDC', accept: ['USDC.one'] }
const policy: Policy = {
  version: 'bench-1',
  chains: Object.fromEntries(
    chains.map((name) => [name, { settled: 2, final: 'finalized', quorum: 1 }]),
  ),
}
const assets = new AssetBook(
  chains.map((chain, i) => ({
    ...{ symbol: 'USDC', currency: 'USDC', chain, chainId: i + 1, token, decimals: 6 },
    livemode: false,
  })),
)

/** An engine's parts and index, so that addresses can be watched without creating payments. */
export async function openWorld(url: string) {
  const store = openStore({ url, clock: systemClock, log: silentLog })
  await store.directory.addMerchant({ id: scope.merchantId, name: 'A shop', xpub, createdAt: 0 })
  const index = new WatchIndex(
    chains.map((name) => ({ name, livemode: false })),
    policy,
  )
  const shared = { clock: systemClock, log: silentLog, metrics: silentMetrics, policy }
  const all = new Writer({ ...shared, store: store.events })
  const writer = all.of(paymentKind)
  const parts = { ...shared, store: store.events, directory: store.directory, writer, index }
  const watcher = new Watcher({ ...parts, news: new News({ ...parts, all }) })
  const lookUp = async () => ({ kind: 'not_found' }) as const
  const payments = new Payments({
    ...{ ...parts, assets, deriveAddress: depositAddress, policyOf: () => policy },
    claims: new Claims({ ...parts, watcher, lookUp, kinds: evmChains(...chains) }),
    headOf: (chain) => watcher.headOf(chain),
  })
  const genesis = { number: 0, hash: '0x0', parentHash: '0x', minedAt: Date.now() }
  for (const chain of chains) await store.events.begin(chain, '0x0', genesis)
  await watcher.start()
  return { store, index, all, writer, watcher, payments }
}

export type FollowWorld = Awaited<ReturnType<typeof openWorld>>

/** Fills the index with watched addresses. Returns the bytes and microseconds per address. */
export function fill({ index }: FollowWorld): { microseconds: number; bytes: number } {
  const before = process.memoryUsage().heapUsed
  const startedAt = performance.now()
  for (let i = 0; i < watchedCount; i++) {
    const address = depositLike(i)
    const accept = [{ asset: 'USDC', chain: 'one', chainId: 1, token, decimals: 6, address }]
    index.watch(`pi_${String(i).padStart(26, '0')}`, { livemode: false, accept })
  }
  const tookMs = performance.now() - startedAt
  const bytes = (process.memoryUsage().heapUsed - before) / watchedCount
  return { microseconds: (tookMs * 1_000) / watchedCount, bytes }
}

const depositLike = (i: number): string => `0x${(i + 0xaaaa_0000).toString(16).padStart(40, '0')}`

/** Opens payments 25 at a time, because they share one address counter. Returns their addresses. */
export async function openPayments(
  { payments }: FollowWorld,
  count: number,
): Promise<readonly string[]> {
  const addresses: string[] = []
  while (addresses.length < count) {
    const opened = await Promise.all(
      Array.from({ length: Math.min(25, count - addresses.length) }, () =>
        payments.create(scope, request, null),
      ),
    )
    addresses.push(...opened.map(({ payment }) => payment.terms.accept[0]?.address ?? ''))
  }
  return addresses
}
