import { type Context, decide, open } from '@settlewire/core/payment/decide'
import type { PaymentEvent } from '@settlewire/core/payment/event'
import type {
  BlockRef,
  Included,
  Observation,
  SeenTransfer,
} from '@settlewire/core/payment/observation'
import type { Payment, Terms } from '@settlewire/core/payment/payment'
import type { Policy } from '@settlewire/core/payment/policy'

/** Small payments for tests of the rules: one chain, USDC with six decimals, policy of 3 blocks. */
export const policy: Policy = {
  version: 'test-1',
  chains: { local: { settled: 3, final: 'finalized', quorum: 1 } },
}

export const usdc = `0x${'c0'.repeat(20)}`
export const deposit = `0x${'aa'.repeat(20)}`
export const payer = `0x${'bb'.repeat(20)}`
export const bornAt = Date.UTC(2026, 0, 1)

let minted = 0
export const contextAt = (at: number): Context => ({
  policy,
  at,
  mint: () => `evt_${String(++minted).padStart(26, '0')}`,
})

export const termsOf = (changes: Partial<Terms> = {}): Terms => ({
  amount: 150_000_000n,
  tolerance: 0n,
  currency: 'USDC',
  decimals: 6,
  accept: [
    { asset: 'USDC', chain: 'local', chainId: 31337, token: usdc, decimals: 6, address: deposit },
  ],
  expiresAt: bornAt + 1_800_000,
  monitorUntil: bornAt + 1_800_000 + 86_400_000,
  reference: null,
  metadata: {},
  redirectUrl: null,
  confirmationPolicy: 'default',
  ...changes,
})

export function opened(changes: Partial<Terms> = {}): { payment: Payment; events: PaymentEvent[] } {
  const opening = {
    ...{ kind: 'opened' as const, merchantId: 'mer_test', livemode: false },
    ...{ transactionId: '00000000-0000-4000-8000-000000000000', terms: termsOf(changes) },
  }
  const { payment, events } = open(`pi_${'0'.repeat(26)}`, opening, contextAt(bornAt))
  return { payment, events: [...events] }
}

export const blockAt = (number: number, fork = 'a'): BlockRef => ({
  number,
  hash: `0x${fork}${number}`,
  parentHash: `0x${fork}${number - 1}`,
  minedAt: bornAt + number * 2_000,
})

export const transfer = (
  txHash: string,
  amount: bigint,
  part: SeenTransfer['part'] = 0,
): SeenTransfer => ({ txHash, part, token: usdc, from: payer, to: deposit, amount })

const seen = (view: number) => ({
  source: 'rpc:one',
  chain: 'local',
  view,
  at: bornAt + view * 2_000,
})

export const inMempool = (txHash: string, amount: bigint, view = 0): Observation => ({
  ...seen(view),
  kind: 'mempool',
  transfer: transfer(txHash, amount, 'hint'),
})

export const included = (
  txHash: string,
  amount: bigint,
  block: BlockRef,
  view: number,
): Included => ({
  ...seen(view),
  kind: 'included',
  txHash,
  block,
  transfers: [transfer(txHash, amount)],
})

export const reverted = (txHash: string, block: BlockRef, view: number): Observation => ({
  ...seen(view),
  kind: 'moved_nothing',
  txHash,
  block,
  reason: 'reverted',
})

export const reorged = (
  txHash: string,
  block: BlockRef,
  how: { view: number; inMempool?: boolean },
): Observation => ({
  ...seen(how.view),
  kind: 'reorged',
  txHash,
  blockHash: block.hash,
  inMempool: how.inMempool ?? false,
})

export const headAt = (
  head: number,
  view: number,
  finalized: number | null = null,
): Observation => ({
  ...seen(view),
  kind: 'head',
  head,
  safe: finalized,
  finalized,
})

export const clockAt = (at: number, scannedThrough = at): Observation => ({
  kind: 'clock',
  source: 'clock',
  at,
  scannedThrough: { local: scannedThrough },
})

/** Decides one observation after the other, and keeps the emitted events. */
export function observeAll(
  start: { payment: Payment; events: PaymentEvent[] },
  observations: readonly Observation[],
): { payment: Payment; events: PaymentEvent[] } {
  let { payment } = start
  const events = [...start.events]
  for (const observation of observations) {
    const decision = decide(payment, [observation], contextAt(observation.at))
    events.push(...decision.events)
    payment = decision.payment
  }
  return { payment, events }
}

/** Decides several observations at a time, like the steps of a chain. */
export function observeInSteps(
  start: { payment: Payment; events: PaymentEvent[] },
  steps: readonly (readonly Observation[])[],
): { payment: Payment; events: PaymentEvent[] } {
  let { payment } = start
  const events = [...start.events]
  for (const step of steps) {
    const at = Math.max(payment.head.at, ...step.map((one) => one.at))
    const decision = decide(payment, step, contextAt(at))
    events.push(...decision.events)
    payment = decision.payment
  }
  return { payment, events }
}
