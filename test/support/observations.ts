import type {
  BlockRef,
  Contest,
  Denied,
  Included,
  MovedNothing,
  Observation,
  ResolutionAction,
} from '@settlewire/core/payment/observation'
import { bornAt, included, payer, transfer } from './payments.ts'

/** Rarer observations than in `payments.ts`: contests, rivals, claims, drops, decisions. */

const seen = (view: number) => ({
  source: 'rpc:one',
  chain: 'local',
  view,
  at: bornAt + view * 2_000,
})

/** The contest key of a transaction of the usual payer, or of another. */
export const contestAt = (nonce: number, bid: bigint, sender = payer): Contest => ({
  ...{ key: `${sender} ${nonce}`, bid },
})

export const pendingIn = (
  txHash: string,
  amount: bigint,
  where: { contest?: Contest; view?: number; preconfirmed?: boolean },
): Observation => {
  const { contest, view = 0, preconfirmed } = where
  return {
    ...{ ...seen(view), kind: 'mempool', transfer: transfer(txHash, amount, 'hint') },
    ...(contest !== undefined && { contest }),
    ...(preconfirmed !== undefined && { preconfirmed }),
  }
}

export const rival = (txHash: string, contest: Contest, view = 0): Observation => ({
  ...{ ...seen(view), kind: 'rival', txHash, contest },
})

export const claimed = (txHash: string, view = 0): Observation => ({
  ...{ ...seen(view), source: 'payer', kind: 'claimed', txHash },
})

export const dropped = (txHash: string, view: number): Observation => ({
  ...{ ...seen(view), kind: 'dropped', txHash },
})

/** Its block holds a transfer of this amount, and its contest is known. */
export const includedIn = (
  txHash: string,
  amount: bigint,
  where: { block: BlockRef; view: number; contest: Contest },
): Included => ({ ...included(txHash, amount, where.block, where.view), contest: where.contest })

export const movedNothing = (
  txHash: string,
  reason: 'reverted' | 'paid_elsewhere' | 'replaced',
  where: { block: BlockRef; view: number },
): MovedNothing => ({
  ...{ ...seen(where.view), kind: 'moved_nothing', txHash, block: where.block, reason },
})

/** A source that has the block reports that it lacks this transfer. */
export const denied = (txHash: string, { hash: blockHash }: BlockRef, view: number): Denied => ({
  ...{ ...seen(view), kind: 'denied', txHash, blockHash },
})

export const decided = (
  action: ResolutionAction,
  at: number,
  reason = 'as agreed',
): Observation => ({
  ...{ kind: 'resolved', source: 'operator', at, actor: 'key_1', action, reason, received: 0n },
})
