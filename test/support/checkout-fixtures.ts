import type { ChainSight } from '@settlewire/client/wire-event'
import type { EventData } from '@settlewire/core/payment/event'
import type { IgnoreReason } from '@settlewire/core/payment/payment'
import type { statuses } from '@settlewire/core/payment/status-model'
import type { PaymentIntent, WireAcceptance, WireTransfer } from '@settlewire/core/wire/wire'
import { chainName } from '@settlewire/core/words/words'

/** Payments in every shape the checkout must be able to show. */

export const paymentId = 'pi_01jd6q2v5h8x3k9m4n7p0r1s2t'

const address = '0x5FbDB2315678afecb367f032d93F642f64180aa3'
const token = '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512'
const txHash = '0x4e3a3754410177e6937ef1f84bba68ea139e8d1a2258c5f85db9f1cd715a1bdd'

const accept = (chain: string, chainId: number): WireAcceptance => ({
  asset: 'USDC',
  chain,
  chainId,
  token,
  decimals: 6,
  address,
  uri: `ethereum:${token}@${chainId}/transfer?address=${address}&uint256=150000000`,
})

const transfer = (more: Partial<WireTransfer> = {}): WireTransfer => ({
  txHash,
  chain: 'local',
  chainId: 31337,
  asset: 'USDC',
  amount: '150.00',
  stage: 'mempool',
  blockNumber: null,
  blockHash: null,
  confirmations: 0,
  requiredConfirmations: 3,
  explorerUrl: null,
  ...more,
})

const hashOf = (digit: string): string => `0x${digit.repeat(64)}`

/** A transfer that arrived and does not count. */
const ignored = (why: IgnoreReason, more: Partial<WireTransfer>): WireTransfer =>
  transfer({ stage: 'ignored', ignored: why, amount: '0', decimals: 6, ...more })

/** The longest amounts: eighteen decimals, and a coin of low value. */
const longAmount = '1234567890123.123456789012345678'

const minutes = (count: number): string => new Date(Date.now() + count * 60_000).toISOString()

export function payment(more: Partial<PaymentIntent> = {}): PaymentIntent {
  return {
    id: paymentId,
    object: 'payment_intent',
    livemode: false,
    sequence: 5,
    status: 'awaiting',
    reason: null,
    flags: [],
    finality: 'none',
    visibility: 'ok',
    amount: '150.00',
    currency: 'USDC',
    amountReceived: '0.00',
    amountPending: '0.00',
    accept: [accept('local', 31337)],
    transfers: [],
    redirectUrl: 'https://shop.example/thanks',
    createdAt: minutes(-4),
    expiresAt: minutes(26),
    monitorUntil: minutes(24 * 60 + 26),
    detectedAt: null,
    settledAt: null,
    ...more,
  }
}

const seen = { detectedAt: minutes(-1) }
const confirmed = (confirmations: number, requiredConfirmations: number | null = 3) => ({
  ...seen,
  status: 'confirming' as const,
  amountReceived: '150.00',
  transfers: [transfer({ stage: 'included', confirmations, requiredConfirmations })],
})
const part = {
  flags: ['underpaid'] as const,
  amountReceived: '50.00',
  transfers: [transfer({ stage: 'final', amount: '50.00', confirmations: 12 })],
}
const paid = { ...confirmed(3), status: 'succeeded' as const, settledAt: minutes(0) }
const over = { expiresAt: minutes(-10), monitorUntil: minutes(24 * 60 - 10) }

