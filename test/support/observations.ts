import type {
  BlockRef,
  Denied,
  Included,
  MovedNothing,
  Observation,
  ResolutionAction,
  Slot,
} from '@settlewire/core/observation'
import { bornAt, included, payer, transfer } from './payments.ts'

/** The rarer facts, beside those of `payments.ts`: slots, rivals, claims, drops, decisions. */

const seen = (view: number) => ({
  source: 'rpc:one',
  chain: 'local',
  view,
  at: bornAt + view * 2_000,
})

/** The place of a transaction of the usual payer. */
export const slotAt = (nonce: number, feePerGas: bigint): Slot => ({
  sender: payer,
  nonce,
  feePerGas,
})

export const pendingIn = (
  txHash: string,
  amount: bigint,
  where: { slot?: Slot; view?: number; preconfirmed?: boolean },
): Observation => {
  const { slot, view = 0, preconfirmed } = where
  return {
    ...{ ...seen(view), kind: 'mempool', transfer: transfer(txHash, amount, 'hint') },
    ...(slot !== undefined && { slot }),
    ...(preconfirmed !== undefined && { preconfirmed }),
  }
}

export const rival = (txHash: string, slot: Slot, view = 0): Observation => ({
  ...{ ...seen(view), kind: 'rival', txHash, slot },
})

export const claimed = (txHash: string, view = 0): Observation => ({
  ...{ ...seen(view), source: 'payer', kind: 'claimed', txHash },
})

export const dropped = (txHash: string, view: number): Observation => ({
  ...{ ...seen(view), kind: 'dropped', txHash },
})

/** Its block holds a transfer of this much, and its slot is known. */
export const includedIn = (
  txHash: string,
  amount: bigint,
  where: { block: BlockRef; view: number; slot: Slot },
): Included => ({ ...included(txHash, amount, where.block, where.view), slot: where.slot })

export const movedNothing = (
  txHash: string,
  reason: 'reverted' | 'paid_elsewhere' | 'replaced',
  where: { block: BlockRef; view: number },
): MovedNothing => ({
  ...{ ...seen(where.view), kind: 'moved_nothing', txHash, block: where.block, reason },
})

/** A source that has the block says that it does not hold this. */
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