/** Keyed by the name in the page's path, `/pay/<name>`. Every status has an entry of that name. */
export const fixtures = {
  awaiting: payment(),
  'awaiting-live': payment({ livemode: true, amount: '1250000.00' }),
  'awaiting-choice': payment({
    accept: [accept('polygon', 137), accept('base', 8453), accept('arbitrum', 42161)],
  }),
  'awaiting-part': payment(part),
  'awaiting-again': payment({
    reason: 'transaction_reorged',
    flags: ['reorg_seen'],
    transfers: [transfer({ stage: 'reorged' })],
  }),
  'awaiting-over': payment({ expiresAt: minutes(-0.1) }),
  'awaiting-blind': payment({
    visibility: 'blind',
    accept: [accept('base', 8453), accept('polygon', 137)],
  }),
  'awaiting-replaced': payment({
    reason: 'replaced_elsewhere',
    flags: ['replaced_seen'],
    transfers: [transfer({ stage: 'replaced' })],
  }),
  'awaiting-wrong': payment({
    flags: ['wrong_token', 'wrong_chain', 'dust'],
    transfers: [
      ignored('wrong_token', { asset: 'USDC.e', units: '150000000', decimals: 6 }),
      ignored('wrong_chain', { txHash: hashOf('c'), chain: 'polygon', units: '150000000' }),
      ignored('dust', { txHash: hashOf('d'), units: '10', count: 12 }),
      ignored('zero', { txHash: hashOf('e'), units: '0' }),
    ],
  }),
  'awaiting-long': payment({
    ...{ amount: longAmount, currency: 'ETH', livemode: true },
    accept: [{ ...accept('ethereum', 1), asset: 'ETH', token: null, decimals: 18 }],
  }),
  'awaiting-custom': payment({ accept: [accept('harbour', 4_242)] }),
  pending_detected: payment({
    ...seen,
    status: 'pending_detected',
    amountPending: '150.00',
    transfers: [transfer()],
  }),
  pending_expired: payment({
    ...seen,
    status: 'pending_expired',
    transfers: [transfer({ stage: 'dropped' })],
  }),
  confirming: payment(confirmed(1)),
  'confirming-12': payment({ ...confirmed(5, 12), livemode: true }),
  'confirming-tag': payment(confirmed(9, null)),
  'confirming-disagree': payment({ ...confirmed(3), flags: ['sources_disagree'] }),
  succeeded: payment(paid),
  'succeeded-final': payment({ ...paid, finality: 'final' }),
  'succeeded-double': payment({
    ...paid,
    amountReceived: '300.00',
    flags: ['overpaid', 'duplicate_payment', 'multiple_transfers'],
    transfers: [
      transfer({ stage: 'included', confirmations: 3 }),
      transfer({ txHash: hashOf('b'), stage: 'included', confirmations: 1 }),
    ],
  }),
  'succeeded-long': payment({
    ...paid,
    amount: longAmount,
    amountReceived: longAmount,
    currency: 'ETH',
  }),
  'succeeded-over': payment({
    ...paid,
    livemode: true,
    amountReceived: '170.00',
    flags: ['overpaid', 'multiple_transfers'],
    transfers: [
      transfer({ stage: 'final', explorerUrl: 'https://polygonscan.com/tx/0x1', chain: 'polygon' }),
      transfer({ txHash: hashOf('b'), stage: 'final', amount: '20.00' }),
    ],
  }),
  expired: payment({ ...over, status: 'expired' }),
  'expired-unwatched': payment({
    ...{ status: 'expired', expiresAt: minutes(-25 * 60), monitorUntil: minutes(-60) },
  }),
  'expired-part': payment({ ...part, ...over, status: 'expired' }),
  cancelled: payment({ status: 'cancelled', reason: 'out of stock' }),
  failed: payment({ status: 'failed', reason: 'screening_refused' }),
  investigation_required: payment({
    ...seen,
    status: 'investigation_required',
    reason: 'reorged_after_success',
    flags: ['reorg_seen'],
    transfers: [transfer({ stage: 'reorged' })],
  }),
} as const satisfies Record<string, PaymentIntent> &
  Readonly<Record<(typeof statuses)[number], PaymentIntent>>

export type FixtureName = keyof typeof fixtures

export const fixtureNames = Object.keys(fixtures) as FixtureName[] // its own keys

/** The display names of the chains on the fixture server. */
export const chainNames = Object.fromEntries([
  ['harbour', 'Harbour Chain'],
  ...['local', 'polygon', 'base', 'arbitrum', 'ethereum'].map((name) => [name, chainName(name)]),
]) as Readonly<Record<string, string>> // pairs of texts

/** The visibility of each accepted chain of a fixture; the first has the payment's visibility. */
export const sightOf = ({ accept, visibility }: PaymentIntent): readonly ChainSight[] =>
  [...new Set(accept.map(({ chain }) => chain))].map((chain, i) => ({
    ...{ chain, head: 1_204, lagMs: i === 0 && visibility !== 'ok' ? 40_000 : 900 },
    visibility: i === 0 ? visibility : visibility === 'ok' ? 'ok' : 'degraded',
  }))

/** The event that would lead to this state of the resource. */
export function eventOf(resource: PaymentIntent): { id: string; type: string; data: EventData } {
  const { id, sequence, status, flags, finality, reason, detectedAt, settledAt } = resource
  const last = resource.transfers[resource.transfers.length - 1]
  const data: EventData = {
    id,
    sequence,
    status,
    previousStatus: null,
    txHash: last?.txHash ?? null,
    chain: last?.chain ?? null,
    chainId: last?.chainId ?? null,
    token: last?.asset ?? null,
    confirmations: last?.confirmations ?? 0,
    requiredConfirmations: last?.requiredConfirmations ?? null,
    expectedAmount: resource.amount,
    pendingAmount: resource.amountPending,
    receivedAmount: resource.amountReceived,
    flags,
    finality,
    detectedAt,
    settledAt,
    ...(reason !== null && { reason }),
  }
  return {
    id: `evt_${String(sequence).padStart(26, '0')}`,
    type: 'payment_intent.updated',
    data,
  }
}
